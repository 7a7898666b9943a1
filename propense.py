"""The public Python API of Propense, and the entry point of its command.

import propense

trained = propense.train("cancel.yaml")
model = propense.load("registry", "cancel")
scores = model.predict(customers, events, as_of="2024-06-01", reasons=3)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from model.predictor import Predictor
    from model.store.manifest import Manifest
    from training.publish.publish import Trained
    from training.study.study import Study

__all__ = ["Model", "load", "train"]


@dataclass(frozen=True)
class Model:
    """A version of a registry, ready to predict. A notebook shows its report."""

    predictor: "Predictor"
    folder: Path

    @property
    def manifest(self) -> "Manifest":
        """What the checkpoint says of the model."""
        return self.predictor.manifest

    def predict(
        self,
        customers: "pd.DataFrame | None" = None,
        events: "pd.DataFrame | None" = None,
        *,
        as_of: "str | date | None" = None,
        reasons: int = 0,
    ) -> "pd.DataFrame":
        """Score customers: what `propense score` writes of the CSV files of these frames, bit for bit.

        Args:
            customers: a row each, with the columns of the study; the index is not read.
            events: the log, with every event of each customer. Without a frame the study's files are read.
            as_of: as `--as-of`; None as without it.
            reasons: of each score, in words and percentage points.

        Returns:
            A row a customer; what was read otherwise than it stands there is in `attrs["notes"]`.

        Raises:
            SchemaError, DataError: the frames cannot be used, or lack a field that the model reads.
        """
        from tempfile import TemporaryDirectory

        import pandas as pd

        from model.scoring.score_file import score_file
        from training.cli.score import inputs_of

        with TemporaryDirectory() as folder:
            people, log = _written(customers, folder, "customers"), _written(events, folder, "events")
            day = None if as_of is None else str(as_of)
            people, log, instant, notes = inputs_of(self.predictor, people, log, day)
            out = Path(folder, "scores.parquet")
            done = score_file(
                self.predictor, out, customers=people, events=log, as_of=instant, reasons=reasons
            )
            scores = pd.read_parquet(out)
        scores.attrs["notes"] = [*notes, *done.notes]
        return scores

    def explain(
        self,
        customers: "pd.DataFrame | None" = None,
        events: "pd.DataFrame | None" = None,
        *,
        as_of: "str | date | None" = None,
    ) -> "pd.DataFrame":
        """Return all reasons of each score: a row a customer and reason, the largest first."""
        import pandas as pd

        n = self.predictor.n_reasons
        scores = self.predict(customers, events, as_of=as_of, reasons=n)
        names = [(f"reason_{rank}", f"reason_{rank}_points") for rank in range(1, n + 1)]
        parts = [
            scores[["customer_id", "probability", *pair]].set_axis(
                ["customer_id", "probability", "reason", "points"], axis=1
            )
            for pair in names
        ]
        return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)

    def _repr_html_(self) -> str:
        """The report, in a frame of its own: its styles are not those of the notebook."""
        report = (self.folder / "report.html").read_text(encoding="utf-8")
        return f'<iframe srcdoc="{escape(report)}" style="width:100%;height:40em;border:0"></iframe>'


def train(
    study: "str | Path | Mapping[str, Any] | Study",
    registry: str | Path = "registry",
    *,
    overrides: Sequence[str] = (),
) -> "Trained":
    """Train a study and publish the result as the next version of its name.

    Args:
        study: a study file, its keys as a dict (paths are relative to the current folder), or a study.
        registry: folder of the models; made if it does not exist.
        overrides: `KEY=VALUE` each, as `propense train --set` takes them; for a study file only.

    Raises:
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written.
    """
    from model.store.registry import Registry
    from training.publish.publish import train
    from training.study.study import Study, read_study, study_of

    if isinstance(study, str | Path):
        return train(read_study(Path(study), overrides), Registry(Path(registry)))
    if overrides:
        raise ValueError("overrides need a study file, got a study; change its keys instead")
    return train(study if isinstance(study, Study) else study_of(study, Path()), Registry(Path(registry)))


def load(registry: str | Path, name: str, version: int | None = None, *, device: str = "cpu") -> Model:
    """Load a model of a registry, verified and ready to predict.

    Args:
        version: the champion if None.
        device: cpu, cuda, cuda:N, mps or auto.

    Raises:
        CheckpointError: there is no such model, or it is damaged or not reproducible on this machine.
        DeviceError: the device is not on this machine.
    """
    from model.predictor import load_version
    from model.store.registry import Registry

    shelf = Registry(Path(registry))
    predictor = load_version(shelf, name, version, device=device)
    return Model(predictor, shelf.folder(name, predictor.manifest.version))


def _written(frame: "pd.DataFrame | None", folder: str, name: str) -> Path | None:
    path = Path(folder, f"{name}.csv")
    if frame is None:
        return None
    frame.to_csv(path, index=False)
    return path
