"""Ids that differ only as programs spell them: one customer that would count as two."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
from pyarrow import compute as pc

from model.files.names import agreed, counted

_ROUNDED: Final = r"^\d\.\d+[eE]\+\d+$"
_SPELLINGS: Final[tuple[tuple[str, Callable[[Any], Any]], ...]] = (
    (
        "invisible characters or blanks",
        lambda ids: pc.replace_substring_regex(pc.utf8_normalize(ids, "NFKC"), r"[\p{Cf}\p{Cc}\p{Z}]", ""),
    ),
    ("'.0' at the end", lambda ids: pc.replace_substring_regex(ids, r"^([+-]?\d+)\.0+$", r"\1")),
    ("upper and lower case", pc.utf8_lower),
    ("zeros at the start", lambda ids: pc.replace_substring_regex(ids, r"^0+(\d)", r"\1")),
)


def spelling_notes(ids: Sequence[str]) -> list[str]:
    """A sentence on rounded ids, and on each way in which distinct ids differ in spelling alone."""
    exact = pa.array(ids, pa.string())
    now, n_before = exact, len(exact)
    notes: list[str] = []
    rounded = exact.filter(pc.match_substring_regex(exact, _ROUNDED))
    if n := len(rounded):
        notes.append(
            f"{counted(n, 'id')} such as {rounded[0].as_py()!r} {agreed(n, 'is', 'are')} rounded, as "
            "spreadsheets write long numbers, and may stand for several customers. Export the ids as text."
        )
    for what, folded in _SPELLINGS:
        before, now = now, folded(now)
        groups = now.dictionary_encode()
        n_now = len(groups.dictionary)
        if n_now < n_before:
            n, pair = n_before - n_now, _pair(exact, before, groups.indices)
            notes.append(
                f"Of {len(exact):,} ids, {n:,} {agreed(n, 'differs', 'differ')} from another only in {what}, "
                f"such as {pair}; each counts as a customer of its own. Spell ids alike in all files."
            )
        n_before = n_now
    return notes


def _pair(exact: Any, before: Any, codes: Any) -> str:
    """Two ids that are one by these codes, and that were two before."""
    distinct = pa.table({"code": codes, "before": before}).group_by(["code", "before"]).aggregate([])
    counts = pc.value_counts(distinct["code"])
    group = counts.field("values").filter(pc.greater(counts.field("counts"), 1))[0]
    alike = pc.equal(codes, group)
    ids, spelt = exact.filter(alike).to_pylist(), before.filter(alike).to_pylist()
    other = next(id for id, spelling in zip(ids, spelt, strict=True) if spelling != spelt[0])
    return f"{ids[0]!r} and {other!r}"
