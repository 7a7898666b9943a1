"""Little networks, and examples for the loop that fits them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.features.inputs import Inputs, Steps
from model.network.batch import gather
from model.network.network import Network, build_network
from model.network.trunk import average
from model.schema import NumericColumn, Scaling, Schema, Series
from model.store.manifest import HeadName, NetworkSpec
from training.fit.loop import Fit, FitData, OnEpoch, Schedule, fit
from training.study.sections import FitOptions

CPU: Final = torch.device("cpu")
F: Final = 3
SCALING: Final = Scaling(
    center=0, scale=1, mean=0, deviation=1, edges=(-1.0, 0.0, 1.0), low=-3, high=3, median=0
)


def network(
    head: HeadName = "mlp", *, seed: int = 0, outputs: int = 1, dropout: float = 0.0, series: bool = False
) -> Network:
    """Three small networks that read three numbers, and a series if asked."""
    torch.manual_seed(seed)
    schema = Schema(
        id=None,
        columns=tuple(NumericColumn(name=n, scaling=SCALING) for n in "abc"),
        series=(Series(name="d", columns=("a", "b", "c"), scaling=SCALING),) if series else (),
    )
    spec = NetworkSpec(
        head=head, width=16, layers=1, dropout=dropout, embedding=2, folds=F, members=2, piecewise=True
    )
    return build_network(spec, schema, n_outputs=outputs)


def fit_data(
    n: int = 400, seed: int = 0, *, outputs: int = 1, noise: float = 0.0, series: bool = False
) -> FitData:
    """Events that happen where the first number is positive, or (that share) at random; all are judged."""
    draw = np.random.default_rng(seed)
    numbers = draw.normal(size=(n, 3)).astype(np.float32)
    happened = np.where(draw.random(n) < noise, draw.random(n) < 0.5, numbers[:, 0] > 0)
    events = np.repeat(happened[:, None], outputs, axis=1).astype(np.float32)
    inputs = Inputs(
        numbers,
        np.zeros((n, 0), dtype=np.int64),
        _steps(n, draw) if series else None,
    )
    fold = draw.permutation(np.arange(n) % F)
    return FitData(
        inputs, torch.from_numpy(events), torch.ones((n, outputs)), fold, np.ones(n, dtype=np.bool_)
    )


def _steps(n: int, draw: np.random.Generator) -> Steps:
    """Sequences of one to four steps."""
    lengths = draw.integers(1, 5, n)
    ends = lengths.cumsum()
    numbers = draw.normal(size=(int(ends[-1]), 1)).astype(np.float32)
    return Steps(numbers, np.zeros((len(numbers), 0), dtype=np.int64), ends - lengths, ends)


def fitted(network: Network, data: FitData, *, on_epoch: OnEpoch = lambda _: None, **changes: Any) -> Fit:
    """The outcome of a short fit; everything drawn in it repeats."""
    length = {"batch_size": 50, "epochs": 10, "patience": 10}
    length = {name: changes.pop(name, value) for name, value in length.items()}
    steps = max(round(len(data) * (F - 1) / F / length["batch_size"]), 1)
    schedule = Schedule(steps=changes.pop("steps", steps), **length)
    options = FitOptions(device="cpu", **{"learning_rate": 0.02, "weight_decay": 0.0, **changes})
    torch.manual_seed(0)
    return fit(network, data, options, schedule, device=CPU, on_epoch=on_epoch)


@torch.inference_mode()
def unseen(network: Network, data: FitData) -> NDArray[np.float64]:
    """(J, K) logits of the judged examples, each by the network of its fold."""
    judged = np.flatnonzero(data.judged)
    members = network.eval().folds(gather(data.inputs, torch.from_numpy(judged)))
    by_fold = average(members.transpose(0, 1)).double().numpy()
    own: NDArray[np.float64] = by_fold[data.fold[judged], np.arange(len(judged))]
    return own


def weights(network: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def weights_of(network: nn.Module, fold: int) -> dict[str, Tensor]:
    """A copy of the weights of one fold's network."""
    own = f"readers.{fold}."
    return {
        name: (tensor if name.startswith(own) else tensor[fold]).detach().clone()
        for name, tensor in network.named_parameters()
        if name.startswith(own) or not name.startswith("readers.")
    }


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether all weights agree to the bit."""
    assert one.keys() == other.keys()
    return all(np.array_equal(one[name], other[name]) for name in one)
