"""The reasons of predictions: exact Shapley values of groups of inputs, in logits, and their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from model.features.inputs import Inputs
from model.probability import sigmoid
from model.reasons.coalitions import Mixer
from model.reasons.groups import InputNames, Members, alone, members
from model.reasons.reference import reference_inputs
from model.reasons.shapley import coalitions, shapley_values
from model.reasons.words import Words, with_usual
from model.scorer import Scorer
from model.store.manifest import InputGroup

Floats = NDArray[np.float64]

USUAL: Final = "usual"
BEFORE: Final = "before"


@dataclass(frozen=True)
class Shares:
    """The shares of G groups in the logits of n customers, at one horizon.

    Attributes:
        base: (n,) logits of what they are compared with.
        logits: (n,) their own; `base` and the sum of `groups` are equal to it.
        groups: (n, G).
    """

    base: Floats
    logits: Floats
    groups: Floats

    @property
    def points(self) -> Floats:
        """(n, G) the shares in percentage points, which sum to the difference of the probabilities.

        The difference is split as that of the logits is: by the slope of the line between the two.
        """
        own, base = sigmoid(self.logits), sigmoid(self.base)
        apart = self.logits - self.base
        near = np.abs(apart) < 1e-6
        slope = np.where(near, own * (1 - own), (own - base) / np.where(near, 1.0, apart))
        points: Floats = 100 * self.groups * slope[:, None]
        return points


@dataclass(frozen=True)
class Reason:
    """The share of one group of inputs in a customer's logit.

    Attributes:
        logit: the share.
        points: the same in percentage points, see `Shares`.
        input: the input of the group that does most of it.
        has, usual: what that is for the customer, and for the typical one (or was before).
        text: all of it as a sentence.
    """

    group: str
    logit: float
    points: float
    input: str
    has: str
    usual: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """Why a customer has its probability: the base's logit and all reasons sum to its logit."""

    logit: float
    probability: float
    base_logit: float
    base_probability: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Explainer:
    """Explains the predictions of a scorer.

    Attributes:
        groups: of the inputs.
        singles: each input by itself.
        reference: the inputs of the typical customer.
    """

    mixer: Mixer
    groups: Members
    singles: Members
    reference: Inputs
    words: Words

    @classmethod
    def build(cls, scorer: Scorer, groups: Sequence[InputGroup]) -> Self:
        """Prepare the explanations of a scorer."""
        with_steps = scorer.spec.reads_steps
        of_inputs = InputNames.of(scorer.schema, with_steps=with_steps)
        reference = reference_inputs(scorer.schema, with_steps=with_steps)
        words = Words.of(scorer.schema, of_inputs)
        return cls(Mixer.of(scorer), members(of_inputs, groups), alone(of_inputs), reference, words)

    def shares(self, own: Inputs, base: Inputs | None = None, *, horizon: int = -1) -> Shares:
        """Return the shares of the groups in the logits of n examples.

        Args:
            base: what they are compared with, one example or n; None for the typical customer.
            horizon: its position; the longest by default.
        """
        base = self.reference if base is None else base
        values = self.mixer.logits(own, base, self.groups, coalitions(len(self.groups)))[..., horizon]
        logits, of_base = self._logits(own)[:, horizon], self._logits(base)[:, horizon]
        values[:, 0], values[:, -1] = of_base, logits  # as they are published, whatever the rounding here
        return Shares(values[:, 0], logits, shapley_values(values))

    def explain(
        self, own: Inputs, base: Inputs | None = None, *, most: int | None = None, horizon: int = -1
    ) -> list[Explanation]:
        """Explain n predictions, each with its largest reasons first.

        Args:
            base: the same customers before; None for the typical customer.
            most: reasons of each; None for all.
        """
        shares = self.shares(own, base, horizon=horizon)
        other, word = (self.reference, USUAL) if base is None else (base, BEFORE)
        leading = self._leading(own, other, shares, horizon)
        order = np.argsort(-np.abs(shares.groups), axis=1, kind="stable")[:, :most]
        own_p, base_p, points = sigmoid(shares.logits), sigmoid(shares.base), shares.points
        found = []
        for row in range(len(own)):
            reasons = [
                self._reason(
                    group, shares.groups[row, group], points[row, group], name, own, other, row, word
                )
                for group in order[row].tolist()
                for name in [self.singles.names[leading[row, group]]]
            ]
            logit, p, base_logit, usual_p = (
                float(one[row]) for one in (shares.logits, own_p, shares.base, base_p)
            )
            found.append(Explanation(logit, p, base_logit, usual_p, tuple(reasons)))
        return found

    def _reason(
        self,
        group: int,
        logit: float,
        points: float,
        name: str,
        own: Inputs,
        other: Inputs,
        row: int,
        word: str,
    ) -> Reason:
        has = self.words.say(name, own, row)
        usual = self.words.say(name, other, row if len(other) > 1 else 0)
        text = with_usual(has, usual, word)
        return Reason(
            self.groups.names[group], float(logit), float(points), name, has.value, usual.value, text
        )

    def _leading(self, own: Inputs, base: Inputs, shares: Shares, horizon: int) -> NDArray[np.int64]:
        """(n, G) the input of each group without which the logit would move most against the share."""
        of = _groups_of(self.singles, self.groups)  # (U,)
        without = ~np.eye(len(of), dtype=bool)
        effects = shares.logits[:, None] - self.mixer.logits(own, base, self.singles, without)[..., horizon]
        towards = effects[:, None] * np.sign(shares.groups)[..., None]
        leading: NDArray[np.int64] = np.where(
            of == np.arange(len(self.groups))[:, None], towards, -np.inf
        ).argmax(-1)
        return leading

    def _logits(self, inputs: Inputs) -> Floats:
        scorer = self.mixer.scorer
        return scorer.horizon_logits(scorer.logits(inputs))


def _groups_of(singles: Members, groups: Members) -> NDArray[np.int64]:
    """(U,) the group of each single input."""
    of = np.zeros(len(singles), dtype=np.int64)
    of[singles.numbers], of[singles.codes] = groups.numbers, groups.codes
    if singles.steps >= 0:
        of[singles.steps] = groups.steps
    return of
