"""Train a study: one run, measured and published as the next version of its name."""

from model.store.registry import Registry
from training.publish.publish import Trained, publish
from training.run.run import OnEpoch, run_study
from training.study.study import Study


def train(
    study: Study,
    registry: Registry,
    *,
    with_learning_curve: bool = False,
    on_epoch: OnEpoch = lambda _fit, _epoch: None,
) -> Trained:
    """Train a study and publish the result as the next version of its name.

    Raises:
        StudyError, DataError: the study or its data cannot be used; nothing is published.
        DeviceError: the device is not on this machine.
        CheckpointError: the registry cannot be written.
    """
    return publish(run_study(study, with_learning_curve=with_learning_curve, on_epoch=on_epoch), registry)
