"""What is told of a whole fit, ours or a peer's."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WholeFit:
    """A fit with early stopping.

    Attributes:
        seconds: from raw rows in memory to probabilities that can be asked for.
        rounds: trees, or epochs.
        log_loss: on examples that the fit did not see, in nats.
        beyond_mb: the peak beyond the data; None where the system does not tell.
    """

    seconds: float
    rounds: int
    log_loss: float
    beyond_mb: float | None
