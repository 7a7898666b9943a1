"""Customers' files: bytes on disk to raw columns and events, and scores back to disk."""
