"""A request's rows become the same bits by the row encoder and by `encode`."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.features.encode import encode
from model.quick.row_encoder import RowEncoder
from model.schema import BooleanColumn, CategoricalColumn, DateColumn, NumericColumn, Rates, Schema
from model.values.rows import rows_from_json
from tests.model.build import tiny_scaling
from tests.model.networks import AS_OF

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


@settings(max_examples=300, deadline=None)
@given(rows)
def test_both_encoders_give_the_same_bits(sent: list[dict[str, Any]]) -> None:
    read = rows_from_json(sent, SCHEMA, AS_OF)
    numeric, codes = RowEncoder.build(SCHEMA)(read)
    customers = read.customers(SCHEMA)
    wanted = encode(
        SCHEMA, customers.columns, None, customers.examples(), lookback_days=365, with_steps=False
    )
    np.testing.assert_array_equal(numeric, wanted.numeric.numpy())
    np.testing.assert_array_equal(codes, wanted.categories.numpy())
    assert numeric.dtype == np.float32
    assert codes.dtype == np.int64


def test_columns_of_one_kind_alone_are_encoded() -> None:
    for column in SCHEMA.columns:
        schema = Schema(id=None, columns=(column,))
        numeric, codes = RowEncoder.build(schema)(rows_from_json([{}, {}], schema, AS_OF))
        assert len(numeric) == len(codes) == 2
        wanted = encode(
            schema,
            (customers := rows_from_json([{}, {}], schema, AS_OF).customers(schema)).columns,
            None,
            customers.examples(),
            lookback_days=1,
            with_steps=False,
        )
        assert numeric.shape == wanted.numeric.shape
        assert codes.shape == wanted.categories.shape
