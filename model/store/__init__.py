"""Checkpoints on disk: manifest, seal, golden rows, registry, champions."""
