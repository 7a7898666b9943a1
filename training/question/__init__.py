"""Timelines, cutoffs, eligible customers and labels."""
