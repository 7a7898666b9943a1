"""A device is chosen, or the error lists those of this machine."""

import subprocess
import sys

import pytest
import torch

from model.device import choose_device
from model.errors import DeviceError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with a CPU only."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    return monkeypatch


@pytest.fixture
def two_gpus(machine: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine on which torch reports two GPUs."""
    machine.setattr("torch.cuda.is_available", lambda: True)
    machine.setattr("torch.cuda.device_count", lambda: 2)
    machine.setattr(torch.backends.cudnn, "allow_tf32", True)
    return machine


def refused(name: str) -> str:
    with pytest.raises(DeviceError) as error:
        choose_device(name)
    return str(error.value)


@pytest.mark.usefixtures("machine")
def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto") == torch.device("cpu")


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "meta", "gpu", "", "CPU", "cuda:x"])
def test_what_is_not_there_is_refused(name: str) -> None:
    assert refused(name) == f"device must be one of auto, cpu on this machine, got {name!r}"


def test_auto_prefers_cuda_then_mps(two_gpus: pytest.MonkeyPatch) -> None:
    assert choose_device("auto") == torch.device("cuda")
    two_gpus.setattr("torch.backends.mps.is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")
    two_gpus.setattr("torch.cuda.is_available", lambda: False)
    assert choose_device("auto") == torch.device("mps")


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_may_be_numbered() -> None:
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert refused("cuda:2") == "this machine has 2 cuda devices, got 'cuda:2'"
    assert refused("mps") == "device must be one of auto, cuda, cpu on this machine, got 'mps'"


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:1"])
def test_choosing_cuda_gives_up_tf32(name: str) -> None:
    choose_device("cpu")
    assert torch.backends.cudnn.allow_tf32
    choose_device(name)
    assert not torch.backends.cudnn.allow_tf32


def test_a_device_name_needs_no_torch() -> None:
    script = "import sys, model.device; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.gpu
def test_a_tensor_can_be_put_on_the_chosen_gpu() -> None:
    assert torch.ones(2, device=choose_device("auto")).is_cuda
