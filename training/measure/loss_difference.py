"""The difference in log loss between two models that were fitted in folds, with the noise of their fits."""

import numpy as np

from training.measure.bootstrap import Difference, Floats, Integers, percentile_interval, resample_counts


def loss_difference(
    labels: Floats, first: Floats, second: Floats, groups: Integers, folds: Integers, *, seed: int = 0
) -> Difference:
    """Return the log loss of the second model minus that of the first, with the noise of their fits.

    The fit of each fold has noise of its own beside that of the customers. Where the folds differ by more
    than their customers explain, the interval is wider (DerSimonian & Laird 1986, "Meta-analysis").

    Args:
        labels, first, second, groups: as in `paired_differences`.
        folds: (N,) the fold of each row, whose fits gave both of its probabilities.
    """
    if not len(labels):
        return Difference(None, None, None)
    least = np.finfo(np.float64).eps
    before, after = (np.clip(np.where(labels > 0, p, 1 - p), least, None) for p in (first, second))
    worse = np.log(before / after)
    value = float(worse.mean())
    customers, customer = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(customer, worse), np.bincount(customer)], axis=1)
    drawn = np.concatenate([w @ sums for w in resample_counts(np.arange(len(customers)), seed=seed)])
    means = drawn[:, 0] / drawn[:, 1]
    interval = percentile_interval(groups, value, [means])
    if interval is None:
        return Difference(value, None, None)
    by_fold, n = np.bincount(folds, worse - value), np.bincount(folds)
    F = np.count_nonzero(n)
    of_folds = float(np.sqrt((by_fold**2).sum() * F / max(F - 1, 1))) / len(labels)
    of_customers = float(means.std())
    wider = max(1.0, of_folds / of_customers) if of_customers > 0 else 1.0
    low, high = (value + wider * (end - value) for end in interval)
    return Difference(value, low, high)
