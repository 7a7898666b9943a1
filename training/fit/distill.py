"""Distillation: one network learns the probabilities of its teachers, at a tenth of the cost of a prediction.

The teachers are the bag and, for a table, gradient boosting. The network learns their probabilities of
training examples and synthetic ones, without labels (Bucila, Caruana & Niculescu-Mizil 2006, "Model
compression"; Hinton, Vinyals & Dean 2015, arXiv 1503.02531).
"""

import time
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, xlog1py, xlogy
from torch import Tensor, nn

from model.features.inputs import Inputs
from model.network.batch import gather
from model.network.inference import TorchNetwork, weights_of
from model.network.network import build_network
from model.probability import Calibration, Logits, Probabilities
from model.schema import Schema
from model.scorer import Scorer, build_scorer
from model.store.manifest import ModelDescription
from training.fit.calibrate import fit_calibration, levelled, logit_of_mean, steepening
from training.fit.model_fit import Answers, Fitted, seeded
from training.fit.optimizer import Average, build_optimizer, falling_rate, take_step
from training.fit.teachers import second_teacher
from training.study.sections import FitOptions

EXAMPLES: Final = 8192  # training examples, and as many synthetic ones
CHECKED: Final = 1 / 8  # the share of the training examples that is held back for the check
MOST_SWAPPED: Final = 0.5  # the largest share of swapped columns of a synthetic example
STEPS: Final = 300  # of one teacher; two take twice as many
BATCH: Final = 256
LEARNING_RATE: Final = 0.02  # probabilities have less noise than labels, so it is larger
MAX_EXCESS: Final = 0.003  # nats; beyond it the bag is published


def distilled(bag: Fitted, options: FitOptions) -> Fitted:
    """Replace the bag of an mlp head by one network, if the network is close enough to its teachers.

    It learns the probability of an example from the networks and trees that never read it, and that of a
    synthetic one from all networks. So it does not learn what they remember of single examples, such as rare
    positives.
    """
    if bag.answers is None or bag.scorer.spec.head != "mlp":
        return bag
    started, answers = time.perf_counter(), bag.answers
    boosting = second_teacher(bag, options.seed)
    unseen = boosting.blend(answers.unseen, boosting.unseen) if boosting else answers.unseen

    def taught(inputs: Inputs, by_fold: NDArray[np.float64], fold: NDArray[np.int64]) -> Logits:
        """(n, K) logits of all teachers, given those of the bag and the folds of the examples."""
        mean = _mean(answers, by_fold)
        return boosting.blend(mean, boosting.own(inputs, fold)) if boosting else mean

    with seeded(options.seed, answers.bag.device):
        some = torch.randperm(len(answers.inputs))[:EXAMPLES].numpy()
        n_checked = round(len(some) * CHECKED)
        checked, train = some[:n_checked], some[n_checked:]
        known = answers.inputs.take(train)
        synthetic, like = synthetic_inputs(known, bag.scorer.schema, EXAMPLES)
        learnt = taught(synthetic, answers.bag.fold_logits(synthetic), answers.fold[train[like]])
        targets = expit(np.concatenate([unseen[train], learnt]))
        steps = STEPS * (2 if boosting else 1)
        network = _student(bag.scorer, answers.bag, _joined(known, synthetic), targets, options, steps)
    steeper = steepening(answers.by_fold) ** (1 - boosting.weight if boosting else 1)
    student = _calibrated(answers, network, expit(unseen), steeper)
    rest = answers.inputs.take(checked)
    checked_by_fold = answers.by_fold[:, checked]
    wanted = expit(taught(rest, checked_by_fold, answers.fold[checked]))
    excess = _excess(wanted, _logits(student, rest))
    of_bag = _excess(wanted, _mean(answers, checked_by_fold))  # 0 for one teacher
    seconds = bag.seconds + time.perf_counter() - started
    found = replace(bag, excess=excess, seconds=seconds)
    if excess > max(MAX_EXCESS, of_bag):
        return found
    return replace(found, scorer=student, boosting=boosting.weight if boosting else 0.0)


def distillation_sentence(fit: Fitted) -> str:
    """Return a sentence for the report; empty without distillation."""
    if fit.excess is None:
        return ""
    if fit.scorer.spec.folds > 1:
        return (
            f"The bag is used: one network in its place would add {fit.excess:.4f} to the log loss, measured "
            "against its teachers."
        )
    blended = f", blended with gradient boosting (weight {fit.boosting:g})," if fit.boosting else ""
    return f"One network replaces the bag{blended} and adds {fit.excess:.4f} to its log loss."


def synthetic_inputs(inputs: Inputs, schema: Schema, n: int) -> tuple[Inputs, NDArray[np.int64]]:
    """Return n examples with up to half of their columns swapped, and the (n,) example that each is like.

    So the network learns the bag between and beyond the examples. All inputs from one column (a category
    and its rate, a number and its code) come from one example.
    """
    N = len(inputs)
    numbers, codes = _columns(schema, inputs)
    n_columns = inputs.numeric.shape[1] + inputs.categories.shape[1]
    like = torch.randint(N, (n, 1))
    source = like.expand(n, n_columns)
    swapped = torch.rand(n, n_columns) < MOST_SWAPPED * torch.rand(n, 1)
    source = torch.where(swapped, torch.randint(N, (n, n_columns)), source)
    rows = source.numpy()
    swapped_inputs = Inputs(
        np.take_along_axis(inputs.numeric, rows[:, numbers], axis=0),
        np.take_along_axis(inputs.categories, rows[:, codes], axis=0),
    )
    return swapped_inputs, like[:, 0].numpy()


def _columns(schema: Schema, inputs: Inputs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The column of each number and each code."""
    D, C = inputs.numeric.shape[1], inputs.categories.shape[1]
    numbers, codes = np.arange(D), D + np.arange(C)
    rated = [n for n, column in enumerate(schema.categorical) if column.rates]
    numbers[D - len(rated) :] = codes[rated]
    valued = [n for n, _ in schema.valued]
    codes[C - len(valued) :] = numbers[valued]
    return numbers, codes


def _student(
    scorer: Scorer, bag: TorchNetwork, inputs: Inputs, targets: Probabilities, options: FitOptions, steps: int
) -> Scorer:
    """Fit a network of one fold and member, which starts from the bag's first, to (N, K) probabilities.

    Args:
        scorer: of the bag.
    """
    spec, K = scorer.spec.model_copy(update={"folds": 1, "members": 1}), scorer.task.n_outputs
    network = build_network(spec, scorer.schema, n_outputs=K).to(bag.device)
    _start(network, bag.network)
    wanted = torch.from_numpy(targets).float().to(bag.device)
    optimizer = build_optimizer(network, LEARNING_RATE, options.weight_decay, bag.device)
    schedule, averaged = falling_rate(optimizer, steps), Average(network)
    network.train()
    for rows in _batches(len(inputs), steps):
        logits = network.members(gather(inputs, rows).to(bag.device))[0, 0]
        losses = nn.functional.binary_cross_entropy_with_logits(logits, wanted[rows], reduction="none")
        take_step(losses.mean(dim=0).sum(), optimizer, schedule, averaged)
    identity = Calibration(slopes=(1.0,) * K, intercepts=(0.0,) * K)
    model = ModelDescription(task=scorer.task, schema_=scorer.schema, network=spec, calibration=identity)
    return build_scorer(model, weights_of(averaged.network), device=scorer.device)


def _calibrated(
    answers: Answers, student: Scorer, wanted: Probabilities, steeper: NDArray[np.float64]
) -> Scorer:
    """Return the student as steep as the mean of its teachers, with the base rate of the judged.

    Args:
        wanted: (n, K) probabilities, each of the teachers that never read the example.
        steeper: (K,) factors by which the mean of the teachers is steeper than one of them.
    """
    logits = student.logits(answers.inputs)
    like_single = fit_calibration(logits, wanted, answers.judged)
    slopes = steeper * like_single.slopes
    steep = Calibration(slopes=tuple(slopes.tolist()), intercepts=like_single.intercepts)
    later = student.logits(answers.published)
    return replace(student, calibration=levelled(steep, later, answers.events, answers.judged))


def _mean(answers: Answers, by_fold: NDArray[np.float64]) -> Logits:
    """(n, K) logits of the mean probability of the calibrated networks."""
    return logit_of_mean(np.stack([answers.single.apply(one) for one in by_fold]))


def _start(network: nn.Module, bag: nn.Module) -> None:
    """Copy the weights of the first member of the first fold."""
    weights = dict(bag.named_parameters())
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(weights[name][tuple(map(slice, weight.shape))])


def _batches(n: int, steps: int) -> Tensor:
    """(steps, B) int64 rows: all of n examples in a random order, repeated."""
    size = min(BATCH, n)
    rounds = -(-steps * size // n)
    order = torch.cat([torch.randperm(n) for _ in range(rounds)])
    return order[: steps * size].view(steps, size)


def _excess(expected: Probabilities, got: Logits) -> float:
    """The log loss that the student adds, in nats an entry, measured against the bag's probabilities."""
    if not len(expected):
        return np.inf
    least = -xlogy(expected, expected) - xlog1py(1 - expected, -expected)
    return float((np.logaddexp(0.0, got) - expected * got - least).mean())


def _logits(scorer: Scorer, inputs: Inputs) -> Logits:
    return scorer.calibration.apply(scorer.logits(inputs))


def _joined(first: Inputs, second: Inputs) -> Inputs:
    numeric = np.concatenate([first.numeric, second.numeric])
    return Inputs(numeric, np.concatenate([first.categories, second.categories]))
