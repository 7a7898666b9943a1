"""What drives a model: how much worse it predicts the test without each group of inputs."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.probability import Probabilities
from model.reasons.explainer import Explainer
from model.reasons.groups import Members
from model.scorer import Scorer
from model.store.manifest import InputGroup
from training.measure.bootstrap import resample_counts
from training.prepare import Prepared
from training.reasons.effects import partial_effects
from training.reasons.grouping import spread
from training.reasons.sequence import sequence_effects

MOST: Final = 2000  # test examples
MOST_SEQUENCES: Final = 500  # of a head that reads them
EXPLAINED: Final = 200  # of the examples
SHUFFLES: Final = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Driver:
    """What a group of inputs does for a model.

    Attributes:
        loss: by how much the log loss rises where the group's values are those of another test example.
        low, high: its 95 % interval, by a bootstrap over customers.
        mean_share: the mean size of its share in a logit, against the typical customer.
    """

    group: str
    loss: float
    low: float
    high: float
    mean_share: float


def drivers_of_run(prepared: Prepared, scorer: Scorer, groups: tuple[InputGroup, ...]) -> dict[str, Any]:
    """Return the `Driver`s of the measured model, the largest first, and its effects, as plain values.

    `effects` are `effects.Effect`s of single inputs, `sequence` are `sequence.Part`s of the events that a
    head reads. They are of test customers whom the model never read, where there are any.
    """
    plan = prepared.plan
    unseen, everyone = (rows[plan.labels.complete[rows, -1]] for rows in (plan.unseen, plan.test))
    rows = unseen if len(unseen) else everyone
    most = MOST_SEQUENCES if scorer.spec.reads_steps else MOST
    rows = rows[spread(len(rows), most)]
    own = scorer.inputs(prepared.dataset.columns, prepared.dataset.log, plan.examples.take(rows))
    happened = plan.labels.outcomes[rows, -1]
    explainer = Explainer.build(scorer, groups)
    some = own.take(spread(len(own), EXPLAINED))
    loss, low, high = importance(scorer, explainer.groups, own, happened, plan.groups[rows])
    shares = np.abs(explainer.shares(some).groups).mean(axis=0)
    figures = zip(explainer.groups.names, loss, low, high, shares, strict=True)
    found = [Driver(name, *(round(float(number), 6) for number in numbers)) for name, *numbers in figures]
    found.sort(key=lambda one: -one.loss)
    return {
        "examples": len(rows),
        "groups": [asdict(one) for one in found],
        "effects": [asdict(one) for one in partial_effects(explainer, some)],
        "sequence": [asdict(one) for one in sequence_effects(scorer, some)],
    }


def importance(
    scorer: Scorer, of: Members, own: Inputs, happened: NDArray[np.bool_], customers: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    """(G,) the rise of the log loss without each group, and the ends of its interval (Fisher et al. 2019)."""
    draw, n = np.random.default_rng(0), len(own)
    before = _losses(scorer.probabilities(scorer.logits(own)), happened)
    rises = np.zeros((n, len(of)))
    for _ in range(SHUFFLES):
        other = own.take(draw.permutation(n))
        for group in range(len(of)):
            exchanged = scorer.probabilities(scorer.logits(_exchanged(own, other, of, group)))
            rises[:, group] += _losses(exchanged, happened) - before
    rises /= SHUFFLES
    resampled = [c @ rises / c.sum(axis=1, keepdims=True) for c in resample_counts(customers, seed=0)]
    low, high = np.percentile(np.concatenate(resampled), [2.5, 97.5], axis=0)
    return rises.mean(axis=0), low, high


def _exchanged(own: Inputs, other: Inputs, of: Members, group: int) -> Inputs:
    """The inputs with those of one group from others."""
    return Inputs(
        np.where(of.numbers == group, other.numeric, own.numeric),
        np.where(of.codes == group, other.categories, own.categories),
        other.steps if of.steps == group else own.steps,
    )


def _losses(probabilities: Probabilities, happened: NDArray[np.bool_]) -> Floats:
    p = probabilities[:, -1].clip(1e-12, 1 - 1e-12)
    losses: Floats = -np.log(np.where(happened, p, 1 - p))
    return losses
