"""`make bench-train`: what an epoch and a whole fit cost, next to a plain loop and to boosting."""
