"""Looking back: history -> features -> network -> probability; checkpoint, registry, Predictor."""
