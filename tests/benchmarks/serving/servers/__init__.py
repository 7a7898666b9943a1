"""What ours is measured beside: servers for the same 28 fields, run as `python -m MODULE PORT`."""
