"""Metrics of a run in report.json and report.html."""
