"""The network of the tutorial and the peers: embeddings beside scaled numbers, then 256-128-1; untrained."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from tests.benchmarks.serving.sample import CATEGORIES, NUMBERS

_CODES: Final = {name: {text: code for code, text in enumerate(known)} for name, known in CATEGORIES.items()}
_EMBEDDING: Final = 8


class Network(nn.Module):
    """Shape: (B, 20) numbers and (B, 8) codes -> (B,) probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(len(known), _EMBEDDING) for known in CATEGORIES.values())
        self.scale = nn.BatchNorm1d(len(NUMBERS), affine=False)
        width = len(NUMBERS) + _EMBEDDING * len(CATEGORIES)
        self.layers = nn.Sequential(
            nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 1)
        )

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        tokens = [table(codes[:, i]) for i, table in enumerate(self.tables)]
        logits: Tensor = self.layers(torch.cat([self.scale(numbers), *tokens], dim=1))
        return logits.sigmoid()[:, 0]


def build() -> Network:
    """The same network in every process."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = Network().eval()
    network.scale.running_mean.fill_(20.0)  # type: ignore[union-attr]
    network.scale.running_var.fill_(400.0)  # type: ignore[union-attr]
    return network


@torch.inference_mode()
def probabilities(network: Network, rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Of each customer, by a plain way from its fields to tensors."""
    numbers = torch.tensor([[float(row[name]) for name in NUMBERS] for row in rows])
    codes = torch.tensor([[_CODES[name][row[name]] for name in CATEGORIES] for row in rows])
    answers: list[float] = network(numbers, codes).tolist()
    return answers


def reference(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """What a server with this network must answer."""
    return probabilities(build(), rows)
