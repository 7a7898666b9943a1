"""A schema keeps its order, survives JSON unchanged, and refuses what cannot be scaled."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from model.schema import (
    CategoricalColumn,
    EventCategory,
    EventSchema,
    EventValue,
    NumericColumn,
    Rates,
    Scaling,
    Schema,
    Series,
)
from tests.model.build import tiny_scaling
from tests.model.networks import LOG, SCHEMAS, SERIES, TABLE


def event_schema(**changes: Any) -> EventSchema:
    plain: dict[str, Any] = {
        "id": "customer",
        "time": "date",
        "time_format": None,
        "type": EventCategory(name="kind", vocabulary=("buy",)),
        "values": (EventValue(name="amount", scaling=tiny_scaling()),),
        "attributes": (EventCategory(name="shop", vocabulary=()), EventCategory(name="brand", vocabulary=())),
        "features": (),
        "max_events": 8,
    }
    return EventSchema(**{**plain, **changes})


def test_columns_keep_their_order_within_numbers_and_categories() -> None:
    assert TABLE.column_names == ("Total Charges", "plan", "senior", "since")
    assert [c.name for c in TABLE.numeric] == ["Total Charges", "senior", "since"]
    assert [c.name for c in TABLE.categorical] == ["plan"]


def test_the_columns_of_a_series_are_numbers_too() -> None:
    assert [c.name for c in SERIES.numeric] == ["bill_1", "bill_2", "bill_3", "data_1", "data_2"]


def test_columns_of_repeated_numbers_are_told_with_their_place_among_the_numbers() -> None:
    assert [(n, c.name) for n, c in LOG.valued] == [(0, "tenure")]
    assert SERIES.valued == ()
    columns = (*SERIES.columns[:3], *LOG.columns, *TABLE.columns[2:])
    schema = Schema(id=None, columns=columns)
    assert [(n, c.name) for n, c in schema.valued] == [(2, "tenure")]
    assert schema.numeric[2].name == "tenure"


def test_the_type_comes_before_the_attributes() -> None:
    assert [c.name for c in event_schema().categories] == ["kind", "shop", "brand"]
    assert [c.name for c in event_schema(type=None).categories] == ["shop", "brand"]
    assert event_schema(type=None, attributes=()).categories == ()


def test_a_zone_that_this_machine_does_not_know_is_refused() -> None:
    assert Schema(id=None, columns=()).time_zone == "UTC"
    assert Schema(id=None, columns=(), time_zone="Europe/Berlin").time_zone == "Europe/Berlin"
    for name in ("Europe/Berln", "localtime", "../zone", ""):
        with pytest.raises(ValidationError) as error:
            Schema(id=None, columns=(), time_zone=name)
        assert f"time_zone must be known on this machine, got {name!r}. Run `pip install -U tzdata`." in str(
            error.value
        )


@pytest.mark.parametrize("columns", [("bill_1", "plan"), ("bill_1", "absent")])
def test_a_series_is_made_of_numeric_columns(columns: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as error:
        Schema(
            id=None,
            columns=(
                NumericColumn(name="bill_1", scaling=tiny_scaling()),
                CategoricalColumn(name="plan", vocabulary=()),
            ),
            series=(Series(name="bill", columns=columns, scaling=tiny_scaling()),),
        )
    assert f"the series bill must have numeric columns only, got ['{columns[1]}']" in str(error.value)


def test_a_series_has_a_column() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Series(name="bill", columns=(), scaling=tiny_scaling())


@pytest.mark.parametrize(
    "changes",
    [{"scale": 0.0}, {"scale": -1.0}, {"deviation": 0.0}, {"center": math.nan}, {"high": math.inf}, {"x": 1}],
)
def test_a_scaling_is_finite_and_positive(changes: dict[str, float]) -> None:
    with pytest.raises(ValidationError) as error:
        tiny_scaling(**changes)
    assert error.value.error_count() == 1


@pytest.mark.parametrize("n_rates", [0, 2, 3, 5])
def test_a_rate_is_told_for_every_code(n_rates: int) -> None:
    rates = Rates(log_odds=(0.0,) * n_rates, scaling=tiny_scaling())
    with pytest.raises(ValidationError) as error:
        CategoricalColumn(name="plan", vocabulary=("a", "b"), rates=rates)
    assert "plan must have a rate for each of its 4 codes" in str(error.value)


def test_rates_are_those_of_the_columns_that_have_some_in_order() -> None:
    first, second = (Rates(log_odds=(x, 0.0), scaling=tiny_scaling()) for x in (1.0, 2.0))
    columns = [
        CategoricalColumn(name=name, vocabulary=(), rates=rates)
        for name, rates in (("a", second), ("b", None), ("c", first))
    ]
    assert Schema(id=None, columns=(*TABLE.numeric, *columns)).rated == (second, first)
    assert SERIES.rated == ()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_repeated_numbers_and_rates_are_finite(value: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        NumericColumn(name="rate", scaling=tiny_scaling(), values=(1.0, value))
    with pytest.raises(ValidationError, match="finite number"):
        Rates(log_odds=(1.0, value), scaling=tiny_scaling())


def test_a_history_holds_an_event_at_least() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        event_schema(max_events=0)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_comes_back_from_json_as_what_it_was(kind: str) -> None:
    assert Schema.model_validate_json(SCHEMAS[kind].model_dump_json(), strict=True) == SCHEMAS[kind]


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, st.lists(finite, max_size=4))
def test_the_numbers_of_a_scaling_come_back_to_the_last_bit(number: float, edges: list[float]) -> None:
    scaling = tiny_scaling(center=number, edges=tuple(edges))
    back = Scaling.model_validate_json(scaling.model_dump_json())
    assert back.center.hex() == number.hex()
    assert [e.hex() for e in back.edges] == [e.hex() for e in edges]


@given(st.lists(finite, max_size=4, unique=True).map(sorted))
def test_repeated_numbers_come_back_to_the_last_bit(numbers: list[float]) -> None:
    column = NumericColumn(name="rate", scaling=tiny_scaling(), values=tuple(numbers))
    back = NumericColumn.model_validate_json(column.model_dump_json())
    assert [v.hex() for v in back.values] == [v.hex() for v in numbers]


@pytest.mark.parametrize("values", [(2.0, 1.0), (1.0, 1.0)])
def test_repeated_numbers_must_ascend(values: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="values must ascend"):
        NumericColumn(name="rate", scaling=tiny_scaling(), values=values)


def test_a_column_of_an_unknown_kind_is_refused() -> None:
    fields = LOG.model_dump()
    fields["columns"] = [{"kind": "image", "name": "photo"}]
    with pytest.raises(ValidationError, match="'numeric', 'boolean', 'date', 'categorical'"):
        Schema.model_validate(fields)
