"""HTTP: requests in, Predictor called, answers out."""
