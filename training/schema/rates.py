"""Target statistics of columns with many categories: the rate of the event by category (Micci-Barreca 2001).

An embedding needs many rows to learn a category; its event rate is one number with most of the
information. An example's own label must not enter its rate, so training reads, for each example, the rate
among the other folds (out of fold). All other customers get the rate among all training examples.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.scaling import scale
from model.schema import CategoricalColumn, Rates, Schema, TableColumn
from model.values.columns import Numbers, as_codes
from training.question.labels import LabelledExamples
from training.schema.fit_schema import fit_scaling

MANY: Final = 50  # a column of so many categories has rates
WEIGHT: Final = 20.0  # examples at the average rate that are added to every category


def category_rates(codes: NDArray[np.int64], happened: Numbers, n_codes: int) -> Numbers:
    """Return (n_codes,) float64 log-odds of the event for each code, shrunk towards the average.

    Args:
        codes: (N,) of the examples.
        happened: (N,) 1 for the event, else 0.
    """
    share = (happened.sum() + 1) / (len(happened) + 2)
    counts = np.bincount(codes, minlength=n_codes)
    events = np.bincount(codes, weights=happened, minlength=n_codes)
    rates = (events + WEIGHT * share) / (counts + WEIGHT)
    return np.asarray(np.log(rates) - np.log1p(-rates), dtype=np.float64)


def out_of_fold_rates(
    codes: NDArray[np.int64], happened: Numbers, fold: NDArray[np.int64], n_codes: int
) -> Numbers:
    """Return (N,) float64 log-odds of each example's code among the examples of the other folds."""
    return _rates_without(codes, happened, fold, n_codes, codes, fold)


def rates_of_asked(
    schema: Schema,
    labelled: LabelledExamples,
    rows: NDArray[np.int64],
    fold: NDArray[np.int64],
    asked: NDArray[np.int64],
    asked_fold: NDArray[np.int64],
) -> list[NDArray[np.float32]]:
    """Return, for each column with rates, the scaled rates of the other folds for other examples.

    Args:
        rows, fold: (n,) as in `with_rates`.
        asked, asked_fold: (m,) the other examples, and the fold whose examples their rates leave out.
    """
    happened = _happened(labelled, rows)
    customers = labelled.examples.customers
    found = []
    for column in schema.categorical:
        if column.rates:
            codes = as_codes(labelled.columns[column.name], column.vocabulary)[customers]
            n_codes = len(column.vocabulary) + 2
            rates = _rates_without(codes[rows], happened, fold, n_codes, codes[asked], asked_fold)
            found.append(scale(rates, column.rates.scaling))
    return found


def with_rates(
    schema: Schema, labelled: LabelledExamples, rows: NDArray[np.int64], fold: NDArray[np.int64]
) -> tuple[Schema, list[NDArray[np.float32]]]:
    """Add rates to the columns of many categories.

    Args:
        rows: (n,) the training examples.
        fold: (n,) the fold of each of them.

    Returns:
        The schema, and for each column with rates the (n,) float32 values that training reads in their
        place, out of fold and scaled.
    """
    happened = _happened(labelled, rows)
    customers = labelled.examples.customers[rows]
    columns: list[TableColumn] = []
    out_of_fold = []
    for column in schema.columns:
        if isinstance(column, CategoricalColumn) and len(column.vocabulary) >= MANY:
            codes = as_codes(labelled.columns[column.name], column.vocabulary)[customers]
            rates, unseen = _rates(codes, happened, fold, len(column.vocabulary) + 2)
            columns.append(column.model_copy(update={"rates": rates}))
            out_of_fold.append(unseen)
        else:
            columns.append(column)
    return schema.model_copy(update={"columns": tuple(columns)}), out_of_fold


def _happened(labelled: LabelledExamples, rows: NDArray[np.int64]) -> Numbers:
    return np.asarray(labelled.labels.take(rows).events.any(axis=1), dtype=np.float64)


def _rates_without(
    codes: NDArray[np.int64],
    happened: Numbers,
    fold: NDArray[np.int64],
    n_codes: int,
    asked_codes: NDArray[np.int64],
    asked_fold: NDArray[np.int64],
) -> Numbers:
    """(m,) log-odds of the codes asked for, each among the N examples of the other folds."""
    rates = np.empty(len(asked_codes))
    for one in np.unique(asked_fold):
        read, inside = fold != one, asked_fold == one
        rates[inside] = category_rates(codes[read], happened[read], n_codes)[asked_codes[inside]]
    return rates


def _rates(
    codes: NDArray[np.int64], happened: Numbers, fold: NDArray[np.int64], n_codes: int
) -> tuple[Rates, NDArray[np.float32]]:
    unseen = out_of_fold_rates(codes, happened, fold, n_codes)
    log_odds = category_rates(codes, happened, n_codes)
    rates = Rates(log_odds=tuple(log_odds.tolist()), scaling=fit_scaling(unseen))
    return rates, scale(unseen, rates.scaling)
