"""What a model reads: kinds of columns, and statistics from training examples only."""
