"""Target statistics of columns with many categories: how often the event follows each (Micci-Barreca 2001).

An embedding learns a category from few rows slowly; the share of its rows with the event is one number
that says most of it. An example's own label must not be in that share, so training reads, for each
example, the share without its fold (out of fold); everybody else gets that of all training examples.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.features.scaling import scale
from model.schema import CategoricalColumn, Rates, Schema, TableColumn
from model.values.columns import Numbers, as_codes
from training.question.examples import Asked
from training.schema.fit_schema import fit_scaling
from training.split.plan import Folds

MANY: Final = 50  # categories from which a column has rates
WEIGHT: Final = 20.0  # examples of the average kind that every category is given


def category_rates(codes: NDArray[np.int64], happened: Numbers, n_codes: int) -> Numbers:
    """(n_codes,) float64 log-odds of the event for each code, drawn towards those of everybody.

    Args:
        codes: (N,) of the examples.
        happened: (N,) 1 where the event happened, else 0.
    """
    share = (happened.sum() + 1) / (len(happened) + 2)
    counts = np.bincount(codes, minlength=n_codes)
    events = np.bincount(codes, weights=happened, minlength=n_codes)
    rates = (events + WEIGHT * share) / (counts + WEIGHT)
    return np.asarray(np.log(rates) - np.log1p(-rates), dtype=np.float64)


def out_of_fold_rates(
    codes: NDArray[np.int64], happened: Numbers, fold: NDArray[np.int64], n_codes: int
) -> Numbers:
    """(N,) float64: for each example the log-odds of its code among the examples of the other folds."""
    rates = np.empty(len(codes))
    for one in np.unique(fold):
        inside = fold == one
        rates[inside] = category_rates(codes[~inside], happened[~inside], n_codes)[codes[inside]]
    return rates


def with_rates(schema: Schema, asked: Asked, folds: Folds) -> tuple[Schema, list[NDArray[np.float32]]]:
    """The schema with rates for its columns of many categories, and what training reads in their place.

    Returns:
        the schema, and for each column with rates (n,) float32, out of fold and scaled.
    """
    happened = np.asarray(asked.labels.take(folds.rows).events.any(axis=1), dtype=np.float64)
    customers = asked.examples.customers[folds.rows]
    columns: list[TableColumn] = []
    read = []
    for column in schema.columns:
        if isinstance(column, CategoricalColumn) and len(column.vocabulary) >= MANY:
            codes = as_codes(asked.columns[column.name], column.vocabulary)[customers]
            rates, unseen = _rates(codes, happened, folds.fold, len(column.vocabulary) + 2)
            columns.append(column.model_copy(update={"rates": rates}))
            read.append(unseen)
        else:
            columns.append(column)
    return schema.model_copy(update={"columns": tuple(columns)}), read


def _rates(
    codes: NDArray[np.int64], happened: Numbers, fold: NDArray[np.int64], n_codes: int
) -> tuple[Rates, NDArray[np.float32]]:
    unseen = out_of_fold_rates(codes, happened, fold, n_codes)
    log_odds = category_rates(codes, happened, n_codes)
    rates = Rates(log_odds=tuple(log_odds.tolist()), scaling=fit_scaling(unseen))
    return rates, scale(unseen, rates.scaling)
