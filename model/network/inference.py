"""A network in use: its logits for many inputs, its weights as arrays, and its construction from them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from model.device import choose_device
from model.features.inputs import Inputs
from model.network.batch import gather
from model.network.layout import check_weights
from model.network.network import Network, build_network
from model.network.trunk import average
from model.probability import Logits
from model.schema import Schema
from model.store.checkpoint import Weights
from model.store.manifest import NetworkSpec

BATCH_SIZE: Final = 4096


@dataclass(frozen=True)
class TorchNetwork:
    """A network in eval mode on a device."""

    network: Network
    device: torch.device

    @torch.inference_mode()
    def logits(self, inputs: Inputs) -> Logits:
        """(n, K) float64 uncalibrated logits, computed in batches of a fixed size."""
        parts = torch.arange(len(inputs)).split(BATCH_SIZE)
        found = [self.network(gather(inputs, rows).to(self.device)).cpu().double() for rows in parts]
        joined: Logits = torch.cat(found).numpy()
        return joined

    @torch.inference_mode()
    def read_steps(self, inputs: Inputs) -> NDArray[np.float32]:
        """(F, n, read) what each network of a head that reads steps reads of them."""
        batch = gather(inputs, torch.arange(len(inputs))).to(self.device)
        read: NDArray[np.float32] = torch.stack([of(batch) for of in self.network.readers]).cpu().numpy()
        return read

    @torch.inference_mode()
    def fold_logits(self, inputs: Inputs) -> NDArray[np.float64]:
        """(F, n, K) float64 logits of each fold's ensemble."""
        parts = torch.arange(len(inputs)).split(BATCH_SIZE)
        found = [self.network.folds(gather(inputs, rows).to(self.device)) for rows in parts]
        averaged = [average(members.transpose(0, 1)).cpu().double() for members in found]
        joined: NDArray[np.float64] = torch.cat(averaged, dim=1).numpy()
        return joined


def load_network(
    schema: Schema, spec: NetworkSpec, weights: Weights, device: str, *, n_outputs: int
) -> TorchNetwork:
    """Build the network of a schema with the weights of a checkpoint.

    Raises:
        CheckpointError: the weights do not fit.
        DeviceError: the device is not on this machine.
    """
    chosen = choose_device(device)
    network = build_network(spec, schema, n_outputs=n_outputs)
    check_weights(weights, {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()})
    network.load_state_dict({name: torch.tensor(weight) for name, weight in weights.items()})
    return TorchNetwork(network.to(chosen).eval(), chosen)


def weights_of(network: nn.Module) -> Weights:
    """Return a copy of all weights."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}
