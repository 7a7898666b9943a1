"""How good probabilities are: metrics, bootstrap intervals, the verdict."""
