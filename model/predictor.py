"""The only place where a logit becomes a probability."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray

from model.checkpoint import Checkpoint, read_checkpoint
from model.customers import Customers
from model.device import choose_device
from model.encode import encode
from model.errors import CheckpointError
from model.hazard import Probabilities, event_by_horizon, no_event_by_horizon
from model.inputs import Inputs
from model.manifest import Calibration, Manifest
from model.network import Head, build_network
from model.rows import customers_from_rows
from model.task import Task
from model.times import parse_time

BATCH_SIZE: Final = 4096
TOLERANCE: Final = 1e-5  # golden probabilities may differ by this much between devices and CPU kinds


@dataclass(frozen=True)
class Predictor:
    """A checkpoint ready to answer.

    Attributes:
        manifest: what the model is and reads.
        network: in eval mode, on `device`.
    """

    manifest: Manifest
    network: Head
    device: torch.device

    @classmethod
    def build(cls, checkpoint: Checkpoint, *, device: str = "cpu") -> Self:
        """Rebuild the network of a verified checkpoint and check its golden customers.

        Raises:
            CheckpointError: the weights do not fit the description, or the golden answers differ.
        """
        manifest, chosen = checkpoint.manifest, choose_device(device)
        network = build_network(manifest.network, manifest.schema_, n_outputs=manifest.task.n_outputs)
        try:
            network.load_state_dict(checkpoint.weights)
        except RuntimeError as fault:
            raise CheckpointError(f"the weights do not fit the network of the manifest: {fault}") from fault
        predictor = cls(manifest, network.to(chosen).eval(), chosen)
        predictor._check_golden()
        return predictor

    def predict(self, customers: Customers) -> Probabilities:
        """(N, K) float64 probability of a positive outcome by each horizon; the last is the longest.

        Raises:
            SchemaError: a column or event field that the model reads is absent.
        """
        manifest = self.manifest
        inputs = encode(
            manifest.schema_,
            customers.columns,
            customers.log,
            customers.examples(),
            lookback_days=manifest.task.lookback_days,
            with_steps=manifest.network.head != "mlp",
        )
        return probabilities(logits(self.network, inputs, self.device), manifest.calibration, manifest.task)

    def _check_golden(self) -> None:
        golden = self.manifest.golden
        got = self.predict(
            customers_from_rows(golden.customers, self.manifest.schema_, parse_time(golden.as_of))
        )
        worst = float(np.abs(got - np.asarray(golden.probabilities)).max())
        if not worst <= TOLERANCE:
            raise CheckpointError(
                f"golden customers must get their stored probabilities within {TOLERANCE}, however one differs "
                f"by {worst:.2g}; the checkpoint does not match this version of Propense: train again"
            )


def load_predictor(
    folder: Path, *, name: str | None = None, version: int | None = None, device: str = "cpu"
) -> Predictor:
    """Read, verify and rebuild the checkpoint in a folder.

    Raises:
        CheckpointError: anything about it is missing, damaged, foreign or not reproducible here.
        DeviceError: the device is not on this machine.
    """
    return Predictor.build(read_checkpoint(folder, name=name, version=version), device=device)


@torch.inference_mode()
def logits(network: Head, inputs: Inputs, device: torch.device) -> NDArray[np.float64]:
    """(N, K) float64 uncalibrated logits, computed in batches of a fixed size."""
    starts = range(0, len(inputs), BATCH_SIZE)
    rows = [torch.arange(start, min(start + BATCH_SIZE, len(inputs))) for start in starts]
    parts = [network(inputs.batch(part).to(device)).double().cpu().numpy() for part in rows]
    return np.concatenate(parts)


def calibrated(raw: NDArray[np.float64], calibration: Calibration) -> NDArray[np.float64]:
    """(N, K) logits after `slope * logit + intercept`."""
    return raw * np.asarray(calibration.slopes) + np.asarray(calibration.intercepts)


def probabilities(raw: NDArray[np.float64], calibration: Calibration, task: Task) -> Probabilities:
    """(N, K) probabilities of a positive outcome by each horizon."""
    absent = task.kind == "log" and task.outcome == "absent"
    return (no_event_by_horizon if absent else event_by_horizon)(calibrated(raw, calibration))
