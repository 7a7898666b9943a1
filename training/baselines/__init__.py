"""Simpler models on the same examples and split as the network: what it must beat to be worth its cost."""
