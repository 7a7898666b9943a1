"""Looking back: history -> features -> network -> probability; checkpoint, registry, Predictor."""

import os

# Read by GNU OpenMP when torch is first imported: how long its threads spin before they sleep. With the
# usual count, the same matrix products were 8 times slower on cores shared with another busy process.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
