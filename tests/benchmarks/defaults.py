"""What a study without settings asks of its network and its fit: the only place where benchmarks say so."""

from dataclasses import fields

from model.store.manifest import HeadName, NetworkSpec
from training.fit.model_fit import Options
from training.study.sections import FitOptions, NetworkOptions


def default_spec(head: HeadName) -> NetworkSpec:
    """The network."""
    network = NetworkOptions(head=head)
    return NetworkSpec(**network.model_dump(include=set(NetworkSpec.model_fields)))


def default_options(seed: int = 0) -> Options:
    """The fit, on the processor."""
    options = FitOptions(device="cpu", seed=seed)
    return Options(**options.model_dump(include={field.name for field in fields(Options)}))
