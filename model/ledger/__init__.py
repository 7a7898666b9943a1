"""The ledger: what was said of each customer, kept until it can be compared with what happened."""
