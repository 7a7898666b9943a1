"""Each second, faster form gives what its first form gives: the numpy network and the row encoder."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.features.encode import encode
from model.features.inputs import Inputs
from model.network.inference import weights_of
from model.network.network import Network, build_network
from model.network.trunk import average
from model.quick.numpy_network import NumpyNetwork
from model.quick.row_encoder import RowEncoder
from model.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    NumericColumn,
    Rates,
    Schema,
    TableColumn,
)
from model.store.manifest import NetworkSpec
from model.values.rows import rows_from_json
from tests.model.build import tiny_scaling
from tests.model.networks import AS_OF

# --- the network

SAME = 1e-5  # of logits in the tens: float32 adds in another order
CODES = 4
SPEC = NetworkSpec(head="mlp", width=8, layers=2, dropout=0.3, embedding=4, folds=3, members=2)


@dataclass(frozen=True)
class Made:
    """A schema of numbers with these edges, of categories, and a network for it."""

    schema: Schema
    spec: NetworkSpec
    network: Network

    @property
    def quick(self) -> NumpyNetwork:
        return NumpyNetwork.build(self.schema, self.spec, weights_of(self.network), n_outputs=2)


def network(
    edges: list[list[float]], n_categories: int, valued: list[int], *, seed: int, piecewise: bool = True
) -> Made:
    torch.manual_seed(seed)
    repeated = tuple(range(CODES - 1))
    numbers = [
        NumericColumn(name=f"n{n}", scaling=tiny_scaling(edges=one), values=repeated if n in valued else ())
        for n, one in enumerate(edges)
    ]
    vocabulary = ("a", "b")[: CODES - 2]
    categories = [CategoricalColumn(name=f"c{c}", vocabulary=vocabulary) for c in range(n_categories)]
    schema = Schema(id=None, columns=(*numbers, *categories))
    spec = SPEC.model_copy(update={"piecewise": piecewise})
    made = build_network(spec, schema, n_outputs=2).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return Made(schema, spec, made)


def both(made: Made, numbers: Any, codes: Any) -> tuple[Any, Any]:
    """Logits of the numpy network, and those of the network in float64."""
    exact = deepcopy(made.network).double()
    with torch.no_grad():
        tokens = exact.tokens(torch.from_numpy(numbers).double()[None], torch.from_numpy(codes)[None])
        wanted = average(exact.trunk(tokens.flatten(2)).flatten(0, 1))
    return made.quick.logits(Inputs(numbers, codes)), wanted.numpy()


ascending = st.lists(st.integers(-12, 12).map(lambda n: n / 4), max_size=6, unique=True).map(sorted)


@given(
    edges=st.lists(ascending, min_size=1, max_size=4),
    n_categories=st.integers(0, 3),
    n=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_the_logits_are_those_of_the_network(
    edges: list[list[float]], n_categories: int, n: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    valued = [0] if seed % 2 else []
    made = network(edges, n_categories, valued, seed=seed)
    points = [edge for one in edges for edge in one] or [0.0]  # values that are edges themselves
    numbers = np.where(
        draw.random((n, len(edges))) < 0.5,
        draw.choice(np.array(points), (n, len(edges))),
        draw.normal(0, 3, (n, len(edges))),
    ).astype(np.float32)
    numbers[draw.random(numbers.shape) < 0.2] = np.nan
    codes = draw.integers(0, CODES, (n, n_categories + len(valued)))
    got, wanted = both(made, numbers, codes)
    np.testing.assert_allclose(got, wanted, rtol=SAME, atol=SAME)


def test_codes_of_repeated_values_are_left_alone_where_they_are_not_read() -> None:
    made = network([[], []], 1, [0, 1], seed=4, piecewise=False)
    draw = np.random.default_rng(4)
    numbers, codes = draw.normal(size=(5, 2)).astype(np.float32), draw.integers(0, CODES, (5, 3))
    got, wanted = both(made, numbers, codes)
    np.testing.assert_allclose(got, wanted, atol=SAME)


def test_categories_alone_have_logits() -> None:
    made = network([], 3, [], seed=0)
    codes = np.random.default_rng(0).integers(0, CODES, (5, 3))
    got, wanted = both(made, np.empty((5, 0), np.float32), codes)
    np.testing.assert_allclose(got, wanted, atol=SAME)


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
def test_blocks_of_rows_are_joined(n: int) -> None:
    made = network([[-1.0, 0.0, 1.0], []], 1, [1], seed=1)
    draw = np.random.default_rng(n)
    numbers, codes = draw.normal(size=(n, 2)).astype(np.float32), draw.integers(0, CODES, (n, 2))
    got, wanted = both(made, numbers, codes)
    assert got.shape == (n, 2)
    np.testing.assert_allclose(got, wanted, atol=SAME)
    alone = [made.quick.logits(Inputs(numbers[i : i + 1], codes[i : i + 1]))[0] for i in range(min(n, 3))]
    np.testing.assert_allclose(got[: len(alone)], np.reshape(alone, (-1, 2)), atol=1e-6)


def test_far_numbers_and_narrow_bins_stay_finite() -> None:
    made = network([[-1.0, -1.0 + 1e-7, 0.0, 1e-30]], 0, [], seed=2)
    numbers = np.array([[700.0], [-700.0], [1e-30], [0.0], [-1.0]], np.float32)
    got, wanted = both(made, numbers, np.empty((5, 0), np.int64))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_members_that_are_certain_give_a_finite_logit() -> None:
    made = network([[0.0, 1.0]], 0, [], seed=3)
    with torch.no_grad():
        made.network.trunk.bias.fill_(1e4)
    got, _ = both(made, np.zeros((1, 1), np.float32), np.empty((1, 0), np.int64))
    assert np.isfinite(got).all()


# --- the encoder

SCHEMA = Schema(
    id="id",
    columns=(
        CategoricalColumn(name="plan", vocabulary=("basic", "größer", "3", "2.5", "true", "007")),
        NumericColumn(name="charge", scaling=tiny_scaling(), values=(-1.0, 0.0, 2.5, 1e15)),
        DateColumn(name="since", time_format="%d.%m.%Y", scaling=tiny_scaling(center=300.0, scale=99.0)),
        CategoricalColumn(
            name="city",
            vocabulary=("a", "1"),
            rates=Rates(log_odds=(-2.0, 0.5, 1.5, 9.0), scaling=tiny_scaling(center=0.0)),
        ),
        BooleanColumn(name="senior", scaling=tiny_scaling(low=0.0, high=1.0)),
        NumericColumn(name="bill", scaling=tiny_scaling(center=-4.0)),
    ),
)
ENCODER = RowEncoder.build(SCHEMA)
numbers = st.one_of(
    st.none(),
    st.sampled_from([-1, 0, -0.0, 2.5, 10**15, 1e15, 3.4e38]),
    st.floats(-1e38, 1e38),
    st.integers(-(10**20), 10**20),
)
categories = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        [
            "basic",
            " basic ",
            "größer",
            "3",
            "3.0",
            3,
            3.0,
            "2.5",
            2.5,
            "true",
            "True",
            "007",
            7,
            "7",
            "1",
            1,
            1.0,
            True,
            "",
            "None",
            "nan",
            "never seen",
            "\x00",
            -0.0,
            0,
            "0",
        ]
    ),
    st.text(max_size=3),
    st.integers(-(10**14), 10**14),
    st.floats(-1e14, 1e14),
)
dates = st.sampled_from(
    [None, "1990-02-28", "1997-03-01T10:00:00+02:00", "1997-12-31", "1998-01-01", "0001-01-01"]
)
rows = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "plan": categories,
            "city": categories,
            "charge": numbers,
            "bill": numbers,
            "since": dates,
            "senior": st.sampled_from([None, True, False, 0, 1]),
        },
    ),
    min_size=1,
    max_size=6,
)


def inputs_of(schema: Schema, sent: list[dict[str, Any]]) -> Inputs:
    """The inputs of the first form."""
    customers = rows_from_json(sent, schema, AS_OF).customers(schema)
    return encode(schema, customers.columns, None, customers.examples(), lookback_days=365, with_steps=False)


@given(rows)
def test_both_encoders_give_the_same_bits(sent: list[dict[str, Any]]) -> None:
    got, wanted = ENCODER(rows_from_json(sent, SCHEMA, AS_OF)), inputs_of(SCHEMA, sent)
    np.testing.assert_array_equal(got.numeric, wanted.numeric)
    np.testing.assert_array_equal(got.categories, wanted.categories)
    assert got.numeric.dtype == np.float32
    assert got.categories.dtype == np.int64


@pytest.mark.parametrize("column", SCHEMA.columns, ids=lambda column: column.name)
def test_a_single_column_is_encoded(column: TableColumn) -> None:
    schema = Schema(id=None, columns=(column,))
    got = RowEncoder.build(schema)(rows_from_json([{}, {}], schema, AS_OF))
    wanted = inputs_of(schema, [{}, {}])
    assert got.numeric.shape == wanted.numeric.shape
    assert got.categories.shape == wanted.categories.shape
