"""A simulated subscription shop with known true probabilities: its rates, and their closed form.

A customer is a continuous-time Markov chain. Its state is (plan, mood, issue): a log shows each plan
and each issue as it opens, never the mood. Its segment (channel, young, appetite, habit) does not change;
appetite and habit are hidden. The habit shows only in the order of a customer's devices, see
`training.simulation.draws`. All rates are per day and constant between two jumps, so that nothing but
state and segment drives the future:

    mood    keen <-> calm <-> cold                           MOOD_MOVES
    issue   fine <-> failed (payment), fine <-> ticket       ISSUE_OPENS, ISSUE_HEALS
    plan    one up when keen, one down when cold             UPGRADE, DOWNGRADE
    leave   lambda = LEAVE[mood] LEAVE_PLAN[plan] LEAVE_ISSUE[issue] LEAVE_CHANNEL[channel] LEAVE_YOUNG[young]
            times `restless` for a restless customer, which is 1 unless the command says otherwise
    buy     rho = BUY[mood] BUY_PLAN[plan] BUY_APPETITE[appetite], a Poisson process
    visit   VISIT[mood], a Poisson process

With M the generator of the S jumps among (plan, mood, issue), h days ahead and e_s the state at the cutoff:

    P(leave within h)    = e_s' expm(h [[M - diag(lambda),       lambda], [0, 0]]) e_gone
    P(purchase within h) = e_s' expm(h [[M - diag(lambda + rho), rho],    [0, 0]]) e_bought

The second kills the chain at leaving or at the first purchase, whichever is first, and keeps the latter.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

PLANS: Final = ("basic", "plus", "pro")
PRICES: Final = np.array([9.0, 19.0, 49.0])  # a month
MOODS: Final = ("keen", "calm", "cold")
ISSUES: Final = ("fine", "failed", "ticket")
CHANNELS: Final = ("search", "referral", "social", "partner")
REGIONS: Final = ("north", "east", "south", "west")  # drives nothing
APPETITES: Final = ("light", "heavy")
HABITS: Final = ("steady", "restless")
YOUNG: Final = 30  # years; below it, customers leave sooner

MOOD_MOVES: Final = np.array([[0, 1 / 60, 0], [1 / 120, 0, 1 / 80], [0, 1 / 150, 0]])  # from row to column
ISSUE_OPENS: Final = np.array([0, 0.004, 0.005])
ISSUE_HEALS: Final = np.array([0, 1 / 14, 1 / 10])
UPGRADE, DOWNGRADE = 1 / 300, 1 / 200

LEAVE: Final = np.array([0.0004, 0.001, 0.005])
LEAVE_PLAN: Final = np.array([1.3, 1.0, 0.7])
LEAVE_ISSUE: Final = np.array([1.0, 6.0, 4.0])
LEAVE_CHANNEL: Final = np.array([1.0, 0.6, 1.7, 1.1])
LEAVE_YOUNG: Final = np.array([1.0, 1.5])
BUY: Final = np.array([0.06, 0.02, 0.003])
BUY_PLAN: Final = np.array([0.8, 1.0, 1.4])
BUY_APPETITE: Final = np.array([0.5, 2.0])
VISIT: Final = np.array([0.7, 0.3, 0.05])

SHAPE: Final = (len(PLANS), len(MOODS), len(ISSUES))
N_STATES: Final = int(np.prod(SHAPE))  # S
GONE: Final = N_STATES  # the absorbing state, after all others
STATE_PLAN, STATE_MOOD, STATE_ISSUE = (axis.ravel() for axis in np.indices(SHAPE))  # (S,) of each state

SEGMENT_SHAPE: Final = (len(CHANNELS), len(LEAVE_YOUNG), len(APPETITES), len(HABITS))
N_SEGMENTS: Final = int(np.prod(SEGMENT_SHAPE))  # G


def state_of(plan: Codes) -> Codes:
    """Return the state of a customer who signs up for a plan: keen, without an issue."""
    return plan * (len(MOODS) * len(ISSUES))


def segment_of(channel: Codes, young: Codes, appetite: Codes, habit: Codes) -> Codes:
    """Return the position of the segment in [0, G)."""
    return np.ravel_multi_index((channel, young, appetite, habit), SEGMENT_SHAPE)


def jump_rates() -> Floats:
    """(S, S) rates of the jumps among states, the same for all segments; the diagonal is 0."""
    to_plan, to_mood, to_issue = STATE_PLAN, STATE_MOOD, STATE_ISSUE
    plan, mood, issue = (axis[:, None] for axis in (STATE_PLAN, STATE_MOOD, STATE_ISSUE))
    same_plan, same_mood, same_issue = to_plan == plan, to_mood == mood, to_issue == issue
    opens = np.where((issue == 0) & (to_issue > 0), ISSUE_OPENS[to_issue], 0.0)
    heals = np.where((issue > 0) & (to_issue == 0), ISSUE_HEALS[issue], 0.0)
    up = np.where((to_plan == plan + 1) & (mood == MOODS.index("keen")), UPGRADE, 0.0)
    down = np.where((to_plan == plan - 1) & (mood == MOODS.index("cold")), DOWNGRADE, 0.0)
    rates: Floats = (
        MOOD_MOVES[mood, to_mood] * (same_plan & same_issue)
        + (opens + heals) * (same_plan & same_mood)
        + (up + down) * (same_mood & same_issue)
    )
    return rates


def leave_rates(restless: float = 1.0) -> Floats:
    """(G, S) lambda; restless customers leave `restless` times as often as steady ones."""
    channel, young, _, habit = _segments()
    by_state = LEAVE[STATE_MOOD] * LEAVE_PLAN[STATE_PLAN] * LEAVE_ISSUE[STATE_ISSUE]
    by_segment = LEAVE_CHANNEL[channel] * LEAVE_YOUNG[young] * np.array([1.0, restless])[habit]
    rates: Floats = np.outer(by_segment, by_state)
    return rates


def buy_rates() -> Floats:
    """(G, S) rho."""
    _, _, appetite, _ = _segments()
    rates: Floats = np.outer(BUY_APPETITE[appetite], BUY[STATE_MOOD] * BUY_PLAN[STATE_PLAN])
    return rates


def leave_probability(days: float, restless: float = 1.0) -> Floats:
    """(G, S) true probability to leave within `days`, of a customer present in each state."""
    return _absorbed(leave_rates(restless), np.zeros((N_SEGMENTS, N_STATES)), days)


def purchase_probability(days: float, restless: float = 1.0) -> Floats:
    """(G, S) true probability of at least one purchase within `days`."""
    return _absorbed(buy_rates(), leave_rates(restless), days)


def _absorbed(wanted: Floats, other: Floats, days: float) -> Floats:
    """(G, S) probability that `wanted` happens within `days`, and before `other`."""
    jumps = jump_rates()
    generator = np.zeros((N_SEGMENTS, N_STATES + 1, N_STATES + 1))
    generator[:, :-1, :-1] = jumps
    generator[:, :-1, -1] = wanted
    states = np.arange(N_STATES)
    generator[:, states, states] = -(jumps.sum(axis=1) + wanted + other)
    absorbed: Floats = expm(generator * days)[:, :-1, -1]
    return absorbed


def _segments() -> tuple[Codes, Codes, Codes, Codes]:
    channel, young, appetite, habit = (axis.ravel() for axis in np.indices(SEGMENT_SHAPE))
    return channel, young, appetite, habit
