"""Looking forward: study, labels, splits, fitting, calibration, metrics, report; the command line."""
