"""The same network and batches in the loop that one writes by hand: an item a row, and PyTorch's defaults."""

from collections.abc import Sequence
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from model.network.batch import Batch, gather
from model.store.manifest import HeadName
from tests.benchmarks.training_speed.alone import THREADS
from tests.benchmarks.training_speed.ours import Parts, parts_of
from tests.benchmarks.training_speed.steps import Steps, time_steps
from tests.benchmarks.training_speed.worlds import WorldName, make_world
from training.fit.loop import FitData

Item = tuple[Batch, Tensor]


class Rows(Dataset[Item]):
    """One example at a time: what the network reads about it, and its label."""

    def __init__(self, data: FitData) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, row: int) -> Item:
        return gather(self.data.inputs, torch.tensor([row])), self.data.events[row]


def collate(items: Sequence[Item]) -> Item:
    """Stack the items, and pad the sequences to the longest."""
    batches = [batch for batch, _ in items]
    padded = nn.utils.rnn.pad_sequence
    batch = Batch(
        numeric=torch.cat([b.numeric for b in batches]),
        categories=torch.cat([b.categories for b in batches]),
        steps=padded([b.steps[0] for b in batches], batch_first=True),
        step_categories=padded([b.step_categories[0] for b in batches], batch_first=True),
        lengths=torch.cat([b.lengths for b in batches]),
    )
    return batch, torch.stack([label for _, label in items])


def plain_loop(parts: Parts) -> None:
    """Epoch after epoch, for ever: each fold's examples from a loader of its own."""
    network, rows, F = parts.network.train(), Rows(parts.data), parts.network.n_folds
    readers = [np.flatnonzero(parts.data.fold != fold).tolist() for fold in range(F)]
    loaders = [
        DataLoader(
            Subset(rows, reads), batch_size=parts.batch_size, shuffle=True, collate_fn=list, drop_last=True
        )
        for reads in readers
    ]
    optimizer, loss_of = torch.optim.AdamW(network.parameters()), nn.BCEWithLogitsLoss()
    for _epoch in count():
        for items in zip(*loaders, strict=False):
            batch, labels = collate([item for part in items for item in part])
            logits = network.members(batch)
            loss = loss_of(logits, labels.unflatten(0, (F, -1))[:, None].expand_as(logits))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def plain_steps(world_name: WorldName, head: HeadName, n: int, *, limit_s: float) -> Steps:
    """Time the loop."""
    torch.set_num_threads(THREADS)
    parts = parts_of(make_world(world_name, n), head)
    return time_steps(lambda: plain_loop(parts), limit_s=limit_s)
