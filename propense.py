"""The public Python API of Propense, and the entry point of its command.

import propense

trained = propense.train("cancel.yaml")
predictor = propense.load("registry", "cancel")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.predictor import Predictor
    from training.publish.publish import Trained
    from training.study.study import Study

__all__ = ["load", "train"]


def train(
    study: "str | Path | Study", registry: str | Path = "registry", *, overrides: Sequence[str] = ()
) -> "Trained":
    """Train a study and publish the result as the next version of its name.

    Args:
        study: a study file, or a study.
        registry: folder of the models; made if it does not exist.
        overrides: `KEY=VALUE` each, as `propense train --set` takes them; for a study file only.

    Raises:
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written.
    """
    from model.store.registry import Registry
    from training.publish.publish import train
    from training.study.study import Study, read_study

    if isinstance(study, Study):
        if overrides:
            raise ValueError("overrides need a study file, got a Study; change the Study instead")
        return train(study, Registry(Path(registry)))
    return train(read_study(Path(study), overrides), Registry(Path(registry)))


def load(registry: str | Path, name: str, version: int | None = None, *, device: str = "cpu") -> "Predictor":
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

    return load_version(Registry(Path(registry)), name, version, device=device)
