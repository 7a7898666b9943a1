"""What a run found out: metrics, report.json, report.html."""
