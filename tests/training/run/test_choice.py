"""A more complex model is published only where it is better beyond noise, and the report says so."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from model.probability import event_by_horizon
from model.store.manifest import HeadName, NetworkSpec
from model.task import LogTask
from tests.training.log_plans import TASK, drawn_log, planned
from tests.training.shops import LOG, TABLE, log_shop, table_shop
from training.fit.loop import Epoch
from training.fit.model_fit import Fitted, ModelPlan
from training.measure.loss_difference import loss_difference
from training.question.labels import LabelledExamples
from training.report.results import build_report
from training.run.choice import Choice, Trial, as_named, choose
from training.run.run import run_study
from training.schema.fit_schema import ModelFields
from training.split.plan import Plan, SplitKind

LOGGED = drawn_log(0, 90)
PLAN = planned(LOGGED, TASK)
LABELLED = LabelledExamples({}, LOGGED, PLAN.examples, PLAN.measured_labels)
SPEC = NetworkSpec(
    head="mlp", width=8, layers=1, dropout=0.0, embedding=2, folds=5, members=2, piecewise=True
)

Form = tuple[HeadName, bool]  # the head, and whether it reads numbers piece by piece

LINEAR: Form = ("linear", True)
CODED: Form = ("mlp", True)
PLAIN: Form = ("mlp", False)
RNN: Form = ("rnn", True)


def model(head: HeadName = "mlp", *, piecewise: bool = True, task: LogTask = TASK) -> ModelPlan:
    spec = SPEC.model_copy(update={"head": head, "piecewise": piecewise})
    return ModelPlan(task, ModelFields(None, {}), spec)


@dataclass
class Fits:
    """Stands for a fit: each form knows the outcome by so many units of the logit, beside a little noise."""

    knows: dict[Form, float]
    tried: list[Form] = field(default_factory=list)

    def __call__(self, tried: ModelPlan) -> Fitted:
        form: Form = (tried.spec.head, tried.spec.piecewise)
        self.tried.append(form)
        history = (Epoch(1, 2, 0.1, 0.5, 0.4), Epoch(2, 2, 0.1, 0.5, 1.4))
        return Fitted(cast(Any, tried.spec), history, self.unseen(form), 2.0)

    def unseen(self, form: Form) -> np.ndarray[Any, Any]:
        draw = np.random.default_rng(len(form[0]) + 10 * form[1])
        happened = PLAN.measured_labels.events[PLAN.measured.rows[PLAN.measured.judged]]
        told = self.knows.get(form, 0.0) * (2 * happened - 1)
        return draw.normal(0, 0.1, happened.shape) + told

    def choose(self, wanted: ModelPlan, plan: Plan = PLAN) -> tuple[Form, Choice]:
        chosen = choose(LABELLED, plan, wanted, self)
        spec = chosen.best.model.spec
        assert cast(Any, chosen.best.fitted.scorer) == spec
        return (spec.head, spec.piecewise), chosen.choice


def test_a_network_better_beyond_noise_is_published() -> None:
    taken, choice = Fits({LINEAR: 1.0, CODED: 2.0, PLAIN: 1.0}).choose(model())
    assert taken == CODED
    assert choice.network is not None
    assert choice.network.high is not None
    assert choice.network.high < 0
    n = choice.examples
    assert choice.sentence == (
        f"The published model is the mlp network: on {n} training examples that the fits had not read, it is "
        f"better than logistic regression (log loss {choice.network.value:+.4f}, 95 % interval "
        f"{choice.network.low:+.4f} to {choice.network.high:+.4f})."
    )
    assert choice.trials == tuple(Trial(head, coded, 0.4, 2.0) for head, coded in (LINEAR, CODED, PLAIN))


@pytest.mark.parametrize(("knows", "than"), [(1.0, "no better beyond noise"), (0.5, "worse")])
def test_otherwise_logistic_regression_is_published(knows: float, than: str) -> None:
    fits = Fits({LINEAR: 1.0, CODED: knows, PLAIN: knows})
    taken, choice = fits.choose(model())
    assert taken == LINEAR
    assert choice.sentence.startswith("The published model is logistic regression: on ")
    assert f"that the fits had not read, the mlp network is {than} (log loss " in choice.sentence


def test_the_head_that_was_not_chosen_is_kept_to_be_measured() -> None:
    fits = Fits({LINEAR: 1.0, CODED: 2.0})
    found = choose(LABELLED, PLAN, model(), fits)
    assert found.other is not None
    assert found.other.model.spec.head == "linear"
    assert as_named(model(), fits).other is None


@pytest.mark.parametrize("kind", ["forward", "customers", "time"])
@pytest.mark.parametrize(("plain", "taken"), [(1.0, CODED), (2.0, CODED), (3.0, PLAIN)])
def test_the_piecewise_code_is_left_out_only_where_that_is_better_beyond_noise(
    plain: float, taken: Form, kind: SplitKind
) -> None:
    found, choice = Fits({CODED: 2.0, PLAIN: plain}).choose(model(), replace(PLAN, kind=kind))
    assert found == taken
    reads = "linearly, which is better than piece by piece" if taken == PLAIN else "piece by piece; linearly"
    assert choice.forms.startswith(f"The network reads numbers {reads}")


@pytest.mark.parametrize("kind", ["rows", "groups"])
def test_without_dates_the_form_of_numbers_is_not_compared(kind: SplitKind) -> None:
    fits = Fits({CODED: 2.0, PLAIN: 3.0, RNN: 3.0})
    assert fits.choose(model("rnn"), replace(PLAN, kind=kind))[0] == RNN
    assert fits.tried == [LINEAR, CODED, RNN]


@pytest.mark.parametrize(("knows", "taken"), [(3.0, RNN), (2.0, CODED), (0.0, CODED)])
def test_a_sequence_is_kept_if_it_is_better_than_mlp_beyond_noise(knows: float, taken: Form) -> None:
    fits = Fits({CODED: 2.0, RNN: knows})
    found, choice = fits.choose(model("rnn"))
    assert found == taken
    assert fits.tried == [LINEAR, CODED, PLAIN, RNN]
    kept = "so its head is rnn." if taken == RNN else "so its head is mlp instead of rnn."
    assert choice.forms.endswith(kept)


def test_a_sequence_reads_numbers_as_the_better_mlp_does() -> None:
    fits = Fits({CODED: 1.0, PLAIN: 2.0, ("rnn", False): 3.0})
    assert fits.choose(model("rnn"))[0] == ("rnn", False)


def test_a_difference_is_that_of_the_log_loss_where_no_fit_had_read() -> None:
    fits = Fits({CODED: 2.0, RNN: 2.5})
    _, choice = fits.choose(model("rnn"))
    judged = PLAN.measured.rows[PLAN.measured.judged]
    known = PLAN.measured_labels.complete[judged, -1]
    rows, fold = judged[known], PLAN.measured.fold[PLAN.measured.judged][known]
    happened = PLAN.measured_labels.outcomes[rows, -1].astype(np.float64)
    without, with_it = (event_by_horizon(fits.unseen(form))[known, -1] for form in (CODED, RNN))
    assert choice.sequence == loss_difference(happened, without, with_it, PLAN.groups[rows], fold)
    assert choice.examples == len(rows)


def test_an_absence_is_compared_by_the_same_loss() -> None:
    """The log loss of an absence is that of the event."""
    fits = Fits({CODED: 2.0, RNN: 2.5})
    outcomes = ~LABELLED.labels.outcomes & LABELLED.labels.complete
    absent = replace(LABELLED, labels=replace(LABELLED.labels, outcomes=outcomes))
    task = LogTask(event="buy", outcome="absent", horizons_days=(5, 15))
    assert choose(absent, PLAN, model("rnn", task=task), fits).choice == fits.choose(model("rnn"))[1]


def test_a_study_with_linear_numbers_does_not_try_the_pieces() -> None:
    fits = Fits({PLAIN: 2.0, ("linear", False): 1.0})
    assert fits.choose(model(piecewise=False))[0] == PLAIN
    assert fits.tried == [("linear", False), PLAIN]


def test_a_study_of_the_linear_head_compares_nothing() -> None:
    fits = Fits({})
    taken, choice = fits.choose(model("linear"))
    assert (taken, fits.tried) == (LINEAR, [LINEAR])
    assert choice == Choice("The study names the linear head, which is published.")


def test_a_run_publishes_what_was_chosen_and_measures_both_heads(tmp_path: Path) -> None:
    told: list[str] = []
    study = log_shop(tmp_path, 100).study(LOG, "network.choose=true", "network.head=rnn", "fit.epochs=1")
    found = run_study(study, on_epoch=lambda fit, _: told.append(fit))
    assert [trial.head for trial in found.choice.trials] == ["linear", "mlp", "mlp", "rnn"]
    gain = found.choice.network
    assert gain is not None
    wins = gain.high is not None and gain.high < 0
    for fitted in (found.measured, found.published):
        assert (fitted.scorer.spec.head == "linear") == (not wins)
    other = next(name for name in found.metrics["30"] if name != "model")
    assert (other == "linear") == wins
    assert found.verdict.against not in ("linear", "mlp", "rnn")
    report = build_report(found)
    assert report["verdict"]["sentences"].startswith(found.choice.sentence)
    assert report["choice"]["forms"] == found.choice.forms != ""


def test_a_named_head_is_published_without_a_comparison(tmp_path: Path) -> None:
    found = run_study(table_shop(tmp_path).study(TABLE, "network.choose=false", "fit.epochs=1"))
    assert found.choice == Choice("The study names the mlp head, which is published.")
    assert found.published.scorer.spec.head == "mlp"
    assert list(found.metrics["label"]) == ["model", "gradient_boosting", "base_rate"]
