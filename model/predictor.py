"""The predictor: a checkpoint's network, rebuilt and checked on its golden customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.errors import CheckpointError, DataError, SchemaError
from model.features.inputs import Inputs, Steps
from model.probability import Probabilities
from model.quick.row_encoder import RowEncoder
from model.reasons.explainer import Explainer, Explanation
from model.scorer import Scorer, build_scorer
from model.store.checkpoint import Checkpoint, read_checkpoint
from model.store.manifest import Manifest
from model.store.registry import Registry
from model.times import parse_time
from model.values.columns import Column
from model.values.customers import Customers, Examples
from model.values.history import EventLog
from model.values.rows import RequestRows, rows_from_json

TOLERANCE: Final = 1e-5  # of golden probabilities, between devices and kinds of CPU


@dataclass(frozen=True)
class Predictions:
    """Probabilities of N customers, with the inputs of the network.

    Attributes:
        probabilities: (N, K) float64, of a positive outcome by each horizon; the last is the longest.
        numeric: (N, D) float32, scaled; NaN missing.
        categories: (N, C) int64 codes; 0 missing, 1 unknown.
        steps: the sequences; None where the head reads none.
    """

    probabilities: Probabilities
    numeric: NDArray[np.float32]
    categories: NDArray[np.int64]
    steps: Steps | None = None

    @property
    def inputs(self) -> Inputs:
        """The inputs of the network."""
        return Inputs(self.numeric, self.categories, self.steps)

    def part(self, start: int, stop: int) -> "Predictions":
        """Select the customers start to stop."""
        return self.take(np.arange(start, stop))

    def take(self, rows: NDArray[np.int64]) -> "Predictions":
        """Select customers."""
        steps = self.steps and self.steps.take(rows)
        return Predictions(self.probabilities[rows], self.numeric[rows], self.categories[rows], steps)


@dataclass(frozen=True)
class Predictor:
    """A published model.

    Attributes:
        encoder: the fast encoder of request rows; None where the model has no numpy network or reads events.
        explainer: gives the reasons of predictions.
    """

    manifest: Manifest
    scorer: Scorer
    encoder: RowEncoder | None
    explainer: Explainer

    @classmethod
    def build(cls, checkpoint: Checkpoint, *, device: str = "cpu") -> Self:
        """Rebuild the network of a verified checkpoint and check its golden customers.

        Raises:
            CheckpointError: the weights do not fit, or the golden probabilities differ.
            DeviceError: the device is not on this machine.
        """
        manifest = checkpoint.manifest
        scorer = build_scorer(manifest, checkpoint.weights, device=device)
        quick = scorer.quick and manifest.schema_.events is None
        encoder = RowEncoder.build(manifest.schema_) if quick else None
        predictor = cls(manifest, scorer, encoder, Explainer.build(scorer, manifest.groups))
        predictor._check_golden()
        return predictor

    def predict_rows(self, rows: RequestRows) -> Predictions:
        """Predict the probabilities of request rows, as `predict` does."""
        if self.encoder and len(rows):
            return self._predict(self.encoder(rows))
        return self.predict(rows.customers(self.scorer.schema))

    def predict(self, customers: Customers) -> Predictions:
        """Predict the probabilities of customers, and return the inputs of the network too.

        Raises:
            SchemaError: a column or event field that the model reads is absent.
        """
        return self.predict_examples(customers.columns, customers.log, customers.examples())

    def predict_examples(
        self, columns: Mapping[str, Column], log: EventLog | None, examples: Examples
    ) -> Predictions:
        """Predict examples of these customers, as `predict` does."""
        return self._predict(self.scorer.inputs(columns, log, examples))

    def _predict(self, inputs: Inputs) -> Predictions:
        probabilities = self.scorer.probabilities(self.scorer.logits(inputs))
        return Predictions(probabilities, inputs.numeric, inputs.categories, inputs.steps)

    @property
    def n_reasons(self) -> int:
        """The reasons of a prediction: one for each group of inputs."""
        return len(self.explainer.groups)

    def explain(
        self,
        scored: Predictions,
        before: Predictions | None = None,
        *,
        most: int | None = None,
        horizon: int = -1,
    ) -> list[Explanation]:
        """Explain the predictions of N customers, each with its largest reasons first.

        Args:
            before: those of the same customers at an earlier date, to explain the change since then; None to
                compare with the typical customer.
            most: reasons of each; None for all.
            horizon: its position; the longest by default.
        """
        return self.explainer.explain(
            scored.inputs, None if before is None else before.inputs, most=most, horizon=horizon
        )

    def _check_golden(self) -> None:
        golden = self.manifest.golden
        try:
            schema = self.manifest.schema_
            as_of = parse_time(golden.as_of, zone=schema.time_zone)
            rows = rows_from_json(golden.customers, schema, as_of)
            got, wanted = self.predict_rows(rows).probabilities, np.asarray(golden.probabilities)
        except (DataError, SchemaError) as error:
            raise CheckpointError(f"the golden customers must be readable: {error}") from error
        worst = float(np.abs(got - wanted).max()) if got.shape == wanted.shape else np.inf
        if not worst <= TOLERANCE:
            raise CheckpointError(
                f"the golden customers must get their stored probabilities within {TOLERANCE}, got a "
                f"difference of {worst:.2g}. This machine or version computes otherwise: train again here."
            )


def load_predictor(
    folder: Path, *, name: str | None = None, version: int | None = None, device: str = "cpu"
) -> Predictor:
    """Read, verify and rebuild the checkpoint in a folder.

    Raises:
        CheckpointError: it is incomplete, damaged, foreign or not reproducible here.
        DeviceError: the device is not on this machine.
    """
    return Predictor.build(read_checkpoint(folder, name=name, version=version), device=device)


def load_version(
    registry: Registry, name: str, version: int | None = None, *, device: str = "cpu"
) -> Predictor:
    """Load a version of a model; the champion if `version` is None.

    Raises:
        CheckpointError: as `load_predictor` does, or there is no such version.
        DeviceError: the device is not on this machine.
    """
    number = registry.resolve(name, version)
    return load_predictor(registry.folder(name, number), name=name, version=number, device=device)
