"""The networks: from a Batch to logits."""
