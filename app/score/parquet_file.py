"""Parquet into blocks: the file is kept on disk until its footer is there, then read a piece at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pyarrow import parquet as pq

from app.score.arrow_stream import refusing
from app.score.block import BLOCK_ROWS, Block, Flaws
from app.score.pages import check_pages, row_groups
from app.score.spool import Spool
from app.score.table import Table
from app.versions.served import Served

_WHAT: Final = "a Parquet file"
_PIECEMEAL: Final = {"buffer_size": 1 << 16, "pre_buffer": False}  # a row group is not held whole
_FOOTER: Final = {"thrift_string_size_limit": 1 << 24, "thrift_container_size_limit": 1 << 20}


@dataclass
class ParquetReader:
    """Reads one file.

    Attributes:
        as_of: the instant of the question.
        max_batch: bytes of the largest pages of all columns, uncompressed.
        spool: where the file is kept.
    """

    served: Served
    as_of: int
    max_batch: int
    spool: Spool

    def feed(self, data: bytes) -> Iterator[Block]:
        """No block yet.

        Raises:
            Problem: there is no room for so many bytes.
        """
        self.spool.append(data)
        yield from ()

    def end(self) -> Iterator[Block]:
        """The blocks of the whole file.

        Raises:
            Problem: it is not Parquet, its columns are not the model's, or its pages are too large.
        """
        with refusing(_WHAT):
            groups = row_groups(self.spool.file, self.spool.size)
            file = pq.ParquetFile(self.spool.file, **_FOOTER)
            table = Table.of(self.served, file.schema_arrow.names, self.as_of)
            table.check_types(file.schema_arrow)
            leaves = [file.schema.column(n) for n in range(len(file.schema))]
            # a text that many rows share is held once: spelt out, a small page could fill the memory
            words = [leaf.path for leaf in leaves if leaf.logical_type.type == "STRING"]
            file = pq.ParquetFile(self.spool.file, read_dictionary=words, **_PIECEMEAL, **_FOOTER)
        n_rows = 0
        for number, group in enumerate(groups):
            with refusing(_WHAT):
                check_pages(self.spool.file, group, self.max_batch)
            for batch in self._batches(file, number):
                yield self._block(table, batch, n_rows)
                n_rows += len(batch)

    def _batches(self, file: Any, group: int) -> Iterator[Any]:
        with refusing(_WHAT):
            batches = file.iter_batches(BLOCK_ROWS, row_groups=[group], use_threads=False)
        while True:
            with refusing(_WHAT):
                batch = next(batches, None)
                if batch is None:
                    return
                batch.validate(full=True)
            yield batch

    def _block(self, table: Table, batch: Any, n_before: int) -> Block:
        with refusing(_WHAT):
            return table.block(batch, np.arange(len(batch)), len(batch), Flaws(n_before + 1))
