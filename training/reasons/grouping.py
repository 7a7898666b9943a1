"""The groups of inputs that share a reason: the study's, then related units, at most ten in all."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform

from model.features.inputs import Inputs
from model.files.names import listed
from model.reasons.coalitions import Mixer
from model.reasons.groups import MAX_GROUPS, Input, InputNames, members
from model.reasons.reference import reference_inputs
from model.scorer import Scorer
from model.store.manifest import InputGroup
from training.prepare import Prepared

_GROUPED: Final = 4096  # examples by which inputs are related
_WEIGHED: Final = 512  # examples by which the effects of units are measured
_CODES: Final = 10  # of a category, the most frequent ones, that relate it to others
_APART: Final = 1e9  # the distance of units of two families


def groups_of_run(prepared: Prepared, scorer: Scorer) -> tuple[InputGroup, ...]:
    """Group the inputs of the published model, by its training examples."""
    train = prepared.plan.final.rows
    some = train[spread(len(train), _GROUPED)]
    inputs = scorer.inputs(prepared.dataset.columns, prepared.dataset.log, prepared.plan.examples.take(some))
    return group_inputs(scorer, prepared.study.reasons.groups, inputs)


def unread_names(scorer: Scorer, named: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence on the names of the study that the model does not read after all; or none."""
    read = InputNames.of(scorer.schema, with_steps=scorer.spec.reads_steps).names
    unread = [name for names in named.values() for name in names if name not in read]
    if not unread:
        return []
    return [
        f"reasons.groups names {listed(unread)}, which the model does not read: constant or rare in training."
    ]


def group_inputs(
    scorer: Scorer, named: Mapping[str, Sequence[str]], inputs: Inputs
) -> tuple[InputGroup, ...]:
    """Group the inputs of a model.

    Each unit is alone while there is room. Else units of a family are joined (complete linkage), first those
    that are most alike or matter least: the distance of two is 1 - correlation, times what both do to a
    logit. So a reason is not divided among columns that say the same, and what matters keeps its own.

    Args:
        named: by the study; what the schema lacks, for instance because it is constant, is left out.
        inputs: of training examples.
    """
    of_inputs = InputNames.of(scorer.schema, with_steps=scorer.spec.reads_steps)
    groups = {name: [one for one in names if one in of_inputs.names] for name, names in named.items()}
    groups = {name: names for name, names in groups.items() if names}
    taken = {name for names in groups.values() for name in names}
    left: dict[str, list[Input]] = {}
    for one in of_inputs.inputs:
        if one.unit in groups and one.unit not in taken:
            groups[one.unit].append(one.unit)
            taken.add(one.unit)
        if not taken & {one.name, one.unit}:
            left.setdefault(one.unit, []).append(one)
    joined = _joined(left, MAX_GROUPS - len(groups), scorer, inputs)
    own = [InputGroup(name=name, inputs=tuple(names)) for name, names in groups.items()]
    return (*own, *(InputGroup(name=_title(names), inputs=tuple(names)) for names in joined))


def _joined(
    units: Mapping[str, Sequence[Input]], room: int, scorer: Scorer, inputs: Inputs
) -> list[list[str]]:
    """The units, in at most as many lists as there is room."""
    names = list(units)
    if len(names) <= room:
        return [[name] for name in names]
    of_inputs = InputNames.of(scorer.schema, with_steps=scorer.spec.reads_steps)
    weight = _effects(names, of_inputs, scorer, inputs)
    distance = (1 - _related(names, of_inputs, inputs)) * (weight[:, None] + weight)
    family = np.array([units[name][0].family for name in names])
    distance[family[:, None] != family] = _APART
    np.fill_diagonal(distance, 0)
    cluster = cut_tree(linkage(squareform(distance, checks=False), "complete"), n_clusters=room)[:, 0]
    return [[names[at] for at in np.flatnonzero(cluster == one)] for one in range(room)]


def _effects(
    names: Sequence[str], of_inputs: InputNames, scorer: Scorer, inputs: Inputs
) -> NDArray[np.float64]:
    """(U,) how much the logit of an example changes on average if a unit is as usual."""
    of = members(of_inputs, [InputGroup(name=name, inputs=(name,)) for name in names])
    some = inputs.take(spread(len(inputs), _WEIGHED))
    base = reference_inputs(scorer.schema, with_steps=scorer.spec.reads_steps)
    without = np.vstack([np.ones(len(of), dtype=bool), ~np.eye(len(names), len(of), dtype=bool)])
    logits = Mixer.of(scorer).logits(some, base, of, without)[..., -1]
    effects: NDArray[np.float64] = np.abs(logits[:, 1:] - logits[:, :1]).mean(axis=0)
    return effects


def _related(names: Sequence[str], of_inputs: InputNames, inputs: Inputs) -> NDArray[np.float64]:
    """(U, U) the largest absolute correlation of an input of one unit with one of the other."""
    vectors: list[NDArray[np.float64]] = []
    owners: list[int] = []
    place = {name: at for at, name in enumerate(names)}
    for column, one in zip(inputs.numeric.T, of_inputs.numbers, strict=True):
        if one.unit in place:
            vectors.append(np.nan_to_num(column.astype(np.float64)))
            owners.append(place[one.unit])
    for column, one in zip(inputs.categories.T, of_inputs.codes, strict=True):
        codes, counts = np.unique(column, return_counts=True)
        for code in codes[np.argsort(-counts)][:_CODES] if one.unit in place else ():
            vectors.append((column == code).astype(np.float64))
            owners.append(place[one.unit])
    matrix = np.array(vectors)
    matrix -= matrix.mean(axis=1, keepdims=True)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    related = np.zeros((len(names), len(names)))
    of = np.array(owners)
    np.maximum.at(related, (of[:, None], of), np.abs(matrix @ matrix.T))
    return np.minimum(related, 1.0)


def _title(units: Sequence[str]) -> str:
    if len(units) <= 3:
        return ", ".join(units)
    return f"{', '.join(units[:2])} and {len(units) - 2} more"


def spread(n: int, most: int) -> NDArray[np.int64]:
    """Return at most so many of n positions, evenly spread."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)
