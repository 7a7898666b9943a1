"""Files as nobody means them: tables whose cells, types or bytes were damaged, and plain noise."""

import bz2
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet as pq

Make = Callable[[random.Random], bytes]

# fmt: off
_SOUND: Final = {
    "customer_id": "c1", "Total Charges": "2.5", "contract": "contract 1", "copy": "1", "_senior": "yes",
    "since": "31.12.1996", "bill_1": "1", "bill_2": "2.5", "tenure": "5",
    "date": "19971201", "kind": "buy", "amount": "3", "shop": "north",
    "events": '[{"date": "19971130", "kind": "buy", "amount": 5, "shop": "north"}]',
}
_CELLS: Final = [
    "", "1", "2.50", "-3", "007", "1e999", "-1e-999", "9" * 40, "1.234,56", "\u20ac 5", "12%",
    "(7)", "NaN", "inf", "yes", "No", "true", "contract 1", "buy", "n\xf6rdlich", "\u200b",
    "\ufeff", "\\N", "-", "?", "e\u0301", "\x85", "19971231", "1997-12-31", "31.12.1996",
    "0000-00-00", "9999-12-31T23:59:59.999999Z", "1/2/97", "12:00", "1e18", "[]",
    '[{"date": 5}, {}]', '[{"date": {}}]', "[[[[", "{}",
    '"', "'=1+1", "a,b", "a;b", "a\nb", "a\r\nb", "\t", "#x",
    "sep=;", "x" * 5_000, "\U0001f600", "\x1a", "\u0663", "_1_000", "0x10", "24:00", "1997-W01-1",
]
_VALUES: Final[list[Any]] = [
    None, True, 0, -1, 2**53 + 1, 2**63, 10**400, 1.5, 1e308, float("nan"), float("inf"), "\ud800",
    [], {}, [{}], [{"date": "19971230", "kind": 1, "amount": "x", "shop": None}, {"date": None}],
    {"a": {"b": []}}, [[1]], [None],
]
_TOKENS: Final = [
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b'"', b'""', b"'", b",", b";", b"\t", b"\r",
    b"\n", b"\r\n\r\n", b"\\", b"{", b"}", b"[", b"]", b":", b"null", b"NaN", b"1e400", b"\\ud800",
    b"\x80\x81", b"\xed\xa0\x80", b" ", b"sep=;\n", b"# x\n", b"PAR1", b"ARROW1\0\0",
    b"\xff\xff\xff\xff", b"\x1f\x8b\x08", b"PK\x03\x04", b"BZh9", b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0", b"\xe2\x80\xa8", b"x" * 150_000, b"," * 3_000, b"9" * 5_000, b"[" * 9_000,
]
_ENCODINGS: Final = ["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037", "shift_jis", "utf-7"]
_TEXT_EVENT: Final = [(name, pa.string()) for name in ("date", "kind", "amount", "shop")]
_ODD_EVENT: Final = [
    ("date", pa.timestamp("ms")), ("kind", pa.bool_()), ("amount", pa.float64()), ("shop", pa.null())
]
_ODD: Final[Mapping[Any, list[Any]]] = {
    pa.bool_(): [True, False],
    pa.int8(): [-1, 0, 5],
    pa.uint64(): [0, 2**64 - 1],
    pa.float16(): [0.5],
    pa.float64(): [0.1, float("nan"), float("-inf"), 1e308],
    pa.decimal128(38, 3): [Decimal("1.250"), Decimal(10) ** 30],
    pa.decimal256(76, 0): [Decimal(10) ** 70],
    pa.date32(): [date(1, 1, 1), date(1997, 12, 1)],
    pa.date64(): [date(9999, 12, 31)],
    pa.time64("ns"): [time(1, 2, 3)],
    pa.timestamp("s"): [-(2**62), 2**62, 0],
    pa.timestamp("ns", "Mars/Olympus"): [0, 2**62],
    pa.timestamp("us", "+02:00"): [0],
    pa.duration("us"): [timedelta(1)],
    pa.month_day_nano_interval(): [(1, 2, 3)],
    pa.null(): [None],
    pa.binary(): [b"x", b"\xff\xfe", b"\0"],
    pa.binary(2): [b"xy"],
    pa.large_string(): ["x", "1"],
    pa.string_view(): ["x", "1", ""],
    pa.list_(pa.int64()): [[1], []],
    pa.struct([("a", pa.int64())]): [{"a": 1}],
    pa.map_(pa.string(), pa.int64()): [[("a", 1)]],
    pa.list_(pa.struct(_TEXT_EVENT)): [[{"date": "19971230", "kind": "buy"}], [], [None], [{"amount": "x"}]],
    pa.large_list(pa.struct(_ODD_EVENT)): [[{"date": 0, "kind": True, "amount": 1.0, "shop": None}]],
    pa.dictionary(pa.int8(), pa.int64()): [1, 2],
    pa.run_end_encoded(pa.int32(), pa.string()): ["x", "1"],
}
# fmt: on


def junk(chance: random.Random, folder: Path) -> Path:
    """Write one file; the same state of `chance` gives the same file."""
    make: Make = chance.choice([_noise, *[_text, _lines, _arrow] * 4])
    data, suffix = make(chance), chance.choice(_FORMS[make if chance.random() < 0.9 else _noise])
    for _ in range(chance.choice([0, 0, 0, 1, 1, 8])):
        data = chance.choice([_flipped, _cut, _with_token, _with_token, _repeated, _swapped])(chance, data)
    if chance.random() < 0.1:
        packs: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, _zipped]
        data = chance.choice(packs)(data)
        data = _flipped(chance, data) if chance.random() < 0.5 else data
    path = folder / f"junk{suffix}"
    path.write_bytes(data)
    return path


def _noise(chance: random.Random) -> bytes:
    return chance.choice([b"", b"a,b\n", *_TOKENS]) + chance.randbytes(chance.choice([0, 1, 7, 100, 5_000]))


def _names(chance: random.Random) -> list[str]:
    names = list(_SOUND)
    if chance.random() < 0.3:
        chance.shuffle(names)
    if chance.random() < 0.15:
        names[chance.randrange(len(names))] = chance.choice(_CELLS)
    return names[: chance.choice([1, 2, *[len(names)] * 8])]


def _cells(chance: random.Random, name: str, n: int, odd: Sequence[Any]) -> list[Any]:
    """Cells of a column: sound ones, with a few odd ones, or with many."""
    share = chance.choice([0.0] * 20 + [0.02, 0.3, 1.0])
    sound = [_SOUND.get(name, "x"), *(["c2"] if name == "customer_id" else [])]
    return [chance.choice(odd if chance.random() < share else sound) for _ in range(n)]


def _text(chance: random.Random) -> bytes:
    delimiter = chance.choice([",", ",", ";", "\t", "|", " "])
    names, n, ragged = _names(chance), chance.choice([0, 1, 5, 5, 40, 40]), chance.choice([0, 0, 0.02, 0.3])
    rows = [[*row] for row in zip(*(_cells(chance, name, n, _CELLS) for name in names), strict=True)]
    for row in rows:
        if chance.random() < ragged:
            row[chance.randrange(len(row)) :] = chance.choices(_CELLS, k=chance.randrange(4))
    is_quoted, end = chance.random() < 0.9, chance.choice(["\n", "\n", "\r\n", "\r"])
    spelt = ([c.replace('"', '""') if is_quoted else c for c in row] for row in [names, *rows])
    quote = '"' if is_quoted else ""
    text = "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + end for row in spelt)
    return text.encode(chance.choice(["utf-8"] * 32 + _ENCODINGS), errors="replace")


def _lines(chance: random.Random) -> bytes:
    names, n = _names(chance), chance.choice([0, 1, 5, 5, 40, 40])
    columns = [_cells(chance, name, n, [*_VALUES, *_CELLS]) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    for row in rows:
        if chance.random() < 0.1:
            row.popitem()
    text = "\n".join(json.dumps(row) for row in rows)
    return text.encode(chance.choice(["utf-8"] * 8 + ["utf-16"]))


def _arrow(chance: random.Random) -> bytes:
    names, n = _names(chance), chance.choice([0, 1, 5, 5, 40, 40])
    arrays = [_array(chance, name, n) for name in names]
    table, buffer = pa.Table.from_arrays(arrays, names=names), io.BytesIO()
    if chance.random() < 0.5:
        try:
            pq.write_table(table, buffer, row_group_size=9, compression=chance.choice(["none", "zstd"]))
            return buffer.getvalue()
        except pa.ArrowException:  # Parquet has no such type
            buffer = io.BytesIO()
    with chance.choice([pa.ipc.new_stream, pa.ipc.new_file])(buffer, table.schema) as stream:
        stream.write_table(table, max_chunksize=9)
    return buffer.getvalue()


def _array(chance: random.Random, name: str, n: int) -> Any:
    if chance.random() < 0.05:
        kind = chance.choice(list(_ODD))
        return pa.array(chance.choices([*_ODD[kind], None], k=n), kind)
    array = pa.array(_cells(chance, name, n, [*_CELLS, None]), pa.string())
    return array.dictionary_encode() if chance.random() < 0.1 else array


_FORMS: Final[Mapping[Make, Sequence[str]]] = {
    _noise: (".csv", ".tsv", ".txt", ".ndjson", ".parquet", ".arrows", ".csv.gz", ".zip", ""),
    _text: (".csv", ".tsv", ".csv.gz"),
    _lines: (".ndjson", ".jsonl.gz"),
    _arrow: (".parquet", ".arrows", ".arrow", ".csv"),
}


def _flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 3, 30]) if data else 0):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(chance: random.Random, data: bytes) -> bytes:
    start, stop = _two_places(chance, data)
    return chance.choice([data[:start], data[stop:], data[:start] + data[stop:]])


def _repeated(chance: random.Random, data: bytes) -> bytes:
    start, stop = _two_places(chance, data)
    return data[:stop] + data[start:stop] * chance.choice([1, 5]) + data[stop:]


def _with_token(chance: random.Random, data: bytes) -> bytes:
    at = chance.choice([0, len(data), *_two_places(chance, data)])
    return data[:at] + chance.choice(_TOKENS) + data[at:]


def _swapped(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _two_places(chance: random.Random, data: bytes) -> list[int]:
    return sorted(chance.choices(range(len(data) + 1), k=2))


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("junk.csv", data)
    return buffer.getvalue()
