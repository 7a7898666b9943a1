"""The device that tensors are computed on: its name in a study or a setting, and its choice here."""

import json
import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator

from model.errors import DeviceError

if TYPE_CHECKING:
    import torch

_NAME: Final = re.compile("auto|cpu|mps|cuda(:[0-9]+)?")


def _checked(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"must be auto, cpu, mps, cuda or cuda:N, got {json.dumps(text)}")
    return text


DeviceName = Annotated[str, AfterValidator(_checked)]


def choose_device(name: str) -> "torch.device":
    """Return a device by name; "auto" picks cuda, then mps, then cpu.

    Choosing cuda sets convolutions and GRUs to full float32. Their default, TF32, keeps three digits, too
    few for the check of the golden customers.

    Raises:
        DeviceError: the named device is not on this machine.
    """
    import torch  # slow to load, and not needed to read a study

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    available = [kind for kind, there in present.items() if there]
    try:
        device = torch.device(available[0] if name == "auto" else name)
    except RuntimeError:
        device = None
    if device is None or device.type not in available:
        raise DeviceError(f"device must be one of auto, {', '.join(available)} on this machine, got {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"this machine has {torch.cuda.device_count()} cuda devices, got {name!r}")
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return device
