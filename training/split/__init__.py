"""Which examples train and which test."""
