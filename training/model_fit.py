"""One fit from examples to a calibrated network: schema, inputs, loop, calibration."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from model.columns import Column
from model.customers import Examples
from model.device import choose_device
from model.encode import encode
from model.hazard import Probabilities
from model.history import EventLog
from model.manifest import Calibration, NetworkSpec
from model.network import Head, build_network
from model.predictor import logits, probabilities
from model.schema import Schema
from model.task import Task
from training.calibrate import fit_calibration
from training.fit_schema import EventFields, TableFields, fit_schema
from training.labels import Labels
from training.loop import Epoch, OnEpoch, Targets, fit
from training.plan import Slices


@dataclass(frozen=True)
class Data:
    """What every example is about: raw columns, one value a customer, and the log."""

    columns: Mapping[str, Column]
    log: EventLog | None


@dataclass(frozen=True)
class Fitted:
    """A network that gives calibrated probabilities, and how it came about."""

    task: Task
    schema: Schema
    spec: NetworkSpec
    network: Head
    device: torch.device
    calibration: Calibration
    history: tuple[Epoch, ...]
    seconds: float

    def predict(self, data: Data, examples: Examples) -> Probabilities:
        """(N, K) probability of a positive outcome by each horizon."""
        inputs = encode(
            self.schema,
            data.columns,
            data.log,
            examples,
            lookback_days=self.task.lookback_days,
            with_steps=self.spec.head != "mlp",
        )
        return probabilities(logits(self.network, inputs, self.device), self.calibration, self.task)


def fit_model(
    data: Data,
    examples: Examples,
    labels: Labels,
    slices: Slices,
    *,
    task: Task,
    table: TableFields,
    events: EventFields | None,
    spec: NetworkSpec,
    device: str,
    epochs: int,
    patience: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    on_epoch: OnEpoch,
) -> Fitted:
    """Fit on the train slice, stop on the validation slice, calibrate on the calibration slice.

    The caller's random state is left as it was.
    """
    started = time.perf_counter()
    chosen = choose_device(device)
    rows = np.concatenate([slices.train, slices.validation, slices.calibration])
    schema = fit_schema(
        table, events, data.columns, data.log, examples.take(slices.train), lookback_days=task.lookback_days
    )
    inputs = encode(
        schema,
        data.columns,
        data.log,
        examples.take(rows),
        lookback_days=task.lookback_days,
        with_steps=spec.head != "mlp",
    )
    wanted = labels.take(rows)
    first, second = len(slices.train), len(slices.train) + len(slices.validation)
    positions = torch.arange(len(rows))
    with torch.random.fork_rng(devices=[chosen] if chosen.type == "cuda" else []):
        torch.manual_seed(seed)
        network = build_network(spec, schema, n_outputs=task.n_outputs).to(chosen)
        history = fit(
            network,
            inputs,
            Targets(torch.from_numpy(wanted.events).float(), torch.from_numpy(wanted.at_risk).float()),
            train=positions[:first],
            validation=positions[first:second],
            device=chosen,
            epochs=epochs,
            patience=patience,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            seed=seed,
            on_epoch=on_epoch,
        )
    network.eval()
    raw = logits(network, inputs, chosen)[second:]
    calibration = fit_calibration(raw, wanted.events[second:], wanted.at_risk[second:])
    return Fitted(
        task, schema, spec, network, chosen, calibration, tuple(history), time.perf_counter() - started
    )
