"""A made-up subscription shop whose true probabilities are known."""
