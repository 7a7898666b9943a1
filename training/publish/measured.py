"""The measured model of a version: the fit that never read the held-out customers.

The published model is usually fitted again on all customers, so it cannot be compared on unseen ones. The
measured model can. It is stored in the same checkpoint, or is the published model without a refit.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from model.errors import ComparisonError
from model.predictor import Predictor
from model.scorer import Scorer, build_scorer
from model.store.checkpoint import Checkpoint, pack, read_checkpoint, unpack
from model.store.manifest import Manifest, ModelDescription
from model.store.seal import damaged, describe_errors
from model.times import parse_time
from training.run.run import Run
from training.split.plan import HeldOut

MEASURED: Final = "measured.json"
MEASURED_WEIGHTS: Final = "measured.safetensors"


@dataclass(frozen=True)
class MeasuredModel:
    """The measured model of a version.

    Attributes:
        scorer: the fit without the held-out customers.
        held_out: the rule that recognises these customers.
        data_end: the end of the version's data.
    """

    version: int
    scorer: Scorer
    held_out: HeldOut
    data_end: int


def measured_files(run: Run) -> dict[str, bytes]:
    """Return the files of the measured model for the checkpoint; none if it is the published one."""
    if run.published is run.measured:
        return {}
    scorer = run.measured.scorer
    description = ModelDescription(
        task=scorer.task, schema_=scorer.schema, network=scorer.spec, calibration=scorer.calibration
    )
    return {
        MEASURED: description.model_dump_json(by_alias=True, indent=1).encode(),
        MEASURED_WEIGHTS: pack(scorer.weights),
    }


def read_measured_model(folder: Path, *, device: str = "cpu") -> MeasuredModel:
    """Read and verify the measured model of a checkpoint.

    Raises:
        ComparisonError: the version has no measured model.
        CheckpointError: the checkpoint is damaged, or does not reproduce its golden probabilities.
        DeviceError: the device is not on this machine.
    """
    checkpoint = read_checkpoint(folder, keep=(MEASURED, MEASURED_WEIGHTS))
    manifest, published = checkpoint.manifest, Predictor.build(checkpoint, device=device)
    refitted = manifest.provenance.get("refit") is not False
    return MeasuredModel(
        version=manifest.version,
        scorer=_measured_scorer(checkpoint, folder, device) if refitted else published.scorer,
        held_out=_held_out(manifest),
        data_end=parse_time(manifest.provenance["data_end"]),
    )


def _measured_scorer(checkpoint: Checkpoint, folder: Path, device: str) -> Scorer:
    if not {MEASURED, MEASURED_WEIGHTS} <= checkpoint.kept.keys():
        raise _without_record(checkpoint.manifest)
    try:
        model = ModelDescription.model_validate_json(checkpoint.kept[MEASURED], strict=True)
    except ValidationError as error:
        raise damaged(f"{folder / MEASURED} must describe a model: {describe_errors(error)}") from None
    weights = unpack(checkpoint.kept[MEASURED_WEIGHTS], folder / MEASURED_WEIGHTS)
    return build_scorer(model, weights, device=device)


def _held_out(manifest: Manifest) -> HeldOut:
    try:
        return HeldOut.model_validate(manifest.provenance["held_out"])
    except (KeyError, ValidationError):
        raise _without_record(manifest) from None


def _without_record(manifest: Manifest) -> ComparisonError:
    return ComparisonError(
        f"version {manifest.version} must have a record of its held-out customers, got none."
    )
