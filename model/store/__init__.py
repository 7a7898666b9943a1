"""Checkpoints and the registry on disk."""
