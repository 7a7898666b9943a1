"""From examples to a calibrated network."""
