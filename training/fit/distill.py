"""One network that answers as a whole bag does: it is what gets published, since it is a tenth of the work.

It learns what the bag says of training examples and of made-up ones; no label is shown to it (Bucila,
Caruana & Niculescu-Mizil 2006, "Model compression"; Hinton, Vinyals & Dean 2015, arXiv 1503.02531).
"""

import time
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from model.features.inputs import Inputs
from model.network.network import Network, build_network
from model.probability import Calibration
from model.schema import Schema
from model.scorer import Scorer, build_scorer
from training.fit.model_fit import Fitted, Options, seeded
from training.fit.optimizer import Average, build_optimizer, falling_rate, take_step
from training.question.examples import Asked
from training.split.split import Rows

EXAMPLES: Final = 8192  # of the training examples, and as many made-up ones
CHECKED: Final = 1 / 8  # of these are kept back, to see how close the answers are
MOST_SWAPPED: Final = 0.5  # of a made-up example's columns
STEPS: Final = 300
BATCH: Final = 256
LEARNING_RATE: Final = 0.02  # answers of a bag have no noise, so it may be larger than for labels
MAX_EXCESS: Final = 0.005  # nats; beyond it the bag itself is published


def distilled(bag: Fitted, asked: Asked, rows: Rows, options: Options) -> Fitted:
    """The same fit with one network in place of the bag of an mlp head; a bag that cannot be matched stays.

    Args:
        rows: the training examples.
    """
    if bag.scorer.spec.reads_steps:
        return bag
    started = time.perf_counter()
    with seeded(options.seed, bag.scorer.device):
        some = rows[torch.randperm(len(rows))[:EXAMPLES].numpy()]
        known = bag.scorer.inputs(asked.columns, asked.log, asked.examples.take(some))
        n_checked = round(len(some) * CHECKED)
        checked, taught = _rows(known, slice(n_checked)), _rows(known, slice(n_checked, None))
        beside = made_up(taught, bag.scorer.schema, EXAMPLES)
        student = _student(bag.scorer, _joined(taught, beside), options)
    excess = _excess(bag.scorer, student, checked)
    seconds = bag.seconds + time.perf_counter() - started
    return replace(
        bag, scorer=student if excess <= MAX_EXCESS else bag.scorer, excess=excess, seconds=seconds
    )


def told_of(fit: Fitted) -> str:
    """A sentence about it for the report; empty where a bag was all that was tried."""
    if fit.excess is None:
        return ""
    if fit.excess <= MAX_EXCESS:
        return (
            f"One network answers in place of the bag, which adds {fit.excess:.4f} to the log loss where the "
            "bag is right."
        )
    return f"One network in place of the bag would add {fit.excess:.4f} to the log loss, so the bag answers."


def made_up(inputs: Inputs, schema: Schema, n: int) -> Inputs:
    """n examples of which up to half the columns come each from some other example.

    So the student sees the bag between and beyond the examples. What is read from one column (a category
    and its rate, a number and its code) comes from one example.
    """
    N = len(inputs)
    numbers, codes = _columns(schema, inputs)
    n_columns = inputs.numeric.shape[1] + inputs.categories.shape[1]
    source = torch.randint(N, (n, 1)).expand(n, n_columns)
    swapped = torch.rand(n, n_columns) < MOST_SWAPPED * torch.rand(n, 1)
    source = torch.where(swapped, torch.randint(N, (n, n_columns)), source)
    return Inputs(
        inputs.numeric.gather(0, source[:, numbers]), inputs.categories.gather(0, source[:, codes]), None
    )


def _columns(schema: Schema, inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Of each number and each code which column it is read from."""
    D, C = inputs.numeric.shape[1], inputs.categories.shape[1]
    numbers, codes = torch.arange(D), D + torch.arange(C)
    rated = [n for n, column in enumerate(schema.categorical) if column.rates]
    numbers[D - len(rated) :] = codes[rated]
    valued = [n for n, _ in schema.valued]
    codes[C - len(valued) :] = numbers[valued]
    return numbers, codes


def _student(bag: Scorer, inputs: Inputs, options: Options) -> Scorer:
    """A network of one fold and one member, which starts as the bag's first and learns what the bag says."""
    spec = bag.spec.model_copy(update={"folds": 1, "members": 1})
    network = build_network(spec, bag.schema, n_outputs=bag.task.n_outputs).to(bag.device)
    _start(network, bag.network)
    answers = torch.from_numpy(_logits(bag, inputs)).sigmoid().float().to(bag.device)
    optimizer = build_optimizer(network, LEARNING_RATE, options.weight_decay, bag.device)
    schedule, averaged = falling_rate(optimizer, STEPS), Average(network)
    network.train()
    for rows in _batches(len(inputs)):
        logits = network.members(inputs.batch(rows).to(bag.device))[0, 0]
        losses = nn.functional.binary_cross_entropy_with_logits(logits, answers[rows], reduction="none")
        take_step(losses.mean(dim=0).sum(), optimizer, schedule, averaged)
    as_it_is = Calibration(slopes=(1.0,) * bag.task.n_outputs, intercepts=(0.0,) * bag.task.n_outputs)
    return build_scorer(bag.task, bag.schema, spec, averaged.network.eval(), as_it_is, bag.device)


def _start(network: Network, bag: Network) -> None:
    """Give a network the weights of the first member of the first fold."""
    weights = dict(bag.named_parameters())
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(weights[name][tuple(map(slice, weight.shape))])


def _batches(n: int) -> Tensor:
    """(STEPS, B) int64: all of n examples in a random order, again and again."""
    size = min(BATCH, n)
    rounds = -(-STEPS * size // n)
    order = torch.cat([torch.randperm(n) for _ in range(rounds)])
    return order[: STEPS * size].view(STEPS, size)


def _excess(bag: Scorer, student: Scorer, inputs: Inputs) -> float:
    """What the student's answers add to the log loss, in nats an entry, where the bag is right."""
    if not len(inputs):
        return np.inf
    told, said = _logits(bag, inputs), _logits(student, inputs)
    p = 1 / (1 + np.exp(-told.clip(-500, 500)))
    loss, least = (np.logaddexp(0.0, z) - p * z for z in (said, told))
    return float((loss - least).mean())


def _logits(scorer: Scorer, inputs: Inputs) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return scorer.calibration.apply(scorer.logits(inputs))


def _rows(inputs: Inputs, rows: slice) -> Inputs:
    return Inputs(inputs.numeric[rows], inputs.categories[rows], None)


def _joined(first: Inputs, second: Inputs) -> Inputs:
    numeric = torch.cat([first.numeric, second.numeric])
    return Inputs(numeric, torch.cat([first.categories, second.categories]), None)
