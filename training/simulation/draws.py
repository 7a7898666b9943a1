"""Random customers of the simulated shop and their events: exact draws of the chain of `shop`.

The devices of a customer's visits and purchases alternate (restless: web, app, web, app) or come in pairs
(steady: web, web, app, app), and one in ten is the other one. So each has both devices equally often in any
window, and nothing but their order shows the habit.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from training.simulation import shop
from training.simulation.shop import Codes, Floats

DAY: Final = 86_400  # seconds
TYPES: Final = ("visit", "purchase", "ticket", "payment_failure", "plan_change", "cancel")
VISIT, PURCHASE, TICKET, FAILURE, PLAN_CHANGE, CANCEL = range(len(TYPES))
DEVICES: Final = ("web", "app")
NOTHING: Final = -1  # no event, no device, or no jump before the end
_STAYS: Final = np.array([2, 1])  # visits and purchases by one device, of each habit
_ODD_DEVICES: Final = 0.1  # share
_BASKET: Final = (3.0, 0.6)  # mean and deviation of the logarithm of a purchase


@dataclass(frozen=True)
class Shoppers:
    """C customers at signup.

    Attributes:
        signup: (C,) seconds since the shop opened.
        plan, channel, region: (C,) codes of the lists in `training.simulation.shop`.
        age: (C,) whole years.
        habit: (C,) codes of the habits, hidden.
        segment: (C,) the segment, which holds the hidden appetite and habit.
    """

    signup: Codes
    plan: Codes
    channel: Codes
    region: Codes
    age: Codes
    habit: Codes
    segment: Codes

    def __len__(self) -> int:
        return len(self.signup)


@dataclass(frozen=True)
class Spells:
    """P spells: stays of customers in a state, from one jump to the next.

    Attributes:
        customer: (P,) position of the customer.
        state: (P,) the state in `[start, end)`, seconds since the shop opened.
        target: (P,) the state after `end`; NOTHING where observation ends.
    """

    customer: Codes
    state: Codes
    start: Floats
    end: Floats
    target: Codes


@dataclass(frozen=True)
class Events:
    """E events sorted by customer, then time.

    Attributes:
        customer: (E,) position of the customer.
        time: (E,) whole seconds since the shop opened, rounded up: no event moves across a cutoff.
        type: (E,) codes of TYPES.
        amount: (E,) money; NaN where the type has none.
        device: (E,) codes of DEVICES; NOTHING where the type has none.
    """

    customer: Codes
    time: Codes
    type: Codes
    amount: Floats
    device: Codes

    def __len__(self) -> int:
        return len(self.time)


def draw_shoppers(rng: np.random.Generator, n: int, signup_before: int) -> Shoppers:
    """Draw n customers who sign up evenly over the first `signup_before` days."""
    channel = rng.choice(len(shop.CHANNELS), n, p=[0.4, 0.2, 0.25, 0.15])
    age = np.clip(np.round(rng.normal(42, 14, n)), 18, 90).astype(np.int64)
    appetite = (rng.random(n) < 0.3).astype(np.int64)
    habit = rng.spawn(1)[0].integers(0, len(shop.HABITS), n)  # leaves all other draws as they are
    return Shoppers(
        signup=rng.integers(0, signup_before * DAY, n),
        plan=rng.choice(len(shop.PLANS), n, p=[0.5, 0.35, 0.15]),
        channel=channel,
        region=rng.integers(0, len(shop.REGIONS), n),
        age=age,
        habit=habit,
        segment=shop.segment_of(channel, (age < shop.YOUNG).astype(np.int64), appetite, habit),
    )


def draw_spells(rng: np.random.Generator, shoppers: Shoppers, days: int, restless: float = 1.0) -> Spells:
    """Draw the path of every customer until leaving or the end, one jump of all customers at a time."""
    leave = shop.leave_rates(restless)[:, :, None]
    jumps = np.broadcast_to(shop.jump_rates(), (len(leave), shop.N_STATES, shop.N_STATES))
    cumulative = np.concatenate([jumps, leave], axis=2).cumsum(axis=2)
    customer, end = np.arange(len(shoppers)), float(days * DAY)
    state, start = shop.state_of(shoppers.plan), shoppers.signup.astype(np.float64)
    parts = []
    while len(customer):
        rates = cumulative[shoppers.segment[customer], state]
        total = rates[:, -1]
        stop = start + rng.exponential(DAY / total)
        drawn = (rng.random(len(customer)) * total)[:, None]
        target = np.where(stop < end, (rates[:, :-1] <= drawn).sum(axis=1), NOTHING)
        parts.append((customer, state, start, np.minimum(stop, end), target))
        goes_on = (target != NOTHING) & (target != shop.GONE)
        customer, state, start = customer[goes_on], target[goes_on], stop[goes_on]
    return Spells(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def draw_events(rng: np.random.Generator, shoppers: Shoppers, spells: Spells) -> Events:
    """Draw the events of the paths: visits (the first is the signup), purchases, and visible jumps."""
    visit, visit_time = _poisson(rng, spells, shop.VISIT[shop.STATE_MOOD[spells.state]])
    buy, buy_time = _poisson(rng, spells, shop.buy_rates()[shoppers.segment[spells.customer], spells.state])
    jump, jump_type = _seen_jumps(spells)
    n, n_visits, n_buys = len(shoppers), len(shoppers) + len(visit), len(buy)
    basket = np.maximum(np.round(rng.lognormal(*_BASKET, n_buys), 2), 0.01)
    kinds = np.concatenate([np.repeat([VISIT, PURCHASE], [n_visits, n_buys]), jump_type])
    events = _sorted(
        customer=np.concatenate([np.arange(n), *(spells.customer[part] for part in (visit, buy, jump))]),
        time=np.concatenate([shoppers.signup, visit_time, buy_time, spells.end[jump]]),
        kind=kinds,
        amount=np.concatenate([np.full(n_visits, np.nan), basket, _jump_amounts(spells, jump, jump_type)]),
    )
    return replace(events, device=_devices(rng, shoppers.habit, events))


def _devices(rng: np.random.Generator, habit: Codes, events: Events) -> Codes:
    """The device of each visit and purchase, by the habit of its customer; NOTHING of the other events."""
    n = len(habit)
    has = np.flatnonzero(np.isin(events.type, [VISIT, PURCHASE]))
    customer = events.customer[has]
    counts = np.bincount(customer, minlength=n)
    place = np.arange(len(has)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = rng.integers(0, 2 * len(DEVICES), n)
    odd = rng.random(len(has)) < _ODD_DEVICES
    device = np.full(len(events), NOTHING)
    device[has] = ((place + first[customer]) // _STAYS[habit][customer] + odd) % len(DEVICES)
    return device


def _poisson(rng: np.random.Generator, spells: Spells, rates: Floats) -> tuple[Codes, Floats]:
    """The spell and the time of each event of a Poisson process with a rate per day in each spell."""
    length = spells.end - spells.start
    spell = np.repeat(np.arange(len(length)), rng.poisson(rates * length / DAY))
    return spell, spells.end[spell] - rng.random(len(spell)) * length[spell]


def _seen_jumps(spells: Spells) -> tuple[Codes, Codes]:
    """The spells that end with an event, and its type: a new issue, another plan, or leaving."""
    to_plan, to_issue = shop.STATE_PLAN, shop.STATE_ISSUE
    new_issue = to_issue[:, None] != to_issue
    seen = np.full((shop.N_STATES, shop.N_STATES + 1), NOTHING)
    seen[:, :-1][to_plan[:, None] != to_plan] = PLAN_CHANGE
    seen[:, :-1][new_issue & (to_issue == shop.ISSUES.index("failed"))] = FAILURE
    seen[:, :-1][new_issue & (to_issue == shop.ISSUES.index("ticket"))] = TICKET
    seen[:, shop.GONE] = CANCEL
    kinds = np.where(spells.target == NOTHING, NOTHING, seen[spells.state, spells.target])
    spell = np.flatnonzero(kinds != NOTHING)
    return spell, kinds[spell]


def _jump_amounts(spells: Spells, jumped: Codes, kinds: Codes) -> Floats:
    """The price of the new plan, or the price that was not paid; NaN for the other jumps."""
    plan = shop.STATE_PLAN[np.where(kinds == PLAN_CHANGE, spells.target[jumped], spells.state[jumped])]
    amounts: Floats = np.where(np.isin(kinds, [PLAN_CHANGE, FAILURE]), shop.PRICES[plan], np.nan)
    return amounts


def _sorted(*, customer: Codes, time: Floats, kind: Codes, amount: Floats) -> Events:
    seconds = np.ceil(time).astype(np.int64)
    # Stable, and jumps come last: nothing follows a cancel of the same second.
    order = np.argsort(customer * (int(seconds.max()) + 1) + seconds, kind="stable")
    return Events(customer[order], seconds[order], kind[order], amount[order], np.full(len(order), NOTHING))
