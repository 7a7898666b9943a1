"""Features: customers and their histories as the tensors of a network."""
