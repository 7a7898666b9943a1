"""The versions of the registry side by side: their figures, and two of them on the same customers."""

import json
from dataclasses import asdict
from typing import Any, Final

from model.errors import CheckpointError, ComparisonError
from model.store.checkpoint import read_checkpoint
from model.store.registry import Registry
from training.measure.bootstrap import interval_text
from training.measure.measuring import MODEL
from training.prepare import prepare
from training.publish.comparison import compare_on_unseen, last_probability
from training.publish.decision import COMPARED, contrasts_of
from training.publish.measured import read_measured_model
from training.study.study import stored_study

_REPORT: Final = "report.json"


def version_figures(registry: Registry, name: str) -> list[dict[str, Any]]:
    """Return the date, head, figures and verdict of each version of a model; of a damaged one the reason.

    The figures are those of its own test, at the longest horizon.
    """
    champion, found = registry.champion(name), []
    for version in registry.versions(name):
        facts: dict[str, Any] = {"version": version, "champion": version == champion}
        try:
            checkpoint = read_checkpoint(registry.folder(name, version), keep=(_REPORT,))
        except CheckpointError as why:
            found.append(facts | {"error": str(why)})
            continue
        manifest, report = checkpoint.manifest, json.loads(checkpoint.kept.get(_REPORT, b"{}"))
        model, verdict = list(manifest.metrics.values())[-1][MODEL], report.get("verdict", {})
        facts |= {"created": manifest.created, "head": manifest.network.head}
        facts |= {key: model[key] for key in ("n", "positives", "auc", "log_loss")}
        facts |= {key: verdict.get(key) for key in ("outcome", "against", "fault")}
        found.append(facts)
    return found


def compare_versions(registry: Registry, name: str, one: int, other: int) -> dict[str, Any]:
    """Compare two versions on the present files of the later one's study.

    The customers are those that both held out, at dates when the training labels of both had closed; each is
    measured by its fit without them. The keys are as in the decision of a retraining, with `one` as the
    champion; the differences are `other` minus `one`, with 95 % intervals of a paired bootstrap.

    Raises:
        CheckpointError: there is no such version, or it is damaged.
        ComparisonError: the versions cannot be compared.
        StudyError, DataError: the data of the study cannot be used.
    """
    if one == other:
        raise ComparisonError(f"two versions must be compared, got {one} twice.")
    folders = [registry.folder(name, version) for version in (one, other)]
    first, second = (read_measured_model(folder) for folder in folders)
    study = stored_study(read_checkpoint(registry.folder(name, max(one, other))).manifest.provenance)
    prepared = prepare(study)
    comparison = compare_on_unseen(first, prepared, second)
    contrasts = contrasts_of(comparison, last_probability(second.scorer, prepared, comparison.rows))
    loss = contrasts["log_loss"]
    interval = interval_text(loss.low, loss.high)
    than = {"better": "is better than", "equal": "equals, within chance,", "worse": "is worse than"}[
        loss.outcome
    ]
    compared = comparison.facts()
    compared["sentence"] = compared["sentence"].replace("the challenger's", f"version {other}'s")
    return {
        "name": name,
        "champion_was": one,
        "challenger": other,
        "compared": compared,
        **{measure: asdict(contrasts[measure]) for measure in COMPARED},
        "reason": f"Version {other} {than} version {one}: log loss {loss.challenger:.4f} against "
        f"{loss.champion:.4f}, difference {loss.difference:+.4f}, {interval}.",
    }
