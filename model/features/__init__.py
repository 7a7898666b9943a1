"""From customers and their history to the tensors that a network reads."""
