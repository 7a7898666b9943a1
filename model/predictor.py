"""A checkpoint brought back to life: rebuilt from an allow-list, proven on its golden customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from torch import Tensor

from model.checkpoint import Checkpoint, read_checkpoint
from model.customers import Customers
from model.device import choose_device
from model.errors import CheckpointError, DataError, SchemaError
from model.hazard import Probabilities
from model.manifest import Calibration, Manifest, NetworkSpec
from model.network import build_network
from model.rows import customers_from_rows
from model.schema import Schema
from model.scorer import Scorer
from model.task import Task
from model.times import parse_time

TOLERANCE: Final = 1e-5  # golden probabilities may differ by this much between devices and CPU kinds


@dataclass(frozen=True)
class Predictor:
    """A published model, ready to answer.

    Attributes:
        manifest: what the model is, reads and was measured at.
    """

    manifest: Manifest
    scorer: Scorer

    @classmethod
    def build(cls, checkpoint: Checkpoint, *, device: str = "cpu") -> Self:
        """Rebuild the network of a verified checkpoint and check its golden customers.

        Raises:
            CheckpointError: the weights do not fit the description, or the golden answers differ.
            DeviceError: the device is not on this machine.
        """
        manifest = checkpoint.manifest
        scorer = rebuild(
            manifest.task,
            manifest.schema_,
            manifest.network,
            manifest.calibration,
            checkpoint.weights,
            device=device,
        )
        predictor = cls(manifest, scorer)
        predictor._check_golden()
        return predictor

    def predict(self, customers: Customers) -> Probabilities:
        """(N, K) float64 probability of a positive outcome by each horizon; the last is the longest.

        Raises:
            SchemaError: a column or event field that the model reads is absent.
        """
        return self.scorer.score(customers.columns, customers.log, customers.examples())

    def _check_golden(self) -> None:
        golden = self.manifest.golden
        try:
            schema = self.manifest.schema_
            as_of = parse_time(golden.as_of, zone=schema.time_zone)
            asked = customers_from_rows(golden.customers, schema, as_of)
            got, wanted = self.predict(asked), np.asarray(golden.probabilities)
        except (DataError, SchemaError) as fault:
            raise CheckpointError(f"golden customers must be readable here, however {fault}") from fault
        worst = float(np.abs(got - wanted).max()) if got.shape == wanted.shape else np.inf
        if not worst <= TOLERANCE:
            raise CheckpointError(
                f"golden customers must get their stored probabilities within {TOLERANCE}, however one "
                f"differs by {worst:.2g}; this machine or version computes otherwise: train again here"
            )


def rebuild(
    task: Task,
    schema: Schema,
    spec: NetworkSpec,
    calibration: Calibration,
    weights: Mapping[str, Tensor],
    *,
    device: str = "cpu",
) -> Scorer:
    """A scorer from its description and the tensors of its network.

    Raises:
        CheckpointError: the weights do not fit the description.
        DeviceError: the device is not on this machine.
    """
    chosen = choose_device(device)
    network = build_network(spec, schema, n_outputs=task.n_outputs)
    try:
        network.load_state_dict(weights)
    except RuntimeError as fault:
        raise CheckpointError(f"the weights must fit the network of the manifest: {fault}") from fault
    return Scorer(task, schema, spec, network.to(chosen).eval(), calibration, chosen)


def load_predictor(
    folder: Path, *, name: str | None = None, version: int | None = None, device: str = "cpu"
) -> Predictor:
    """Read, verify and rebuild the checkpoint in a folder.

    Raises:
        CheckpointError: anything about it is missing, damaged, foreign or not reproducible here.
        DeviceError: the device is not on this machine.
    """
    return Predictor.build(read_checkpoint(folder, name=name, version=version), device=device)
