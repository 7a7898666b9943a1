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
from training.split.plan import Folds

LOGGED = drawn_log(0, 90)
PLAN = planned(LOGGED, TASK)
LABELLED = LabelledExamples({}, LOGGED, PLAN.examples, PLAN.measured_labels)
SPEC = NetworkSpec(
    head="mlp", width=8, layers=1, dropout=0.0, embedding=2, folds=5, members=2, piecewise=True
)


def model(head: HeadName = "mlp", *, task: LogTask = TASK) -> ModelPlan:
    return ModelPlan(task, ModelFields(None, {}), SPEC.model_copy(update={"head": head}))


@dataclass
class Fits:
    """Stands for a fit: each head knows the outcome by so many units of the logit, beside a little noise."""

    knows: dict[str, float]
    tried: list[tuple[HeadName, int]] = field(default_factory=list)

    def __call__(self, tried: ModelPlan, folds: Folds) -> Fitted:
        self.tried.append((tried.spec.head, tried.spec.folds))
        history = (Epoch(1, 2, 0.1, 0.5, 0.4), Epoch(2, 2, 0.1, 0.5, 1.4))
        return Fitted(cast(Any, tried.spec), history, self.unseen(tried.spec.head, folds), 2.0)

    def unseen(self, head: str, folds: Folds = PLAN.measured) -> np.ndarray[Any, Any]:
        draw = np.random.default_rng(len(head))
        happened = PLAN.measured_labels.events[folds.rows[folds.judged]]
        told = self.knows.get(head, 0.0) * (2 * happened - 1)
        return draw.normal(0, 0.1, happened.shape) + told

    def choose(self, wanted: ModelPlan) -> tuple[HeadName, Choice]:
        chosen = choose(LABELLED, PLAN, wanted, self)
        spec = chosen.best.model.spec
        assert cast(Any, chosen.best.fitted.scorer) == spec
        return spec.head, chosen.choice


def test_a_network_better_beyond_noise_is_published() -> None:
    taken, choice = Fits({"linear": 1.0, "mlp": 2.0}).choose(model())
    assert taken == "mlp"
    assert choice.network is not None
    assert choice.network.high is not None
    assert choice.network.high < 0
    n = choice.examples
    assert choice.sentence == (
        f"The published model is the mlp network: on {n} training examples that the fits had not read, it is "
        f"better than logistic regression (log loss {choice.network.value:+.4f}, 95 % interval "
        f"{choice.network.low:+.4f} to {choice.network.high:+.4f})."
    )
    assert choice.trials == (Trial("linear", 0.4, 2.0), Trial("mlp", 0.4, 2.0))


@pytest.mark.parametrize(("knows", "than"), [(1.0, "no better beyond noise"), (0.5, "worse")])
def test_otherwise_logistic_regression_is_published(knows: float, than: str) -> None:
    fits = Fits({"linear": 1.0, "mlp": knows})
    taken, choice = fits.choose(model())
    assert taken == "linear"
    assert choice.sentence.startswith("The published model is logistic regression: on ")
    assert f"that the fits had not read, the mlp network is {than} (log loss " in choice.sentence


def test_the_head_that_was_not_chosen_is_kept_to_be_measured() -> None:
    fits = Fits({"linear": 1.0, "mlp": 2.0})
    found = choose(LABELLED, PLAN, model(), fits)
    assert found.other is not None
    assert found.other.model.spec.head == "linear"
    assert as_named(PLAN, model(), fits).other is None


@pytest.mark.parametrize(("knows", "taken"), [(3.0, "rnn"), (2.0, "mlp"), (0.0, "mlp")])
def test_a_sequence_is_kept_if_it_is_better_than_mlp_beyond_noise(knows: float, taken: HeadName) -> None:
    fits = Fits({"mlp": 2.0, "rnn": knows})
    found, choice = fits.choose(model("rnn"))
    assert found == taken
    assert fits.tried == [("linear", 5), ("mlp", 5), ("rnn", 5)]
    kept = "so its head is rnn." if taken == "rnn" else "so its head is mlp instead of rnn."
    assert choice.sequence_sentence.endswith(kept)


@pytest.mark.parametrize(("knows", "taken"), [(3.0, "rnn"), (2.0, "mlp"), (1.0, "mlp")])
def test_of_many_customers_a_sequence_is_tried_on_some_first(
    knows: float, taken: HeadName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.run.choice.TRIAL_CUSTOMERS", 60)
    monkeypatch.setattr("training.run.choice.RARER", 10)
    fits = Fits({"mlp": 2.0, "rnn": knows})
    found, chosen = fits.choose(model("rnn"))
    assert found == taken
    in_all_folds = [("linear", 5), ("mlp", 5)] + [("rnn", 5)] * (taken == "rnn")
    assert fits.tried == [("mlp", 1), ("rnn", 1), *in_all_folds]
    tried = "The sequence was tried with fits that read 60 customers. On " in chosen.sequence_sentence
    assert tried == (taken == "mlp")
    assert chosen.sequence is not None


def test_a_trial_reads_some_customers_and_is_judged_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.run.choice.TRIAL_CUSTOMERS", 60)
    monkeypatch.setattr("training.run.choice.RARER", 10)
    monkeypatch.setattr("training.run.choice.TRIAL_EXAMPLES", 100)
    seen: list[Folds] = []

    def fit(tried: ModelPlan, folds: Folds) -> Fitted:
        seen.append(folds)
        return Fits({"mlp": 2.0})(tried, folds)

    choose(LABELLED, PLAN, model("rnn"), fit)
    some, again = seen[:2]
    assert some is again
    read, judges = (np.unique(PLAN.groups[some.rows[side]]) for side in (some.fold != 0, some.judged))
    assert 0 < len(read) <= 60
    assert 0 < len(judges) <= 60
    assert not np.isin(judges, read).any()
    assert len(some.rows) <= 200
    assert np.isin(some.rows, PLAN.measured.rows).all()


def test_a_difference_is_that_of_the_log_loss_where_no_fit_had_read() -> None:
    fits = Fits({"mlp": 2.0, "rnn": 2.5})
    _, choice = fits.choose(model("rnn"))
    judged = PLAN.measured.rows[PLAN.measured.judged]
    known = PLAN.measured_labels.complete[judged, -1]
    rows, fold = judged[known], PLAN.measured.fold[PLAN.measured.judged][known]
    happened = PLAN.measured_labels.outcomes[rows, -1].astype(np.float64)
    without, with_it = (event_by_horizon(fits.unseen(head))[known, -1] for head in ("mlp", "rnn"))
    assert choice.sequence == loss_difference(happened, without, with_it, PLAN.groups[rows], fold)
    assert choice.examples == len(rows)


def test_an_absence_is_compared_by_the_same_loss() -> None:
    """The log loss of an absence is that of the event."""
    fits = Fits({"mlp": 2.0, "rnn": 2.5})
    outcomes = ~LABELLED.labels.outcomes & LABELLED.labels.complete
    absent = replace(LABELLED, labels=replace(LABELLED.labels, outcomes=outcomes))
    task = LogTask(event="buy", outcome="absent", horizons_days=(5, 15))
    assert choose(absent, PLAN, model("rnn", task=task), fits).choice == fits.choose(model("rnn"))[1]


def test_a_study_of_the_linear_head_compares_nothing() -> None:
    fits = Fits({})
    taken, choice = fits.choose(model("linear"))
    assert (taken, fits.tried) == ("linear", [("linear", 5)])
    assert choice == Choice("The study names the linear head, which is published.")


def test_a_run_publishes_what_was_chosen_and_measures_both_heads(tmp_path: Path) -> None:
    told: list[str] = []
    study = log_shop(tmp_path, 100).study(LOG, "network.choose=true", "network.head=rnn", "fit.epochs=1")
    found = run_study(study, on_epoch=lambda fit, _: told.append(fit))
    assert [trial.head for trial in found.choice.trials] == ["linear", "mlp", "rnn"]
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
    assert report["choice"]["sequence_sentence"] == found.choice.sequence_sentence != ""


def test_a_named_head_is_published_without_a_comparison(tmp_path: Path) -> None:
    found = run_study(table_shop(tmp_path).study(TABLE, "network.choose=false", "fit.epochs=1"))
    assert found.choice == Choice("The study names the mlp head, which is published.")
    assert found.published.scorer.spec.head == "mlp"
    assert list(found.metrics["label"]) == ["model", "gradient_boosting", "base_rate"]
