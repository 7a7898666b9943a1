"""The self-supervised start: after each step, predict the next one's categories, gap and values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from model.features.inputs import Inputs, Steps
from model.features.sequence import AGE, GAP, STEP_NUMBERS
from model.network.batch import Batch, gather
from model.network.steps import StepReader
from tests.benchmarks.pretraining.encoders import embed, state_width, step_states

STEPS: Final = 600
BATCH: Final = 128  # customers
LEARNING_RATE: Final = 0.004
MEASURED: Final = 50  # steps at the end, over which the loss is told


@dataclass(frozen=True)
class Losses:
    """The loss over the last steps of the start.

    Attributes:
        reached: by the reader.
        blind: by the best answer that is the same after every step.
    """

    reached: float
    blind: float


@dataclass(frozen=True)
class Wanted:
    """What is predicted of the next step, of all those that follow another.

    Attributes:
        columns: positions of its numbers: the gap and the values.
        mean, deviation: (numbers,) of each.
        rates: the shares of each category column's codes.
    """

    columns: Sequence[int]
    mean: Tensor
    deviation: Tensor
    rates: Sequence[Tensor]

    def numbers(self, steps: Tensor) -> Tensor:
        """(..., S) numbers of steps -> (..., numbers) to predict, of mean 0 and deviation 1."""
        return (steps[..., self.columns] - self.mean) / self.deviation

    @property
    def blind(self) -> float:
        """The loss of an answer that is the same after every step."""
        entropies = [torch.special.entr(rates).sum() for rates in self.rates]
        return float(torch.stack([*entropies, *torch.ones(len(self.columns))]).mean())


class NextEvent(nn.Module):
    """A state in front of the next step: logits of its categories, and its numbers.

    Shape: (n, width) -> one (n, size) for each category column, and (n, 1 + values).
    """

    def __init__(self, width: int, sizes: Sequence[int], n_numbers: int) -> None:
        super().__init__()
        self.categories = nn.ModuleList(nn.Linear(width, size) for size in sizes)
        self.numbers = nn.Linear(width, n_numbers)

    def forward(self, states: Tensor) -> tuple[list[Tensor], Tensor]:
        return [layer(states) for layer in self.categories], self.numbers(states)


def pretrain(reader: StepReader, inputs: Inputs, sizes: Sequence[int], *, seed: int) -> Losses:
    """Fit a reader's embedding and encoder to the order of the events alone.

    The age of a step is hidden as a missing number: it tells how long the next event may be waited for.

    Args:
        inputs: sequences that end before any label begins.
        sizes: codes of each category column.
        seed: of the batches.
    """
    assert inputs.steps is not None
    wanted = next_of(inputs.steps, sizes)
    answer = NextEvent(state_width(reader.encoder), sizes, len(wanted.columns))
    optimizer = torch.optim.AdamW([*reader.parameters(), *answer.parameters()], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS)
    longer = torch.from_numpy(np.flatnonzero(inputs.steps.ends - inputs.steps.starts > 1))
    order = torch.Generator().manual_seed(seed)
    history = []
    reader.train()
    for _ in range(STEPS):
        batch = gather(inputs, longer[torch.randint(len(longer), (BATCH,), generator=order)])
        loss = _batch_loss(reader, answer, batch, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        history.append(loss.detach())
    return Losses(float(torch.stack(history[-MEASURED:]).mean()), wanted.blind)


def next_of(steps: Steps, sizes: Sequence[int]) -> Wanted:
    """The statistics of all steps that follow another in a sequence."""
    edges = np.zeros(len(steps.numbers) + 1, dtype=np.int64)
    longer = steps.ends - steps.starts > 1
    np.add.at(edges, steps.starts[longer] + 1, 1)
    np.add.at(edges, steps.ends[longer], -1)
    follows = edges.cumsum()[:-1] > 0
    columns = [GAP, *range(len(STEP_NUMBERS), steps.numbers.shape[1])]
    numbers = torch.from_numpy(steps.numbers[follows][:, columns])
    codes = torch.from_numpy(steps.categories[follows])
    mean = numbers.nanmean(dim=0)
    return Wanted(
        columns,
        mean,
        (numbers - mean).square().nanmean(dim=0).sqrt().clamp(min=1e-6),
        [torch.bincount(codes[:, c], minlength=size) / len(codes) for c, size in enumerate(sizes)],
    )


def _batch_loss(reader: StepReader, answer: NextEvent, batch: Batch, wanted: Wanted) -> Tensor:
    numbers = batch.steps.clone()
    numbers[..., AGE] = torch.nan
    states = step_states(reader.encoder, embed(reader, numbers, batch.step_categories))
    real = torch.arange(1, numbers.shape[1]) < batch.lengths[:, None]
    told = answer(states[:, :-1][real])
    return next_event_loss(told, batch.step_categories[:, 1:][real], wanted.numbers(batch.steps[:, 1:][real]))


def next_event_loss(told: tuple[list[Tensor], Tensor], codes: Tensor, numbers: Tensor) -> Tensor:
    """Mean over the parts of a next event: cross entropies of codes, squared errors of known numbers.

    Args:
        codes: (n, T) of the next step.
        numbers: (n, 1 + values) of the next step; NaN unknown.
    """
    logits, predicted = told
    parts = [nn.functional.cross_entropy(z, codes[:, column]) for column, z in enumerate(logits)]
    known = ~numbers.isnan()
    errors = torch.where(known, predicted - numbers.nan_to_num(), 0.0).square()
    parts += list(errors.sum(dim=0) / known.sum(dim=0).clamp(min=1))
    return torch.stack(parts).mean()
