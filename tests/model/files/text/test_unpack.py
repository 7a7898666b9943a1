"""Archives and encodings, known by their first bytes."""

import bz2
import io
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from tests.model.files.written import read, refusal, write

TEXT = "a,b\n1,\u00e9\n2,x\n" * 1
COLUMNS = {"a": [1.0, 2.0], "b": ["\u00e9", "x"]}


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        bz2.compress(TEXT.encode()),
        lzma.compress(TEXT.encode()),
        pa.compress(TEXT.encode(), "zstd", asbytes=True),
        zipped(**{"t.csv": TEXT.encode(), "__MACOSX/._t.csv": b"\0"}),
        TEXT.encode("utf-16"),
        "\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        bz2.compress(TEXT.encode("utf-16")),
    ],
)
def test_packed_and_recoded_text(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, content) == COLUMNS


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (zipped(**{"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "Save its sheet as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "Save its sheet as CSV UTF-8"),
        (zipped(a=b"1", b=b"2"), "an archive of one file, got 2: 'a', 'b'. Unpack it"),
        (zipped(**{"t.parquet": b"PAR1"}), "Unpack it"),
        (b"%PDF-1.7", "Export the table as CSV"),
        (b"<!DOCTYPE html><p>Log in</p>", "Download the data again"),
        (TEXT.encode("utf-16-le"), "iconv -f utf-16le -t utf-8"),
        (TEXT.encode("utf-16-be"), "iconv -f utf-16be -t utf-8"),
        (TEXT.encode("utf-16")[:-1], "is damaged"),
        (bz2.compress(TEXT.encode() * 999)[:-20], "is damaged"),
        (zipped(t=TEXT.encode())[:60], "is damaged"),
        (b"a,b\n\x81,2\n", "Save it as UTF-8 with the program that wrote it."),
    ],
)
def test_what_is_no_text_is_refused_with_advice(tmp_path: Path, content: bytes, advice: str) -> None:
    assert advice in refusal(write(tmp_path, content))
