"""The reasons of predictions in a response, of a bounded number of customers."""

from typing import Final

from app.errors import Problem
from app.request.structs import Reason
from model.predictor import Predictions, Predictor

MOST_MIXTURES: Final = 1 << 18  # of inputs, 2 to the number of groups for each customer: some 0.2 seconds


def reasons_of(predictor: Predictor, predictions: Predictions, most: int) -> list[list[Reason]]:
    """Return the largest reasons of each customer of a request.

    Raises:
        Problem: they are too many.
    """
    allowed, n = max(MOST_MIXTURES >> predictor.n_reasons, 1), len(predictions.probabilities)
    if n > allowed:
        detail = f"a request for reasons may have {allowed} customers, got {n}; send fewer at a time"
        raise Problem(422, "invalid-request", detail)
    return [
        [Reason(r.group, r.logit, r.points, r.input, r.has, r.usual, r.text) for r in one.reasons]
        for one in predictor.explain(predictions, most=most)
    ]
