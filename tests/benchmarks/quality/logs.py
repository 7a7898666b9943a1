"""Cases of a log: training sees what was known at the cut, and is asked then about what followed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from model.errors import DataError, StudyError
from model.scoring.eligible import ELIGIBLE, standing
from model.task import LogTask
from model.times import parse_time
from model.values.customers import Examples
from tests.benchmarks.quality.cases import Case, data_files
from tests.benchmarks.quality.cut import cut_customers, cut_events, without
from tests.benchmarks.quality.features import read_features
from tests.benchmarks.quality.files import read_texts
from tests.benchmarks.quality.problem import Deal, Problem, Repeats, Split, held_customers
from training.baselines.pareto_nbd import purchases
from training.prepare import Prepared, prepare, read_dataset, window_question
from training.question.labels import compile_labels
from training.study.study import Study, read_study


def log_deal(case: Case, cut_day: str, data: Path, folder: Path) -> Deal:
    """Read a case up to a cut; seeds differ in the fits and in the customers that boosting stops on.

    Args:
        cut_day: one of `case.cuts`.
        folder: for the files that Propense reads.

    Raises:
        StudyError, DataError: the case or its data cannot be used.
    """
    frames = {part: read_texts(files) for part, files in data_files(case, data).items()}
    if "events" in frames:
        frames["events"] = without(frames["events"], case.leave_out)
    study = read_study(_copy(case, frames, folder / "all"))
    cut = parse_time(cut_day, zone=study.data.time_zone)
    early = {"events": cut_events, "customers": cut_customers}
    known = _copy(
        case, {part: early[part](frame, study, cut) for part, frame in frames.items()}, folder / "cut"
    )
    ids, labels = _asked(study, cut)
    prepared = prepare(read_study(known))
    place = {name: position for position, name in enumerate(prepared.dataset.ids)}
    about = Examples(np.array([place[name] for name in ids]), np.full(len(ids), cut))
    learnable = np.flatnonzero(prepared.plan.labels.complete[:, -1])
    examples = prepared.plan.examples.take(learnable)
    learnt, asked_about = read_features(prepared, examples, about)
    problem = Problem(
        learnt,
        prepared.plan.labels.outcomes[learnable, -1],
        np.zeros(len(examples), dtype=bool),
        asked_about,
        _repeats(prepared, about, cut),
    )
    whole = Split(
        study=known,
        scoring=_scoring(known.parent, frames, cut_day),
        ids=ids,
        rows=np.arange(len(ids)),
        n_rows=len(ids),
        labels=labels,
        problem=problem,
    )

    def split(seed: int) -> Split:
        held = held_customers(examples.customers, seed)
        return replace(whole, problem=replace(problem, held=held))

    return split


def _copy(case: Case, frames: Mapping[str, pd.DataFrame], folder: Path) -> Path:
    folder.mkdir()
    paths = {part: folder / f"{part}.csv" for part in frames}
    for part, frame in frames.items():
        frame.to_csv(paths[part], index=False)
    return case.write_study(folder / "study.yaml", paths)


def _scoring(folder: Path, parts: Mapping[str, object], cut: str) -> tuple[str, ...]:
    files = [word for part in parts for word in (f"--{part}", str(folder / f"{part}.csv"))]
    return (*files, "--as-of", cut)


def _asked(study: Study, cut: int) -> tuple[Sequence[str], np.ndarray]:
    """Who is eligible at the cut, and what the whole data say about them by the longest horizon."""
    dataset = read_dataset(study)
    question = window_question(study, dataset)
    if question is None:
        raise StudyError("a case of a log asks about windows: its target needs horizons_days")
    everyone = Examples(np.arange(len(dataset)), np.full(len(dataset), cut, dtype=np.int64))
    labels = compile_labels(question.timeline, question.task, everyone, data_end=question.data_end)
    able = standing(question.timeline, question.task, everyone) == ELIGIBLE
    asked = np.flatnonzero(able & labels.complete[:, -1])
    if not len(asked):
        raise DataError(
            f"somebody must be eligible at the cut, and the data must go on for {question.task.window_days} "
            "days after it, however neither or one is not so; set another cut"
        )
    return [dataset.ids[n] for n in asked.tolist()], labels.outcomes[asked, -1].astype(np.float64)


def _repeats(prepared: Prepared, about: Examples, cut: int) -> Repeats | None:
    """For a question about events that repeat, from the cut on: any event only where events have no type."""
    question, log = prepared.question, prepared.dataset.log
    assert question is not None
    task = question.task
    if log is None or not isinstance(task, LogTask) or task.terminal or task.gap_days:
        return None
    if not task.event_types and prepared.fields.events and prepared.fields.events.type:
        return None
    everyone = Examples(np.arange(log.n_customers), np.full(log.n_customers, cut))
    return Repeats(
        known=purchases(question.timeline.targets, everyone),
        about=purchases(question.timeline.targets, about),
        horizon_days=task.horizons_days[-1],
        absent=task.outcome == "absent",
    )
