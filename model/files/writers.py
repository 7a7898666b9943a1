"""Files of scores: CSV, JSON lines, Parquet or an Arrow stream, a batch at a time, whole or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from model.errors import DataError
from model.probability import Probabilities
from model.values.columns import Texts


class TableWriter(Protocol):
    """Takes tables of one schema, one after another."""

    def write_table(self, table: pa.Table) -> None:
        """Append rows."""

    def close(self) -> None:
        """End the file."""


class _JsonWriter:
    """Writes JSON lines."""

    def __init__(self, path: Path, _: pa.Schema) -> None:
        self._file = path.open("wb")

    def write_table(self, table: pa.Table) -> None:
        """Append rows."""
        self._file.write(msgspec.json.Encoder().encode_lines(table.to_pylist()))

    def close(self) -> None:
        """End the file."""
        self._file.close()


def _csv_writer(path: Path, schema: pa.Schema) -> TableWriter:
    options = pa.csv.WriteOptions(quoting_header="none")
    writer: TableWriter = pa.csv.CSVWriter(path, schema, write_options=options)
    return writer


_WRITERS: Final = {
    ".csv": _csv_writer,
    ".parquet": pa.parquet.ParquetWriter,
    ".ndjson": _JsonWriter,
    ".arrows": pa.ipc.new_stream,
}


@contextmanager
def open_scores(
    path: Path, horizons: Sequence[str], *, eligible: bool, reasons: int = 0
) -> Iterator[TableWriter]:
    """A writer whose file appears under its name when the block ends without an error.

    Args:
        horizons: of the model, in days.
        eligible: whether the file says who is eligible, and why others are not.
        reasons: of each customer.

    Raises:
        DataError: the suffix is none of those known, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise DataError(f"--out must end in one of {', '.join(_WRITERS)}, got {path.name!r}")
    if not path.parent.is_dir():
        raise DataError(f"--out must lie in a folder that is there, got {str(path)!r}. Make {path.parent}.")
    draft = path.with_name(f".{path.name}.part")
    try:
        writer = _WRITERS[suffix](draft, score_schema(horizons, eligible=eligible, reasons=reasons))
        try:
            yield writer
        finally:
            writer.close()
        draft.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def score_schema(horizons: Sequence[str], *, eligible: bool, reasons: int = 0) -> pa.Schema:
    """The columns of a file of scores."""
    numbers = ["probability", *(f"probability_{horizon}d" for horizon in horizons)]
    fields = [("customer_id", pa.string()), *((name, pa.float64()) for name in numbers)]
    if eligible:
        fields += [("eligible", pa.bool_()), ("not_eligible_because", pa.string())]
    for number in range(1, reasons + 1):
        fields += [(f"reason_{number}", pa.string()), (f"reason_{number}_points", pa.float64())]
    return pa.schema([*fields, ("error", pa.string())])


def score_table(
    ids: Sequence[str | None],
    probabilities: Probabilities,
    horizons: Sequence[str],
    not_eligible: Texts | None,
    rows: NDArray[np.int64],
    errors: Mapping[int, str],
    reasons: Sequence[Sequence[tuple[str, float]]] = (),
    n_reasons: int = 0,
) -> pa.Table:
    """N rows of a file of scores.

    Args:
        probabilities: (n, K) by horizon, the longest last.
        not_eligible: (n,) why a customer is not eligible, missing if it is; None where all are.
        rows: (N,) which of the n each row shows; -1 for none.
        errors: by row.
        reasons: of each of the n, `n_reasons` each: the sentence and the percentage points.
    """
    picked = pa.array(rows, mask=rows < 0)
    numbers = [pa.array(probabilities[:, k]).take(picked) for k in (-1, *range(len(horizons)))]
    able: list[Any] = []
    if not_eligible is not None:
        codes = not_eligible.codes
        rules = pa.array(not_eligible.values, pa.string()).take(pa.array(codes, mask=codes < 0))
        able = [pa.array(codes < 0).take(picked), rules.take(picked)]
    why = [errors.get(row) for row in range(len(ids))] if errors else None
    said = pa.nulls(len(ids), pa.string()) if why is None else pa.array(why, pa.string())
    because = [
        pa.array([one[number][part] for one in reasons], kind).take(picked)
        for number in range(n_reasons)
        for part, kind in enumerate((pa.string(), pa.float64()))
    ]
    columns = [pa.array(ids, pa.string()), *numbers, *able, *because, said]
    schema = score_schema(horizons, eligible=not_eligible is not None, reasons=n_reasons)
    return pa.table(columns, schema=schema)
