"""The examples of training, calibration and test."""
