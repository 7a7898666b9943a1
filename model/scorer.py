"""Scores of raw data: in training, batch scoring and the service, only here a logit becomes a probability."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.features.encode import encode
from model.features.inputs import Inputs
from model.network.linear import LinearNetwork
from model.network.network import Network
from model.network.trunk import average
from model.probability import Calibration, Logits, Probabilities, event_by_horizon, no_event_by_horizon
from model.quick.numpy_linear import NumpyLinear
from model.quick.numpy_network import NumpyNetwork
from model.schema import Schema
from model.store.manifest import NetworkSpec
from model.task import Task
from model.values.columns import Column
from model.values.customers import Examples
from model.values.history import EventLog

BATCH_SIZE: Final = 4096


@dataclass(frozen=True)
class Scorer:
    """A network with what it needs to score raw data.

    Attributes:
        network: in eval mode, on `device`.
        calibration: slope and intercept of each of the K logits.
        quick: the same network in numpy; None for a head that reads steps, or on another device than the CPU.
    """

    task: Task
    schema: Schema
    spec: NetworkSpec
    network: Network | LinearNetwork
    calibration: Calibration
    device: torch.device
    quick: NumpyNetwork | NumpyLinear | None = field(default=None, compare=False)

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
        )

    def logits(self, inputs: Inputs) -> Logits:
        """(N, K) float64 uncalibrated logits."""
        if self.quick:
            return self.quick.logits(inputs.numeric.numpy(), inputs.categories.numpy())
        return logits(self.network, inputs, self.device)

    def probabilities(self, raw: Logits) -> Probabilities:
        """(N, K) float64 probability of a positive outcome by each horizon, from uncalibrated logits."""
        calibrated = self.calibration.apply(raw)
        absent = self.task.kind != "column" and self.task.outcome == "absent"
        return (no_event_by_horizon if absent else event_by_horizon)(calibrated)


def build_scorer(
    task: Task,
    schema: Schema,
    spec: NetworkSpec,
    network: Network | LinearNetwork,
    calibration: Calibration,
    device: torch.device,
) -> Scorer:
    """Return the scorer of a fitted network that is on the device."""
    quick = None if spec.reads_steps or device.type != "cpu" else _quick(network)
    return Scorer(task, schema, spec, network.eval(), calibration, device, quick)


def _quick(network: Network | LinearNetwork) -> NumpyNetwork | NumpyLinear:
    if isinstance(network, LinearNetwork):
        return NumpyLinear.build(network)
    return NumpyNetwork.build(network)


@torch.inference_mode()
def logits(network: Network | LinearNetwork, inputs: Inputs, device: torch.device) -> Logits:
    """(N, K) float64 uncalibrated logits, computed in batches of a fixed size."""
    starts = range(0, max(len(inputs), 1), BATCH_SIZE)  # at least one batch, for the shape
    rows = [torch.arange(start, min(start + BATCH_SIZE, len(inputs))) for start in starts]
    parts = [network(inputs.batch(part).to(device)).cpu().double().numpy() for part in rows]
    joined: Logits = np.concatenate(parts)
    return joined


@torch.inference_mode()
def fold_logits(network: Network, inputs: Inputs, rows: Tensor, device: torch.device) -> NDArray[np.float64]:
    """(F, n, K) float64 logits of each fold's ensemble for n of the inputs."""
    parts = [network.folds(inputs.batch(some).to(device)) for some in rows.split(BATCH_SIZE)]
    averaged = [average(members.transpose(0, 1)).cpu().double().numpy() for members in parts]
    joined: NDArray[np.float64] = np.concatenate(averaged, axis=1)
    return joined
