"""Figures as the page and the model card write them."""

from collections.abc import Sequence

from model.files.names import counted

NONE = "none"


def fixed(value: float | None) -> str:
    """A measure, with three decimals."""
    return NONE if value is None else f"{value:.3f}"


def signed(difference: float) -> str:
    """A difference, with its sign."""
    return f"{difference:+.4f}".replace("-", "\N{MINUS SIGN}")


def between(interval: Sequence[float] | None) -> str:
    """The ends of an interval."""
    return NONE if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def count(value: int | None) -> str:
    """A whole number."""
    return NONE if value is None else f"{value:,}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share."""
    return NONE if share is None else f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%"


def horizon_name(name: str) -> str:
    """A horizon in days, or `label`."""
    return counted(int(name), "day") if name.isdecimal() else name


def duration(seconds: float) -> str:
    """A time in minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
