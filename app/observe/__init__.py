"""What operators see: metrics, logs and spans."""
