"""A calibrated network from labelled examples."""
