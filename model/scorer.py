"""Scores of raw data: in training, batch scoring and the service, only here a logit becomes a probability."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from model.device import choose_device
from model.features.encode import encode, scales_of
from model.features.inputs import Inputs
from model.features.scaling import Scales
from model.network.linear import LinearNetwork
from model.probability import (
    Calibration,
    Logits,
    Probabilities,
    event_by_horizon,
    horizon_logits,
    no_event_by_horizon,
)
from model.quick.numpy_network import NumpyNetwork
from model.schema import Schema
from model.store.checkpoint import Weights
from model.store.manifest import ModelDescription, NetworkSpec
from model.task import Task
from model.values.columns import Column
from model.values.customers import Examples
from model.values.history import EventLog


class Network(Protocol):
    """A network of any head, in numpy or in torch."""

    def logits(self, inputs: Inputs) -> Logits:
        """(n, K) float64 uncalibrated logits."""


@dataclass(frozen=True)
class Scorer:
    """A network with what it needs to score raw data.

    Attributes:
        calibration: slope and intercept of each of the K logits.
        weights: of the network.
        device: where the network runs.
    """

    task: Task
    schema: Schema
    spec: NetworkSpec
    calibration: Calibration
    weights: Weights = field(compare=False)
    network: Network = field(compare=False)
    device: str = "cpu"

    @property
    def quick(self) -> bool:
        """Whether the network is in numpy, which takes microseconds for a few rows."""
        return isinstance(self.network, LinearNetwork | NumpyNetwork)

    def score(self, columns: Mapping[str, Column], log: EventLog | None, examples: Examples) -> Probabilities:
        """(N, K) float64 probability of a positive outcome by each horizon; the last is the longest.

        Raises:
            SchemaError: a column or event field that the model reads is absent.
        """
        return self.probabilities(self.logits(self.inputs(columns, log, examples)))

    def inputs(self, columns: Mapping[str, Column], log: EventLog | None, examples: Examples) -> Inputs:
        """Encode N examples as network inputs.

        Raises:
            SchemaError: a column or event field that the model reads is absent.
        """
        return encode(
            self.schema,
            columns,
            log,
            examples,
            lookback_days=self.task.lookback_days,
            with_steps=self.spec.reads_steps,
            scales=self._scales,
        )

    @cached_property
    def _scales(self) -> Scales:
        return scales_of(self.schema)

    def logits(self, inputs: Inputs) -> Logits:
        """(N, K) float64 uncalibrated logits."""
        return self.network.logits(inputs)

    def probabilities(self, raw: Logits) -> Probabilities:
        """(N, K) float64 probability of a positive outcome by each horizon, from uncalibrated logits."""
        calibrated = self.calibration.apply(raw)
        return (no_event_by_horizon if self._absent else event_by_horizon)(calibrated)

    def horizon_logits(self, raw: Logits) -> Logits:
        """(N, K) float64 logits of these probabilities."""
        return horizon_logits(self.calibration.apply(raw), absent=self._absent)

    @property
    def _absent(self) -> bool:
        return self.task.kind != "column" and self.task.outcome == "absent"


def build_scorer(model: ModelDescription, weights: Weights, *, device: str = "cpu") -> Scorer:
    """Build the scorer of a model with the weights of its network.

    Torch, which takes seconds to import, is for heads that read steps and for other devices than the CPU.

    Raises:
        CheckpointError: the weights do not fit the network.
        DeviceError: the device is not on this machine.
    """
    schema, spec, n_outputs = model.schema_, model.network, model.task.n_outputs
    chosen = device if device == "cpu" else str(choose_device(device))
    network: Network
    if spec.head == "linear":
        network, chosen = LinearNetwork.build(schema, weights, n_outputs=n_outputs), "cpu"
    elif spec.head == "mlp" and chosen == "cpu":
        network = NumpyNetwork.build(schema, spec, weights, n_outputs=n_outputs)
    else:
        from model.network.inference import load_network

        network = load_network(schema, spec, weights, chosen, n_outputs=n_outputs)
    return Scorer(model.task, schema, spec, model.calibration, weights, network, chosen)
