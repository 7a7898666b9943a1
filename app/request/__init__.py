"""From the bytes of a predict request to the bytes of its answer."""
