"""Each value of a label column is positive, negative or excluded, or the study must say which."""

import re

import numpy as np
import pytest

from model.errors import DataError
from model.task import ColumnTask
from model.values.columns import column_of
from training.question.label_column import LabelColumn, read_label


def read(values: list[object], positive: object, negative: object = ()) -> LabelColumn:
    task = ColumnTask.model_validate({"column": "y", "positive": positive, "negative": negative})
    return read_label({"y": column_of(values)}, task)


@pytest.mark.parametrize(
    ("positive", "negative", "values", "signs"),
    [
        ("Yes", (), ["Yes", "no", "No"], "+--"),
        ("yes", (), ["Yes ", "no", "YES", "yes."], "+-++"),
        ("YES", (), ["Yes", "no"], "+-"),
        ("Yes", (), ["Yes", "No", "Y", "n", "1", "false"], "+-+-+-"),
        ("resilié", (), ["Résilié", "RESILIE", "actif", "Actif"], "++--"),
        ("on hold", (), ["On_Hold", "on-hold", "active"], "++-"),
        ("1", (), [1.0, 0.0, 1.0], "+-+"),
        ("1.0", (), [1.0, 0.0], "+-"),
        ("1", (), ["1", "1.0", "0"], "++-"),
        ("true", (), [True, False, None], "+-0"),
        ("2", (), ["2", "1", "?"], "+-0"),
        ("Yes", (), ["Yes", "No", "", "Unknown", "--", "n.a."], "+-0000"),
        (("left", "lost"), (), ["left", "Lost", "here"], "++-"),
        ("left", "here", ["left", "here", "new", "?"], "+-00"),
        ("left", ("here", "new", "?"), ["left", "here", "new", "?", None], "+---0"),
        (">50K", (), [">50K.", "<=50K", ">50K"], "+-+"),
        ("a", "A", ["a", "A", "a"], "+-+"),
    ],
)
def test_the_side_of_each_value(positive: object, negative: object, values: list[object], signs: str) -> None:
    label = read(values, positive, negative)
    found = np.where(label.labelled, np.where(label.positive, "+", "-"), "0")
    assert "".join(found.tolist()) == signs


def test_every_value_is_listed_with_its_rows() -> None:
    label = read(["Yes", "yes", "yes", "No", None, "?"], ["Yes", "Left"])
    assert [(v.value, v.count, v.counts_as) for v in label.values] == [
        ("yes", 2, "positive"),
        ("Yes", 1, "positive"),
        ("Left", 0, "positive"),
        ("No", 1, "negative"),
        ("?", 1, "excluded"),
        (None, 1, "excluded"),
    ]
    assert label.notes == ("left out 2 rows whose 'y' counts as no answer: '?' (1), blank (1).",)
    assert read(["Yes", "No"], "Yes").notes == ()


@pytest.mark.parametrize(
    ("positive", "negative", "values", "text"),
    [
        (
            "left",
            (),
            ["Yes", "No"],
            "target.positive must be a value of 'y', got 'left'. The values are 'Yes' (1)",
        ),
        (
            "1",
            "2",
            ["1", "0"],
            "target.negative must be a value of 'y', got '2'. The values are '1' (1), '0' (1).",
        ),
        (
            "Yes",
            (),
            ["Yes", None, "?"],
            "the label 'y' must have both outcomes, got only 'Yes' (1), '?' (1);",
        ),
        (
            "Yes",
            (),
            ["Yes", "No", "No", "Maybe"],
            "got several beside target.positive: 'No' (2), 'Maybe' (1). Write which of them are negative, "
            'such as target.negative: ["No"]',
        ),
        ("1", (), ["1", "0", "-1"], "got several beside target.positive: '0' (1), '-1' (1)."),
    ],
)
def test_what_the_study_does_not_say_is_refused_with_the_values(
    positive: object, negative: object, values: list[object], text: str
) -> None:
    with pytest.raises(DataError, match=re.escape(text)):
        read(values, positive, negative)
