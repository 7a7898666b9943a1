"""Reasons: the shares of groups of inputs in a logit, against a typical customer, and their words."""
