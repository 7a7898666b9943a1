"""The measured twin of a published model: the fit that never saw the held-out customers.

The published model is fitted again on nearly everybody, so it cannot be compared fairly on anybody. Its
twin can: it lies beside it in the checkpoint, or is the published model where that was not fitted again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from model.errors import ComparisonError
from model.predictor import Predictor, rebuild_scorer
from model.scorer import Scorer
from model.store.checkpoint import Checkpoint, pack, read_checkpoint, unpack
from model.store.manifest import Manifest, ModelDescription
from model.store.seal import damaged, describe_errors
from model.times import parse_time
from training.run.run import Run
from training.split.plan import HeldOut

TWIN: Final = "measured.json"
TWIN_WEIGHTS: Final = "measured.safetensors"


@dataclass(frozen=True)
class Twin:
    """A version as it can be compared.

    Attributes:
        scorer: answers like the version, without having seen whom it held out.
        held_out: who that was.
        data_end: the instant at which the version's data ended.
    """

    version: int
    scorer: Scorer
    held_out: HeldOut
    data_end: int


def twin_files(run: Run) -> dict[str, bytes]:
    """Further files of a run's checkpoint; none where the published model is the measured one."""
    if run.published is run.measured:
        return {}
    scorer = run.measured.scorer
    description = ModelDescription(
        task=scorer.task, schema_=scorer.schema, network=scorer.spec, calibration=scorer.calibration
    )
    return {
        TWIN: description.model_dump_json(by_alias=True, indent=1).encode(),
        TWIN_WEIGHTS: pack(scorer.network.state_dict()),
    }


def read_twin(folder: Path, *, device: str = "cpu") -> Twin:
    """The twin of a checkpoint, verified with it and rebuilt from the same allow-list.

    Raises:
        ComparisonError: the version was published without one.
        CheckpointError: the checkpoint is damaged, or does not give its golden answers here.
        DeviceError: the device is not on this machine.
    """
    checkpoint = read_checkpoint(folder, keep=(TWIN, TWIN_WEIGHTS))
    manifest, published = checkpoint.manifest, Predictor.build(checkpoint, device=device)
    refitted = manifest.provenance.get("refit") is not False
    return Twin(
        version=manifest.version,
        scorer=_twin(checkpoint, folder, device) if refitted else published.scorer,
        held_out=_held_out(manifest),
        data_end=parse_time(manifest.provenance["data_end"]),
    )


def _twin(checkpoint: Checkpoint, folder: Path, device: str) -> Scorer:
    if not {TWIN, TWIN_WEIGHTS} <= checkpoint.kept.keys():
        raise _without_record(checkpoint.manifest)
    try:
        model = ModelDescription.model_validate_json(checkpoint.kept[TWIN], strict=True)
    except ValidationError as error:
        raise damaged(f"{folder / TWIN} must describe a model: {describe_errors(error)}") from None
    weights = unpack(checkpoint.kept[TWIN_WEIGHTS], folder / TWIN_WEIGHTS)
    return rebuild_scorer(model, weights, device=device)


def _held_out(manifest: Manifest) -> HeldOut:
    try:
        return HeldOut.model_validate(manifest.provenance["held_out"])
    except (KeyError, ValidationError):
        raise _without_record(manifest) from None


def _without_record(manifest: Manifest) -> ComparisonError:
    return ComparisonError(
        f"version {manifest.version} must tell whom it never saw, however it was published without a record"
    )
