"""The networks: Batch -> logits."""
