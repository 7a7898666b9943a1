"""Looking back: history -> features -> network -> probability; checkpoint, registry, Predictor."""

import os

# Read by OpenMP when torch is first imported: its threads sleep while they wait, rather than spin. On
# cores shared with another busy process, spinning made the same matrix products 8 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
