"""The figures of what was said, once it is known what happened."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.errors import LedgerError
from model.files.names import agreed, counted
from model.files.source import open_source
from model.ledger.ledger import Ledger, Recorded
from model.ledger.records import BYTES, Version, probability_names
from model.store.checkpoint import read_checkpoint
from model.store.manifest import Manifest
from model.store.registry import Registry
from model.task import ColumnTask
from model.times import DAY, parse_time
from model.values.customers import Examples
from training.fairness.fairness import measure_fairness
from training.measure.bootstrap import Integers
from training.outcomes.figures import Joined, horizons
from training.outcomes.truth import Truth, read_truth
from training.question.labels import Bools
from training.study.study import stored_study

_NOWHERE: Final = -1
_SEVERAL: Final = -2


def outcomes(
    registry: Registry,
    name: str,
    ledger: Ledger,
    *,
    customers: Path | None = None,
    events: Path | None = None,
    until: str | None = None,
) -> dict[str, Any]:
    """Join what happened to what was said.

    Args:
        customers, events: today's files; None for those of the study.
        until: the last day that they cover, such as 2026-11-30; None to read it off them.

    Returns:
        `records`; those `left_out`, by the reason; `horizons`, each with the records whose window is `open`
        or whose customer `left_before` it, and the `figures` of all others and by month and version;
        `fairness` as in a report; `notes`.

    Raises:
        LedgerError: the ledger cannot be read, or has no record of a version of the registry.
        DataError: the files cannot be used.
    """
    recorded = ledger.read()
    table = recorded.table
    checkpoints = table["checkpoint"].combine_chunks().dictionary_encode()
    by_code = _manifests(
        registry, name, set(table["version"].to_pylist()), checkpoints.dictionary.to_pylist()
    )
    if not by_code:
        raise LedgerError(
            f"{ledger.folder} must have records of versions of {name} in {registry.root}, got "
            f"{counted(len(table), 'record')} of none. `propense score {name} --ledger` records some."
        )
    code_of = checkpoints.indices.to_numpy(zero_copy_only=False)
    known, eligible = np.isin(code_of, list(by_code)), np.array(table["eligible"].fill_null(True))
    left_out = {
        "other_versions": int((~known).sum()),
        "not_eligible": int((known & ~eligible).sum()),
        "vanished": 0,
        "several_rows": 0,
    }
    parts, notes = [], _notes_of_ledger(recorded)
    for codes in _by_question(by_code):
        manifest = by_code[codes[-1]]
        truth = _read(manifest, customers, events, until)
        pseudonyms = ledger.key.pseudonyms(truth.dataset.ids)
        rows = np.flatnonzero(np.isin(code_of, codes) & eligible)
        at = _places(table["pseudonym"].take(rows), pa.array(pseudonyms, BYTES))
        left_out["vanished"] += int((at == _NOWHERE).sum())
        left_out["several_rows"] += int((at == _SEVERAL).sum())
        parts.append(_join(manifest, truth, table, rows[at >= 0], at[at >= 0]))
        notes += truth.notes
    notes += _known_in_training(by_code, code_of, eligible, table)
    return {
        "records": len(table),
        "left_out": left_out,
        "horizons": horizons(parts, table),
        "fairness": _fairness(parts[-1]),
        "notes": list(dict.fromkeys(notes)),
    }


def _manifests(
    registry: Registry, name: str, spoken: set[int], hashes: Sequence[bytes]
) -> dict[int, Manifest]:
    """The manifests of the registry whose hashes these are, oldest first, by the place of the hash.

    Args:
        spoken: the numbers of the versions to look at.
    """
    found = {}
    for number in sorted(spoken & set(registry.versions(name))):
        manifest = read_checkpoint(registry.folder(name, number), name=name, version=number).manifest
        if (hash_ := Version.of(manifest).hash) in hashes:
            found[hashes.index(hash_)] = manifest
    return found


def _by_question(manifests: Mapping[int, Manifest]) -> list[list[int]]:
    """The versions that ask the same of the same files, together."""
    asked: dict[str, list[int]] = {}
    for code, manifest in manifests.items():
        schema = manifest.schema_
        events = schema.events and [schema.events.id, schema.events.time, schema.events.time_format]
        question = [manifest.task.model_dump(mode="json"), schema.id, schema.time_zone, events]
        asked.setdefault(json.dumps(question), []).append(code)
    return list(asked.values())


def _read(manifest: Manifest, customers: Path | None, events: Path | None, until: str | None) -> Truth:
    study = stored_study(manifest.provenance)
    if customers is None and events is None:
        customers, events = study.files()
    elif customers is None and (manifest.task.columns or isinstance(manifest.task, ColumnTask)):
        customers, _ = study.files()
    there = open_source(customers).names if customers else ()
    groups = [name for name in study.fairness.groups if name in there]
    last = parse_time(until, zone=manifest.schema_.time_zone) + DAY - 1 if until else None
    return read_truth(manifest, customers, events, until=last, also=groups)


def _places(wanted: Any, known: Any) -> Integers:
    """(N,) where among the known each pseudonym stands, _NOWHERE or in _SEVERAL places."""
    codes = known.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    at = pc.index_in(wanted, value_set=known).fill_null(_NOWHERE).to_numpy().astype(np.int64)
    several = np.bincount(codes, minlength=1)[codes] > 1 if len(codes) else np.zeros(1, dtype=bool)
    return np.where((at >= 0) & several[at], _SEVERAL, at)


def _join(manifest: Manifest, truth: Truth, table: Any, rows: Integers, customers: Integers) -> Joined:
    said = table.take(rows)
    examples = Examples(customers, said["as_of"].to_numpy().astype(np.int64))
    names = probability_names(manifest.task.output_names)
    return Joined(
        manifest,
        truth,
        rows,
        examples,
        np.stack([said[name].to_numpy() for name in names], axis=1),
        truth.labels(examples),
        truth.closed(examples),
    )


def _fairness(part: Joined) -> dict[str, Any] | None:
    """The figures by group of the latest question, whose groups are those of the customer table now."""
    options = stored_study(part.manifest.provenance).fairness
    groups = tuple(name for name in options.groups if name in part.truth.dataset.columns)
    if not groups or not part.labels.complete[:, -1].any():
        return None
    return measure_fairness(
        options.model_copy(update={"groups": groups}),
        part.truth.dataset,
        part.examples,
        part.labels,
        part.probabilities,
        horizons=part.manifest.task.output_names,
        zone=part.manifest.schema_.time_zone,
        read=part.manifest.schema_.column_names,
    )


def _known_in_training(
    manifests: Mapping[int, Manifest], code_of: Integers, eligible: Bools, table: Any
) -> list[str]:
    """A note on each version that speaks of a time whose outcomes it may have learnt."""
    as_of, notes = table["as_of"].to_numpy().astype(np.int64), []
    for code, manifest in manifests.items():
        end = manifest.provenance["data_end"]
        if n := int((eligible & (code_of == code) & (as_of < parse_time(end))).sum()):
            notes.append(
                f"{counted(n, 'record')} of version {manifest.version} {agreed(n, 'is', 'are')} as of a day "
                f"before {end}, where the data of its training end: it may have learnt what followed, so "
                "these figures are too good."
            )
    return notes


def _notes_of_ledger(recorded: Recorded) -> list[str]:
    notes = []
    if recorded.doubled:
        n = recorded.doubled
        notes.append(f"{counted(n, 'record')} {agreed(n, 'was', 'were')} there twice and counted once.")
    if recorded.torn:
        notes.append(
            f"{counted(recorded.torn, 'byte')} of a record that a killed process left were passed over."
        )
    if recorded.damaged:
        notes.append(
            f"{counted(recorded.damaged, 'byte')} of the ledger are damaged and their records lost; restore "
            "its segments from a copy."
        )
    return notes
