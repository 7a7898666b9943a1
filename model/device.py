"""Where tensors are computed."""

import torch

from model.errors import DeviceError


def choose_device(name: str) -> torch.device:
    """A device by name; "auto" picks cuda, then mps, then cpu.

    Choosing cuda sets convolutions and GRUs to the full float32 that the CPU has: their default, TF32,
    keeps three digits, fewer than golden customers must agree in.

    Raises:
        DeviceError: the named device is not on this machine.
    """
    available = [kind for kind, present in _present().items() if present]
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


def _present() -> dict[str, bool]:
    return {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
