"""Scores of a customer file and of a log."""
