"""What a study without settings asks of its network and its fit: the only place where benchmarks say so."""

from model.store.manifest import HeadName, NetworkSpec
from training.study.sections import FitOptions, NetworkOptions


def default_spec(head: HeadName) -> NetworkSpec:
    """The network."""
    return NetworkOptions(head=head).spec


def default_options(seed: int = 0) -> FitOptions:
    """The fit, on the processor."""
    return FitOptions(device="cpu", seed=seed)
