"""Parts that do not pay on the later dates are left out, and the report says so."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from model.probability import event_by_horizon
from model.store.manifest import HeadName, NetworkSpec
from model.task import LogTask
from tests.training.log_plans import TASK, drawn_log, planned
from tests.training.shops import LOG, log_shop
from training.fit.loop import Epoch
from training.fit.model_fit import Fitted, ModelPlan
from training.measure.bootstrap import paired_differences
from training.question.labels import LabelledExamples
from training.report.results import build_report
from training.run.choice import Choice, Trial, choose
from training.run.run import run_study
from training.schema.fit_schema import ModelFields
from training.split.plan import Plan, SplitKind

LOGGED = drawn_log(0, 90)
PLAN = planned(LOGGED, TASK)
ASKED = LabelledExamples({}, LOGGED, PLAN.examples, PLAN.measured_labels)
SPEC = NetworkSpec(
    head="mlp", width=8, layers=1, dropout=0.0, embedding=2, folds=5, members=2, piecewise=True
)


def model(head: HeadName = "mlp", *, piecewise: bool = True, task: LogTask = TASK) -> ModelPlan:
    spec = SPEC.model_copy(update={"head": head, "piecewise": piecewise})
    return ModelPlan(task, ModelFields(None, {}), spec)


@dataclass
class Fits:
    """Stands for a fit: its loss is told beforehand, its logits are those of its own seed."""

    losses: dict[tuple[HeadName, bool], float]
    knows: float = 0.0  # what a sequence says of the outcome, in units of the logit
    tried: list[NetworkSpec] = field(default_factory=list)

    def __call__(self, tried: ModelPlan) -> Fitted:
        spec = tried.spec
        self.tried.append(spec)
        loss = self.losses[spec.head, spec.piecewise]
        history = (Epoch(1, 2, 0.1, 0.5, loss), Epoch(2, 2, 0.1, 0.5, loss + 1))
        return Fitted(cast(Any, spec), history, self.unseen(spec), 2.0)

    def unseen(self, spec: NetworkSpec) -> np.ndarray[Any, Any]:
        draw = np.random.default_rng(len(spec.head) + 10 * spec.piecewise)
        happened = PLAN.measured_labels.events[PLAN.measured.rows[PLAN.measured.judged]]
        told = self.knows * (2 * happened - 1) if spec.head != "mlp" else 0.0
        return draw.normal(-1, 1, happened.shape) + told

    def choose(self, asked_for: ModelPlan, plan: Plan = PLAN) -> tuple[NetworkSpec, Choice]:
        taken, fitted, choice = choose(ASKED, plan, asked_for, self)
        assert cast(Any, fitted.scorer) == taken.spec
        return taken.spec, choice


@pytest.mark.parametrize("kind", ["rows", "groups"])
def test_without_dates_nothing_is_chosen(kind: SplitKind) -> None:
    fits = Fits({("rnn", True): 0.5})
    assert fits.choose(model("rnn"), replace(PLAN, kind=kind)) == (model("rnn").spec, Choice())
    assert len(fits.tried) == 1


@pytest.mark.parametrize("kind", ["forward", "customers", "time"])
@pytest.mark.parametrize(
    ("coded", "plain", "piecewise"), [(0.41, 0.42, True), (0.42, 0.41, False), (0.41, 0.41, True)]
)
def test_numbers_are_read_as_the_later_dates_say(
    coded: float, plain: float, piecewise: bool, kind: SplitKind
) -> None:
    fits = Fits({("mlp", True): coded, ("mlp", False): plain})
    taken, choice = fits.choose(model(), replace(PLAN, kind=kind))
    assert taken == SPEC.model_copy(update={"piecewise": piecewise})
    assert choice.trials == (Trial("mlp", True, coded, 2.0), Trial("mlp", False, plain, 2.0))
    assert choice.sequence is None
    assert choice.sentences == (
        f"Numbers are read {'with' if piecewise else 'without'} a piecewise-linear code: the loss on the "
        f"later dates is {coded:.4f} with it and {plain:.4f} without."
    )


@pytest.mark.parametrize("piecewise", [True, False])
@pytest.mark.parametrize(("knows", "head"), [(3.0, "rnn"), (0.0, "mlp"), (-3.0, "mlp")])
def test_a_sequence_is_kept_if_it_beats_beyond_chance_the_best_way_of_reading_without_it(
    piecewise: bool, knows: float, head: HeadName
) -> None:
    losses: dict[tuple[HeadName, bool], float] = {("mlp", piecewise): 0.40, ("mlp", not piecewise): 0.50}
    fits = Fits({**losses, ("rnn", piecewise): 0.39}, knows)
    taken, choice = fits.choose(model("rnn"))
    assert (taken.head, taken.piecewise) == (head, piecewise)
    assert [(t.head, t.piecewise) for t in choice.trials] == [
        ("mlp", True),
        ("mlp", False),
        ("rnn", piecewise),
    ]
    assert ("so the rnn head is kept." in choice.sentences) == (head == "rnn")
    assert choice.sentences.endswith(
        "so the rnn head is kept." if head == "rnn" else "so the head is mlp instead of rnn."
    )


def test_what_a_sequence_adds_is_told_by_the_loss_of_what_no_network_had_read() -> None:
    fits = Fits({("mlp", True): 0.40, ("mlp", False): 0.50, ("cnn", True): 0.39})
    _, choice = fits.choose(model("cnn"))
    judged = PLAN.measured.rows[PLAN.measured.judged]
    known = PLAN.measured_labels.complete[judged, -1]
    rows = judged[known]
    happened = PLAN.measured_labels.outcomes[rows, -1].astype(np.float64)
    without, with_it = (
        event_by_horizon(fits.unseen(spec))[known, -1] for spec in (fits.tried[0], fits.tried[2])
    )
    wanted = paired_differences(happened, without, with_it, PLAN.groups[rows])["log_loss"]
    assert choice.sequence == wanted
    assert wanted.value is not None
    assert f"(log loss {wanted.value:+.4f}, 95 % interval {wanted.low:+.4f} to {wanted.high:+.4f})" in (
        choice.sentences
    )


def test_what_is_asked_not_to_happen_is_compared_by_the_same_loss() -> None:
    """The log loss of an absence is that of the event."""
    fits = Fits({("mlp", True): 0.40, ("mlp", False): 0.50, ("cnn", True): 0.39})
    absent = replace(
        ASKED, labels=replace(ASKED.labels, outcomes=~ASKED.labels.outcomes & ASKED.labels.complete)
    )
    one = choose(ASKED, PLAN, model("cnn"), fits)[2]
    task = LogTask(event="buy", outcome="absent", horizons_days=(5, 15))
    assert choose(absent, PLAN, model("cnn", task=task), fits)[2] == one


def test_a_study_that_reads_numbers_as_they_are_is_not_asked_again() -> None:
    fits = Fits({("mlp", False): 0.4, ("rnn", False): 0.3}, knows=3.0)
    taken, choice = fits.choose(model("rnn", piecewise=False))
    assert (taken.head, taken.piecewise) == ("rnn", False)
    assert [(spec.head, spec.piecewise) for spec in fits.tried] == [("mlp", False), ("rnn", False)]
    assert "piecewise" not in choice.sentences
    assert fits.choose(model(piecewise=False))[1] == Choice((Trial("mlp", False, 0.4, 2.0),))


def test_a_run_publishes_what_was_taken_and_reports_what_was_tried(tmp_path: Path) -> None:
    told: list[str] = []
    study = log_shop(tmp_path, 100).study(LOG, "network.choose=true", "network.head=rnn", "fit.epochs=1")
    found = run_study(study, on_epoch=lambda fit, _: told.append(fit))
    assert told.count("measuring") == 3
    assert told.count("publishing") == 1
    plain, sequence = found.choice.trials[:2], found.choice.trials[2]
    pays = found.choice.sequence is not None and (found.choice.sequence.high or 0) < 0
    best = sequence if pays else min(plain, key=lambda trial: trial.validation_loss)
    for fitted in (found.measured, found.published):
        assert (fitted.scorer.spec.head, fitted.scorer.spec.piecewise) == (best.head, best.piecewise)
    report = build_report(found)
    assert report["choice"]["sentences"] == found.choice.sentences != ""
    assert [trial["head"] for trial in report["choice"]["trials"]] == ["mlp", "mlp", "rnn"]
    assert report["fit"]["head"] == best.head
    assert report["fit"]["validation_loss"] == best.validation_loss
