"""What a scored file says that the model cannot read is counted over blocks, told, and refused in bulk."""

import numpy as np
import pytest

from model.errors import DataError
from model.schema import BooleanColumn, CategoricalColumn, DateColumn, NumericColumn, Schema
from model.scoring.misread import Misread
from model.values.columns import Column, column_of
from tests.model.build import tiny_scaling

SCHEMA = Schema(
    id=None,
    columns=(
        NumericColumn(name="tenure", scaling=tiny_scaling()),
        BooleanColumn(name="senior", scaling=tiny_scaling()),
        DateColumn(name="since", time_format="%d.%m.%Y", scaling=tiny_scaling()),
        CategoricalColumn(name="plan", vocabulary=("basic", "plus")),
    ),
)


def columns(**changes: list[object]) -> dict[str, Column]:
    clean: dict[str, list[object]] = {
        "tenure": [1, 2, None, 4],
        "senior": ["yes", "no", None, "yes"],
        "since": ["01.02.2020", "2020-02-03", None, "05.06.2020"],
        "plan": ["basic", "plus", None, "plus"],
    }
    return {name: column_of(values) for name, values in (clean | changes).items()}


def test_clean_rows_have_nothing_to_tell_and_iso_dates_are_clean() -> None:
    misread = Misread(SCHEMA)
    misread.add(columns())
    misread.add(columns(tenure=np.array([1.0, 2.0, 3.0, 4.0]).tolist()))
    assert misread.notes() == ()


def test_values_that_say_nothing_are_counted_over_the_blocks() -> None:
    misread = Misread(SCHEMA)
    misread.add(columns())
    misread.add(
        columns(
            tenure=["1", "abc", "3", None],
            senior=["perhaps", "no", "no", "no"],
            since=["31.02.2020", "01.02.2020", None, None],
            plan=["gold", "gold", "basic", None],
        )
    )
    assert misread.notes() == (
        "1 of 6 values of 'tenure' cannot be read as a number, such as 'abc'; read as missing.",
        "1 of 7 values of 'senior' cannot be read as yes or no, such as 'perhaps'; read as missing.",
        "1 of 5 values of 'since' cannot be read as a date ('%d.%m.%Y' or ISO 8601), "
        "such as '31.02.2020'; read as missing.",
        "2 of 6 values of 'plan' are no category that training knew, such as 'gold'; read as unknown.",
    )


def test_a_column_that_is_mostly_unreadable_is_refused() -> None:
    misread = Misread(SCHEMA)
    misread.add(columns(tenure=["1,5", "2,5", "3", None]))
    with pytest.raises(DataError) as caught:
        misread.notes()
    assert str(caught.value) == (
        "a column must hold what it held in training, got 2 of 3 values of 'tenure' that cannot be read as "
        "a number, such as '1,5'. Write them as in training (numbers with a decimal point)."
    )


def test_a_column_that_is_blank_in_the_whole_file_is_told() -> None:
    misread = Misread(SCHEMA)
    misread.add(columns(tenure=[None] * 4, plan=[None] * 4))
    assert misread.notes() == (
        "missing more often than in training: 'tenure' in 4 of 4 rows (training: 0%); 'plan' in 4 of 4 rows "
        "(training: 0%).",
    )


def test_what_is_missing_as_in_training_is_nothing_to_tell() -> None:
    usual = SCHEMA.model_copy(update={"columns": (SCHEMA.columns[0].model_copy(update={"missing": 0.5}),)})
    for n_missing, n_notes in ((30, 0), (50, 0), (70, 1), (100, 1)):
        misread = Misread(usual)
        misread.add({"tenure": np.array([np.nan] * n_missing + [1.0] * (100 - n_missing))})
        assert len(misread.notes()) == n_notes
