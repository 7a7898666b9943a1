"""The columns of contracts: which one is the start, and the formats of the dates."""

from typing import Final

from model.errors import DataError
from model.files.dataset import Dataset
from model.files.dates import column_instants
from model.files.names import listed
from model.scoring.presence import contract_dates
from model.task import ContractTask
from model.times import MISSING_TIME

FILLED: Final = 0.99  # share of filled rows of a column that may be the start of the contract


def with_formats(task: ContractTask, dataset: Dataset) -> ContractTask:
    """Return the task with the formats of its dates; an absent column is reported later."""
    found = {
        f"{key}_format": dataset.dates[name].time_format
        for key, name in (("ends", task.ends), ("starts", task.starts))
        if name in dataset.dates
    }
    return task.model_copy(update=found)


def likely_start(dataset: Dataset, task: ContractTask, zone: str) -> str | None:
    """Return the only date column, filled nearly everywhere, that is never after the end.

    Raises:
        DataError: there is no log, and not exactly one such column.
    """
    if task.ends not in dataset.columns:
        return None  # reported later with the list of columns
    _, ends = contract_dates(dataset.columns, with_formats(task, dataset), zone)
    found = []
    for name, one in dataset.dates.items():
        if name == task.ends:
            continue
        try:
            times = column_instants(dataset.columns[name], one.time_format, repr(name), zone)
        except DataError:
            continue  # it holds more than dates
        both = (times != MISSING_TIME) & (ends != MISSING_TIME)
        if (times != MISSING_TIME).mean() >= FILLED and not (times[both] > ends[both]).any():
            found.append(name)
    if len(found) == 1:
        return found[0]
    if dataset.log is not None:
        return None
    hint = f" It may be one of {listed(found)}." if found else ""
    raise DataError(
        "target.starts must name the column with the first day of a contract, got none. Add it to the study: "
        f"without it, customers would count before they joined.{hint}"
    )
