"""Findings about data that are faulty or reveal the label."""
