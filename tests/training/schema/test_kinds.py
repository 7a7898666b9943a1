"""The kind of each column, rule by rule."""

from collections.abc import Sequence

import numpy as np
import pytest

from model.errors import DataError
from model.files.dates import date_formats
from model.files.table import RawTable
from model.times import MISSING_TIME
from model.values.columns import Column, as_booleans, as_dates, as_numbers, column_of
from model.values.numbers import plain_numbers
from training.schema.kinds import Kinds, infer_kinds

ROWS = 100


def table(**columns: Sequence[object]) -> RawTable:
    read: dict[str, Column] = {name: column_of(values) for name, values in columns.items()}
    return RawTable(read, len(next(iter(read.values()))), ())


def infer(values: Sequence[object], name: str = "x") -> Kinds:
    read = table(**{name: values})
    return infer_kinds(read, dates=date_formats(read.columns))


def kind(values: Sequence[object], name: str = "x") -> str:
    """The kind of one column, or why it is left out."""
    kinds = infer(values, name)
    assert set(kinds.kinds) | set(kinds.left_out) == {name}
    assert not set(kinds.kinds) & set(kinds.left_out)
    return kinds.kinds[name] if name in kinds.kinds else kinds.left_out[name]


def spread(n: int, distinct: int) -> list[float]:
    """Numbers in no order, with a fraction, so that they are no id."""
    return [(i * 7919 % distinct) + 0.5 for i in range(n)]


@pytest.mark.parametrize("values", [[None, None], ["", "NA"], [float("nan")] * 2])
def test_nothing(values: list[object]) -> None:
    assert kind(values) == "every cell is missing"


@pytest.mark.parametrize(
    ("values", "value"), [([3, 3.0], "3"), (["x", " x"], "x"), (["Yes", "yes"], "Yes"), (["t", "true"], "t")]
)
def test_one_value(values: list[object], value: str) -> None:
    assert kind(values) == f"every row holds {value!r}"


@pytest.mark.parametrize("values", [[3, None, 3], ["x", "", "x"], ["yes", None, "YES"]])
def test_one_value_or_none_is_a_category(values: list[object]) -> None:
    assert kind(values) == "categorical"


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, None],
        ["true", "False"],
        ["YES", "no", "No", ""],
        ["t", "F"],
        ["y", "n"],
        [True, False],
        ["1", "no"],
    ],
)
def test_boolean(values: list[object]) -> None:
    assert kind(values) == "boolean"
    assert set(as_booleans(column_of(values))) >= {0.0, 1.0}


@pytest.mark.parametrize(
    "values", [[1, 2], [0, 1, 2], [-1, 1], [0.5, 1], list(range(1, 11)) * 10, spread(ROWS, 90)]
)
def test_numbers_and_whole_number_codes(values: list[object]) -> None:
    assert kind(values) == "numeric"


@pytest.mark.parametrize(
    "name", ["id", "customer_id", "customerId", "CustomerID", "Invoice No", "row.number", "id_x"]
)
def test_a_number_whose_name_says_id(name: str) -> None:
    ids = [n * 7919 % 100_003 for n in range(ROWS)]
    assert kind(ids, name) == "it is an id: 100 rows hold nearly as many whole numbers"
    assert kind(ids[:49], name) == "numeric"
    assert kind(ids[:50] * 2, name) == "numeric"
    assert kind([n + 0.5 for n in ids], name) == "numeric"


@pytest.mark.parametrize("name", ["paid", "Bruno", "monkey", "amount", "number of cds"])
def test_a_number_whose_name_does_not(name: str) -> None:
    assert kind([n * 7919 % 100_003 for n in range(ROWS)], name) == "numeric"


def test_row_numbers() -> None:
    assert kind([*range(5, 55), None]).startswith("it is an id: 50 rows")
    assert kind([*range(5, 54)]) == "numeric"
    assert kind([*range(0, 100, 2)]) == "numeric"


def test_texts_that_look_like_ids() -> None:
    names = [f"C{n:04}" for n in range(ROWS)]
    assert kind(names) == "it looks like an id: 100 distinct texts in 100 rows"
    assert kind([*names[:96], *["C0000"] * 4]) == "it looks like an id: 96 distinct texts in 100 rows"
    assert kind([*names[:95], *["C0000"] * 5]) == "categorical"
    assert kind(names[:49]) == "categorical"


def test_many_categories_are_categories() -> None:
    assert kind([f"{n % 5000:05}" for n in range(20_000)]) == "categorical"


def test_sentences() -> None:
    sentences = [f"customer {n} called about the bill" for n in range(60)]
    assert kind([*sentences, *[None] * 40]) == "it holds sentences: 60 distinct texts in 60 rows"
    assert kind([*sentences[:30], *sentences[:30]]) == "it holds sentences: 30 distinct texts in 60 rows"
    assert kind(sentences[:10] * 6) == "categorical"
    assert kind(sentences[:49]) == "categorical"


def test_codes_with_leading_zeros_are_categories() -> None:
    assert kind(["007", "12", "13"] * 40) == "categorical"
    assert kind(["0712", *["1012", "1013"] * 40]) == "categorical"
    assert kind(["00", *["12.5", "130"] * 40]) == "numeric"


def test_words_among_numbers_are_missing() -> None:
    values = [*map(str, spread(96, 50)), "unknown", "?", "?", "inf"]
    assert kind([*values, *[None] * 20]) == "numeric"
    assert np.isfinite(as_numbers(column_of(values))).sum() == 96
    assert kind([*values[:80], *["x"] * 20]) == "categorical"


def test_words_among_other_columns_of_numbers() -> None:
    assert kind(["0", "1"] * 48 + ["?"]) == "boolean"
    assert kind(["5"] * 96 + ["none given"]) == "categorical"
    assert kind([str(n) for n in range(96)] + ["?"], "row_id").startswith("it is an id")


@pytest.mark.parametrize(
    ("dates", "time_format"),
    [
        (["1997-03-01", "1998-11-30"], None),
        (["1997-03-01T10:00:00+02:00", "1998-11-30 08:00"], None),
        (["1997-3-1", "1998-11-30"], "%Y-%m-%d"),
        (["1997/03/01", "1998/11/30"], "%Y/%m/%d"),
        (["1.3.1997", "30.11.1998"], "%d.%m.%Y"),
        (["1-3-1997", "30-11-1998"], "%d-%m-%Y"),
        (["3/1/1997", "11/30/1998"], "%m/%d/%Y"),
        (["1/3/1997", "30/11/1998"], "%d/%m/%Y"),
        (["1/3/1997 8:26", "30/11/1998 10:00"], "%d/%m/%Y"),
        (["1997-03-01 10:00:00", "1998-11-30 10:00:01"], None),
        (["1.3.1997 10:00:00", "30.11.1998 10:00:01"], "%d.%m.%Y"),
        (["14-Apr-2025", "3 May, 2025"], "%d %b %Y"),
        (["Apr 14, 2025", "September 3rd, 2025 9:30 PM"], "%b %d %Y"),
        (["Mon, 14 Apr 2025 10:00:00 +0200", "Tue, 15 Apr 2025 10:00:00 GMT"], "%d %b %Y"),
        (["2025-04", "2025-05"], "%Y-%m"),
        (["May 2024", "June 2024"], "%b %Y"),
        (["04/14/2025 9:30 PM", "11/30/2025 12:00 AM"], "%m/%d/%Y"),
        (["2025-04-14 10:00:00 UTC", "2025-04-15 10:00:00.5 UTC"], None),
    ],
)
def test_dates(dates: list[str], time_format: str | None) -> None:
    kinds = infer([*dates * 30, None])
    assert kinds.kinds == {"x": "date"}
    assert kinds.date_formats == {"x": time_format}
    assert kinds.notes == ()
    assert MISSING_TIME not in as_dates(column_of(dates), time_format, "UTC")


def test_dates_that_are_all_different_are_no_ids() -> None:
    assert kind([f"{1900 + n}-01-01" for n in range(ROWS)]) == "date"


def test_day_or_month_first_is_noted() -> None:
    kinds = infer(["1/3/1997", "2/4/1997"])
    assert kinds.date_formats == {"x": "%m/%d/%Y"}
    assert kinds.notes == (
        "'x': dates that fit both %m/%d/%Y and %d/%m/%Y were read as %m/%d/%Y. If that is "
        'wrong, set data.customers.dates: {x: "%d/%m/%Y"}.',
    )


def test_the_format_that_reads_most_is_chosen() -> None:
    kinds = infer([f"{1 + n % 12}/{1 + n % 11}/1997" for n in range(132)] + ["1/13/1997"])
    assert kinds.date_formats == {"x": "%m/%d/%Y"}
    assert infer([f"{1 + n % 12}/{1 + n % 11}/1997" for n in range(132)] + ["13/1/1997"]).date_formats == {
        "x": "%d/%m/%Y"
    }


def test_a_few_texts_among_dates_are_missing() -> None:
    dates = [f"1997-01-{day:02}" for day in range(1, 32)]
    assert kind([*dates, "unknown", *dates]) == "date"
    assert kind([*dates, *"abcde"]) == "categorical"


@pytest.mark.parametrize(
    "texts", [["10-12", "12-14"], ["1997-13", "1997-14"], ["1.2.3", "1.2.4"], ["9/11", "now"]]
)
def test_what_only_resembles_a_date(texts: list[str]) -> None:
    assert kind(texts * 30) == "categorical"


@pytest.mark.parametrize(
    ("texts", "spelling", "number"),
    [
        (["0,5", "12,25"], ",", 0.5),
        (["$1,234.50", "-$5"], ".$", 1234.5),
        (["15%", "8 %"], ".%", 15.0),
        (["1.234,50 EUR", "7 EUR"], ",EUR", 1234.5),
        (["(1,234.50)", "5.00-"], ".", -1234.5),
        (["1\u202f234", "12"], ".", 1234.0),
        (["1\u00a0234,50 Ft", "12 Ft"], ",FT", 1234.5),
        (["Rs. 1,23,456", "Rs. 12"], ".RS", 123456.0),
        (["3.5k", "12k"], ".K", 3.5),
        (["5 years", "12 years"], ".YEARS", 5.0),
        (["1.5e3", "-", "2"], ".", 1500.0),
    ],
)
def test_numbers_as_people_write_them(texts: list[str], spelling: str, number: float) -> None:
    kinds = infer(texts * 30)
    assert kinds.kinds == {"x": "numeric"}
    assert kinds.spellings.get("x", ".") == spelling
    assert as_numbers(plain_numbers(column_of(texts[:1]), spelling)).tolist() == [number]
    assert kinds.notes == ()


def test_a_mark_of_thousands_or_of_decimals_is_a_guess() -> None:
    assert infer(["1,234", "5,678"]).notes == (
        "'x': read numbers such as '1,234' as 1234, a guess: the mark may be of thousands or of decimals.",
    )


def test_money_in_thousands_is_a_guess() -> None:
    (note,) = infer(["1.234 EUR", "5.678 EUR"]).notes
    assert "read numbers such as '1.234 EUR' as 1234, a guess" in note
    assert infer(["0,123", "5,678"]).spellings == {"x": ","}


def test_codes_of_a_letter_and_digits_are_no_numbers() -> None:
    assert kind(["C12", "C13"] * 30) == "categorical"
    assert kind(["12 GB", "13 MB"] * 30) == "categorical"


def test_a_mark_among_booleans() -> None:
    assert kind(["yes", "no", "?"] * 30) == "boolean"
    assert kind(["yes", "?"] * 30) == "categorical"


def test_currencies_are_not_mixed() -> None:
    assert (
        infer(["$5", "€6"] * 30)
        .left_out["x"]
        .startswith("it holds numbers of several units: '$' (30), '€' (30). Write them in one")
    )


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (
            ["<5", "7", "12", ">= 90", "8"],
            "'x': 40 of 100 cells are bounds such as '<5'; it was read as texts.",
        ),
        (
            ["05/24", "11/23", "01/25"],
            "'x': cells such as '05/24' may be months and years; it was read as texts.",
        ),
    ],
)
def test_what_is_nearly_a_number_or_a_date_is_noted(values: list[str], note: str) -> None:
    kinds = infer(values * (ROWS // len(values)))
    assert kinds.kinds == {"x": "categorical"}
    assert kinds.notes[0].startswith(note)


@pytest.mark.parametrize(
    "values",
    [["2022-Q1", "Q3 2023"], ["14. März 2025", "3 Dez 2024"], ["14 de abril de 2025", "1er août 2024"]],
)
def test_quarters_and_months_of_several_languages_are_dates(values: list[str]) -> None:
    assert kind(values * 30) == "date"


def test_texts_of_which_most_are_numbers_are_noted() -> None:
    assert infer(["1.5", "2.5", "3.5", "gold"] * 20).notes == (
        "'x': 60 of 80 cells are numbers; it was read as texts. If it is a number, set "
        "data.customers.numeric: [x].",
    )


@pytest.mark.parametrize("form", ["{}:30", "{}/{}", "2023-{:03}", "'{}", "{}-{}"])
def test_many_texts_that_begin_with_a_number_are_noted(form: str) -> None:
    (note,) = infer([form.format(n, n + 5) for n in range(100, 170)] * 2).notes
    assert note.startswith(
        f"'x': cells such as {form.format(100, 105)!r} begin with a number; it was read as 70"
    )


def test_few_texts_that_begin_with_a_number_are_categories() -> None:
    assert infer(["12-24", "25-40", "3 GB", "2 TB"] * 20).notes == ()


def test_what_is_no_number_in_a_spelling_stays_none() -> None:
    texts = column_of(["0.15", "007", "?", "15%"])
    assert np.isnan(as_numbers(plain_numbers(texts, ".%"))).tolist() == [True, True, True, False]


def test_what_the_study_says_wins() -> None:
    kinds = infer_kinds(
        table(
            code=[1, 2, 3],
            flag=[0, 1, 1],
            same=[1, 1, 1],
            zip=["007", "008", "x"],
            row_id=[1, 2, 3],
            gone=[None] * 3,
            word=["a", "b", "a"],
        ),
        categorical=["code", "same", "gone"],
        numeric=["flag", "zip", "row_id"],
        dates={},
        skip=["word", "no such column"],
    )
    assert kinds.kinds == {
        "code": "categorical",
        "flag": "numeric",
        "same": "categorical",
        "zip": "numeric",
        "row_id": "numeric",
    }
    assert kinds.left_out == {"gone": "every cell is missing"}
    assert kinds.notes == ()


def test_a_study_that_names_no_such_column() -> None:
    with pytest.raises(DataError) as error:
        infer_kinds(table(postcode=["a"], plan=["b"]), categorical=["post_code"], dates={})
    assert str(error.value) == (
        "the customer table has no column 'post_code'; did you mean 'postcode'? "
        "its columns are 'postcode', 'plan'"
    )


def test_a_study_that_contradicts_itself() -> None:
    with pytest.raises(DataError) as error:
        infer_kinds(table(a=[1], b=[2]), categorical=["a"], numeric=["b", "a"], dates={})
    assert str(error.value) == "a column must have one kind, got ['a'] under both categorical and numeric."


def test_a_thousand_columns_keep_their_order() -> None:
    columns: dict[str, Sequence[object]] = {
        f"c{n}": spread(50, 40) if n % 2 else ["a", "b"] * 25 for n in range(1000)
    }
    kinds = infer_kinds(table(**columns), dates={})
    assert list(kinds.kinds) == list(columns)
    assert set(kinds.kinds.values()) == {"numeric", "categorical"}
    assert kinds.date_formats == {}
    assert kinds.left_out == {}
