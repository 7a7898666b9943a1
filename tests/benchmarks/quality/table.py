"""Records as Markdown: a table a case, its dates, mean ranks, and how far Propense is from the best peer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import rankdata

from tests.benchmarks.quality.peers import PEERS
from tests.benchmarks.quality.records import (
    HEADS,
    MEASURES,
    OURS,
    RESAMPLES,
    WITH_INTERVAL,
    Record,
)

DEFAULT: Final = f"{OURS}{HEADS[0]}"  # the head of a study that names none
TITLES: Final = {
    DEFAULT: "Propense",
    **{f"{OURS}{head}": f"Propense, study with {head}" for head in HEADS[1:]},
    **{name: peer.title for name, peer in PEERS.items()},
}
_ENDS: Final = (2.5, 97.5)  # percentiles
_HEADINGS: Final = (
    *("model", "AUC", "95 %", "AP", "log loss", "95 %", "Brier", "calibration", "fit s", "wall s", "seeds"),
)


@dataclass(frozen=True)
class Row:
    """A model on a case: means over its dates and seeds.

    Attributes:
        measures: by the names of MEASURES.
        intervals: of WITH_INTERVAL, over test rows and seeds.
        published: the heads that were published, with the number of runs; empty for a peer.
    """

    model: str
    measures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    fit_seconds: float
    wall_seconds: float | None
    n_seeds: int
    published: Mapping[str, int]


def render(records: Sequence[Record], notes: Mapping[str, str]) -> list[str]:
    """All tables.

    Args:
        notes: why a case was left out, by its name.
    """
    cases = {case: _rows([r for r in records if r.case == case]) for case in _cases(records)}
    lines = ["Means over dates and seeds; in bold what no other has better. " + _READING, ""]
    for case, rows in cases.items():
        lines += _case_lines([r for r in records if r.case == case], rows)
    for case, reason in notes.items():
        lines += [f"**{case}** was left out: {reason}.", ""]
    compared = {case: _compared(rows) for case, rows in cases.items() if len(_compared(rows)) > 1}
    return lines + _rank_lines(compared) + _gap_lines(compared)


def _cases(records: Iterable[Record]) -> list[str]:
    """Tables first, each kind in the order of names."""
    kinds = {record.case: record.kind for record in records}
    return sorted(kinds, key=lambda case: (kinds[case] == "log", case))


def _rows(records: Sequence[Record]) -> dict[str, Row]:
    """The rows of a case in the order of TITLES."""
    models = {name: [r for r in records if r.model == name and r.measures] for name in TITLES}
    return {name: _row(name, some) for name, some in models.items() if some}


def _row(model: str, records: Sequence[Record]) -> Row:
    walls = [r.wall_seconds for r in records if r.wall_seconds is not None]
    seeds = sorted({r.seed for r in records})
    return Row(
        model,
        {name: float(np.mean([r.measures[name] for r in records])) for name in MEASURES},
        {
            name: _interval([_over_dates([r for r in records if r.seed == seed], name) for seed in seeds])
            for name in WITH_INTERVAL
        },
        float(np.mean([r.fit_seconds or 0.0 for r in records])),
        float(np.mean(walls)) if walls else None,
        len(seeds),
        Counter(r.published for r in records if r.published),
    )


def _over_dates(records: Sequence[Record], measure: str) -> list[float]:
    """The resampled measure of one seed, as the mean of its dates, whose rows are drawn apart."""
    means: list[float] = np.mean([record.resampled[measure] for record in records], axis=0).tolist()
    return means


def _interval(resampled: Sequence[Sequence[float]]) -> tuple[float, float]:
    """95 % of the mean over seeds drawn anew, on rows drawn anew: the same rows for all seeds."""
    values = np.array(resampled)
    n_seeds = len(values)
    drawn = np.random.default_rng(0).integers(n_seeds, size=(RESAMPLES, n_seeds))
    means = values[drawn, np.arange(RESAMPLES)[:, None]].mean(axis=1)
    low, high = np.nanpercentile(means, _ENDS).tolist()
    return low, high


def _compared(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Propense once, and its peers."""
    return {name: row for name, row in rows.items() if name == DEFAULT or name in PEERS}


def _case_lines(records: Sequence[Record], rows: Mapping[str, Row]) -> list[str]:
    shown = list(rows.values())
    best = {name: _best(shown, name) for name in MEASURES}
    days = sorted({record.when for record in records})
    lines = [
        f"### {records[0].case} ({records[0].kind})",
        "",
        *(_counted(cut, records) for cut in sorted({record.cut for record in records})),
        f"Run on {' to '.join(dict.fromkeys((days[0], days[-1])))}. {_published(shown)}".rstrip(),
        "",
        *markdown_table(_HEADINGS, [_cells(row, best) for row in shown]),
        *_date_lines(records, rows),
    ]
    silent = {r.model: r.reason for r in records if r.reason}
    lines += [f"- {TITLES[model]}: {reason}." for model, reason in silent.items()]
    return [*lines, ""] if silent else lines


def _counted(cut: str, records: Sequence[Record]) -> str:
    n_train, n_test, n_positive = next(r.counts for r in records if r.cut == cut)
    at = f"{cut}: " if cut else ""
    return f"{at}{n_train:,} training examples, {n_test:,} test examples, {n_positive:,} of them positive."


def _published(rows: Sequence[Row]) -> str:
    """What the runs of Propense published."""
    return " ".join(
        f"{TITLES[row.model]} published {', '.join(f'{h} in {n}' for h, n in sorted(row.published.items()))} "
        f"of {sum(row.published.values())} runs."
        for row in rows
        if row.published
    )


def _date_lines(records: Sequence[Record], rows: Mapping[str, Row]) -> list[str]:
    """Propense and its best peer by log loss, date by date; nothing for one date."""
    cuts = sorted({record.cut for record in records})
    peers = [row for name, row in rows.items() if name in PEERS]
    if len(cuts) < 2 or DEFAULT not in rows or not peers:
        return []
    peer = min(peers, key=lambda row: row.measures["log_loss"]).model
    cells = []
    for cut in cuts:
        at = _rows([record for record in records if record.cut == cut])
        pair = [at[name].measures for name in (DEFAULT, peer) if name in at]
        if len(pair) == 2:
            cells.append([cut, *(f"{one[m]:.4f}" for m in ("log_loss", "calibration_error") for one in pair)])
    heading = ("date", "log loss", TITLES[peer], "calibration", TITLES[peer])
    return markdown_table(heading, cells)


def _cells(row: Row, best: Mapping[str, float]) -> list[str]:
    def cell(name: str) -> str:
        text = f"{row.measures[name]:.4f}"
        return f"**{text}**" if text == f"{best[name]:.4f}" else text

    def between(name: str) -> str:
        low, high = row.intervals[name]
        return f"{low:.4f} to {high:.4f}"

    return [
        TITLES[row.model],
        *(cell("auc"), between("auc"), cell("average_precision"), cell("log_loss"), between("log_loss")),
        *(cell("brier"), cell("calibration_error")),
        _seconds(row.fit_seconds),
        "" if row.wall_seconds is None else _seconds(row.wall_seconds),
        str(row.n_seeds),
    ]


def _best(rows: Sequence[Row], measure: str) -> float:
    values = [row.measures[measure] for row in rows]
    return max(values) if measure in ("auc", "average_precision") else min(values)


def _rank_lines(cases: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """Mean ranks over the cases in which a model has an answer; 1 is best."""
    ranks: dict[str, list[tuple[float, float]]] = {}
    for rows in cases.values():
        auc = rankdata([-row.measures["auc"] for row in rows.values()])
        loss = rankdata([row.measures["log_loss"] for row in rows.values()])
        for name, *pair in zip(rows, auc.tolist(), loss.tolist(), strict=True):
            ranks.setdefault(name, []).append((pair[0], pair[1]))
    means = {name: np.mean(pairs, axis=0) for name, pairs in ranks.items()}
    ordered = sorted(means, key=lambda name: float(means[name].mean()))
    cells = [
        [TITLES[n], f"{means[n].mean():.2f}", f"{means[n][0]:.2f}", f"{means[n][1]:.2f}", str(len(ranks[n]))]
        for n in ordered
    ]
    if not cells:
        return []
    return ["### Mean ranks", "", *markdown_table(("model", "both", "by AUC", "by log loss", "cases"), cells)]


def _gap_lines(cases: Mapping[str, Mapping[str, Row]]) -> list[str]:
    """Propense minus the best peer of each measure, and its fit over CatBoost's."""
    cells = []
    for case, rows in cases.items():
        if DEFAULT not in rows:
            continue
        ours, peers = rows[DEFAULT], [row for name, row in rows.items() if name != DEFAULT]
        gaps = [
            f"{ours.measures[m] - _best(peers, m):+.4f}" for m in ("auc", "log_loss", "calibration_error")
        ]
        catboost = rows.get("catboost")
        ratio = f"{ours.fit_seconds / catboost.fit_seconds:.2f}" if catboost else "not asked"
        cells.append([case, *gaps, ratio])
    if not cells:
        return []
    heading = ("case", "AUC", "log loss", "calibration error", "fit, in CatBoost's")
    return ["### Propense minus the best peer", "", *markdown_table(heading, cells)]


def markdown_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown, numbers to the right."""
    rule = ["---", *("---:" for _ in heading[1:])]
    return [*("| " + " | ".join(row) + " |" for row in (heading, rule, *rows)), ""]


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"


_READING: Final = (
    "Intervals come from test rows and seeds drawn anew; calibration is the mean distance between "
    "probability and share of positives in 10 bins of equal count. Propense is what `propense train` "
    "publishes of a study that names no head. A log is cut at several dates: training sees what was known "
    "then, the test is what followed. Seconds of Propense: its published fit, and the whole command (which "
    "also reads, audits, measures and compares). Seconds of a peer: its fit; on a log it reads the history "
    "aggregates of Propense, whose making is not counted."
)
