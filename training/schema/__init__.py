"""The fields of a model: kinds of columns, and statistics of the training examples."""
