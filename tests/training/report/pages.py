"""A made-up report, and a page as a browser would see it."""

from copy import deepcopy
from dataclasses import asdict
from html.parser import HTMLParser
from typing import Any

import numpy as np

from model.task import LogTask
from training.audit.findings import Finding
from training.fairness.by_group import figures_by_group
from training.fairness.groups import Groups
from training.fairness.proxies import Proxies, Proxy
from training.fairness.sentences import fairness_sentences
from training.measure.bootstrap import Difference
from training.measure.measuring import measured
from training.measure.metrics import base_rate_metrics, curves
from training.measure.verdict import Verdict
from training.reasons.drivers import Driver
from training.reasons.effects import Effect
from training.report.headline import made_title, of_whom
from training.report.report import Report, question
from training.run.choice import Choice, Trial
from training.run.contacts import Contacts, Reach
from training.run.learning_curve import LearningPoint
from training.run.splits import DateFigure, SplitFigure
from training.schema.column_facts import ColumnFacts

TASK = LogTask(outcome="occurs", horizons_days=(30, 180))


def results(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    p = rng.random(500) ** 2
    y = (rng.random(500) < p).astype(np.float64)
    return (
        {
            "model": measured(y, p, np.arange(500)),
            "recency": measured(y, p / 2, np.arange(500)),
            "btyd": measured(y, np.sqrt(p), np.arange(500)),
            "base_rate": asdict(base_rate_metrics(y, 0.25)) | {"intervals": {}},
        },
        asdict(curves(y, p)),
    )


AUDIT: dict[str, Any] = {
    "customers": 23570,
    "time_zone": "Europe/Berlin",
    "log": {
        "events": 69659,
        "first_event": "1997-01-01",
        "last_event": "1998-06-30",
        "duplicate_events": 255,
        "gaps": [{"days": 3, "after": "1997-08-01", "before": "1997-08-05"}],
    },
    "split": "tested at 1997-12-31 on customers unseen in training",
    "examples": {"train": 800, "judged": 401, "test": 500},
    "observed_from": "1997-01-01",
    "observed_until": "1998-06-30",
    "cutoffs": [
        {
            "cutoff": "1997-12-31",
            "role": "test",
            "eligible": 21000,
            "positives": {"30": 1234, "180": 5678},
            "rates": {"30": 0.0588, "180": 0.2704},
            "masked": {"30": 0, "180": 17},
            "refused": {"no event within 365 days": 2570},
        },
        {
            "cutoff": "1998-05-31",
            "role": "published model only",
            "eligible": 20000,
            "positives": {"30": 1111},
            "rates": {"30": 0.0556},
            "masked": {"30": 0, "180": 20000},
            "refused": {},
        },
    ],
    "never_asked": {"customers": 12, "reasons": {"not yet a customer": 12}},
    "came_back": None,
    "understood": ["'order' does not end a customer's life."],
    "findings": [
        asdict(Finding("one_class", "warning", "duration", "It all but states the label.", "Exclude it.")),
        asdict(Finding("shift", "note", None, "The rate fell.", "Look at the cutoffs.")),
    ],
}


CONTACTS: dict[str, Any] = asdict(
    Contacts(
        date="1997-12-31",
        customers=2000,
        positives=400,
        silent_days=180,
        silent=300,
        silent_positives=150,
        everyone=tuple(
            Reach(share, round(2000 * share), found, share, 0.9, silent, silent // 2)
            for share, found, silent in ((0.05, 60, 40), (0.1, 110, 70), (0.2, 190, 100), (0.3, 250, 120))
        ),
        active=tuple(
            Reach(share, round(1700 * share), found, None, None, 0, 0)
            for share, found in ((0.05, 40), (0.1, 75), (0.2, 120), (0.3, 160))
        ),
    )
)


def made_up_fairness() -> dict[str, Any]:
    """Of a column with a group that is small."""
    rng = np.random.default_rng(0)
    p = rng.random(200)
    y = (rng.random(200) < p).astype(np.float64)
    groups = Groups(("south", "<north>"), (np.arange(200) >= 190).astype(np.int64))
    ((figures, gaps),) = figures_by_group(y, p, np.arange(200), [groups], 0.5)
    column: dict[str, Any] = {
        "column": "region",
        "is_read": False,
        "groups": [asdict(group) for group in figures],
        "gaps": [asdict(gap) | {"beyond_chance": gap.beyond_chance} for gap in gaps],
        "proxies": asdict(Proxies((Proxy("post_code", "south", 0.91),), "south", 0.95)),
    }
    column["sentences"] = fairness_sentences(column)
    return {"threshold": 0.5, "is_stated": True, "horizon": "180", "columns": [column]}


def made_up_report() -> Report:
    """Of a log with two horizons, with every part that a report can have."""
    (short, short_curves), (long, long_curves) = results(1), results(2)
    return {
        "name": "purchase",
        "version": 3,
        "created": "2026-11-24T06:00:00Z",
        "title": made_title(TASK),
        "study": {"name": "purchase", "target": {"horizons_days": (30, 180)}, "note": "naïve & bare"},
        "task": TASK.model_dump(),
        "question": question(TASK),
        "of_whom": of_whom(TASK),
        "data": {
            "customers": 23570,
            "events": 69659,
            "first_event": "1997-01-01",
            "last_event": "1998-06-30",
            "read": ["events.csv: 69,659 rows."],
            "columns": [
                asdict(ColumnFacts("surname", "left out", "", 0.0, "", left_out="it looks like an id")),
                asdict(ColumnFacts("tenure", "numeric", "%", 0.0125, "1 to 72", "12%", 3, "unknown")),
                asdict(ColumnFacts("history", "2 aggregates", "", None, "a, b")),
            ],
        },
        "audit": deepcopy(AUDIT),
        "published": "The published model is the measured one.",
        "split": {
            "kind": "forward",
            "sentence": "Test cutoffs lie after every training label.",
            "train": 800,
            "judged": 401,
            "test": 500,
            "held_out": 99,
            "test_customers": 300,
            "held_out_customers": 60,
        },
        "dates": [
            asdict(DateFigure("1997-11-30", 240, 60, 0.25, 0.261, 0.712, 0.512)),
            asdict(DateFigure("1997-12-31", 260, 0, 0.0, 0.24, None, 0.534)),
        ],
        "contacts": CONTACTS,
        "drivers": {
            "examples": 480,
            "groups": [asdict(Driver("plan & <price>", 0.0213, 0.0101, 0.0342, 0.31))],
            "effects": [asdict(Effect("tenure", (1.0, 30.0, None), (0.4, 0.2, 0.3), (0.5, 0.4, 0.1)))],
            "sequence": [],
        },
        "fairness": made_up_fairness(),
        "splits": [
            asdict(SplitFigure(name, long[of], 0.6125))
            for name, of in (
                ("shuffled", "btyd"),
                ("forward", "recency"),
                ("forward, unseen customers", "model"),
            )
        ],
        "verdict": asdict(
            Verdict(
                "beats",
                "recency",
                Difference(-0.1, -0.2, -0.05),
                Difference(0, 0, 0),
                "It beats it.",
            )
        ),
        "decision": None,
        "metrics": {"30": short, "180": long},
        "curves": {"30": short_curves, "180": long_curves},
        "choice": asdict(
            Choice(
                "The published model is the mlp network.",
                (Trial("linear", 0.5, 9.0), Trial("mlp", 0.6, 8.0)),
                sequence_sentence="The sequence does not improve it.",
            )
        ),
        "fit": {
            "head": "mlp",
            "device": "cpu",
            "epochs": 2,
            "best_epoch": 1,
            "seconds": 83.0,
            "seconds_published": 91.0,
            "validation_loss": 0.51,
            "penalty": None,
            "parameters": 41233,
            "distillation": "One network answers in place of the bag.",
            "history": [
                {"epoch": 1, "planned": 9, "learning_rate": 0.1, "train_loss": 0.5, "validation_loss": 0.51},
                {"epoch": 2, "planned": 9, "learning_rate": 0.1, "train_loss": 0.4, "validation_loss": 0.52},
            ],
        },
        "calibration": {"slopes": [1.0, 0.9], "intercepts": [-0.25, 0.125]},
        "learning_curve": [
            asdict(LearningPoint(0.5, 400, 123, long["recency"], None)),
            asdict(LearningPoint(1.0, 800, 246, long["model"], Difference(-0.01, -0.02, 0.0))),
        ],
        "learning_conclusion": "More customers would help.",
        "warnings": ["Only 12 positives."],
        "versions": {"propense": "0.1.0", "python": "3.11.2"},
    }


class Page(HTMLParser):
    """A page's tags, attributes and text, as a browser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.tables: dict[str, list[list[str]]] = {}  # rows of cells, by the caption
        self.feed(html.replace("<wbr>", ""))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        self.text += text + "\n"
        if self.open[-1:] == ["caption"]:
            self.tables[text] = []
        elif {"td", "th"} & set(self.open):
            row = self._rows[-1]
            row[-1] = f"{row[-1]} {text}".strip()

    @property
    def _rows(self) -> list[list[str]]:
        return list(self.tables.values())[-1]
