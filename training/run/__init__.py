"""One training run, and the evaluation of a published model."""
