"""Champions with random weights, for tests of the customers that they were trained on."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from model.network.inference import weights_of
from model.network.network import build_network
from model.probability import Calibration
from model.scorer import build_scorer
from model.store.manifest import ModelDescription, NetworkSpec
from training.prepare import Prepared
from training.publish.measured import MeasuredModel
from training.schema.fit_schema import fit_schema

SPEC = NetworkSpec(
    head="mlp", width=8, layers=1, dropout=0.0, embedding=2, folds=2, members=2, piecewise=True
)


def champion_of(prepared: Prepared, *, version: int = 1) -> MeasuredModel:
    """The measured model of a version of these data, with random weights."""
    task, data, plan = prepared.task, prepared.dataset, prepared.plan
    schema = fit_schema(
        prepared.fields,
        data.columns,
        data.log,
        plan.examples.take(plan.measured.rows),
        lookback_days=task.lookback_days,
    )
    K = task.n_outputs
    calibration = Calibration(slopes=(1.0,) * K, intercepts=(0.0,) * K)
    model = ModelDescription(task=task, schema_=schema, network=SPEC, calibration=calibration)
    scorer = build_scorer(model, weights_of(build_network(SPEC, schema, n_outputs=K)))
    return MeasuredModel(version, scorer, plan.held_out, prepared.as_of)


def training_customers(prepared: Prepared) -> NDArray[np.int64]:
    """The training customers of a measured fit of these data, as positions in the data."""
    return np.unique(prepared.plan.examples.customers[prepared.plan.measured.rows])


def ids(prepared: Prepared, customers: Iterable[int]) -> set[str]:
    """The ids of these customers."""
    return {prepared.dataset.ids[customer] for customer in customers}
