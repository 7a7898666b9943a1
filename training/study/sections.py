"""The sections of a study, and the kinds of their values.

Numbers are strict: `true` is not 1, and "3" is not 3.
"""

from datetime import date
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, field_validator

from model.device import DeviceName
from model.errors import StudyError
from model.store.manifest import NetworkSpec
from model.store.registry import NAME_PATTERN
from model.times import time_zones
from model.values.columns import as_texts, column_of
from training.study.faults import show

_PACKAGE: Final = "package:"


class Section(BaseModel):
    """Base of every section: unknown keys are refused; a number may stand for a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)


def _study_name(text: str) -> str:
    if not NAME_PATTERN.fullmatch(text):
        raise ValueError(
            "must be a lower-case letter, then at most 62 lower-case letters, digits or hyphens,"
            f" got {show(text)}"
        )
    return text


def _spelling(value: object) -> str:
    """Spell a label as `model.values.columns` does: true -> "true", 1 -> "1"."""
    if not isinstance(value, str | bool | int | float):
        raise ValueError(f"must be text, a number, true or false, got {show(value)}")
    spelt = as_texts(column_of([value])).values
    if not spelt:
        raise ValueError(f"must not be a spelling of a missing value, got {show(value)}")
    return spelt[0]


def _spellings(value: object) -> str | tuple[str, ...]:
    """Spell one label, or a list of them."""
    return tuple(map(_spelling, value)) if isinstance(value, list | tuple) else _spelling(value)


def _iso_date(value: object) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"must be a date such as 2011-09-10, got {show(value)}") from None


def _time_zone(name: str) -> str:
    known = time_zones()
    if name in known:
        return name
    spellings = {spelling: zone for zone in sorted(known) for spelling in _zone_spellings(zone)}
    near = [spellings[match] for match in get_close_matches(name.lower(), spellings, n=3, cutoff=0.7)]
    hint = f"; did you mean {' or '.join(show(zone) for zone in dict.fromkeys(near))}?" if near else ""
    raise ValueError(f"must be an IANA time zone such as Europe/Berlin, got {show(name)}{hint}")


def _zone_spellings(zone: str) -> tuple[str, str]:
    """The full name of a zone, and its city alone."""
    lower = zone.lower()
    return lower, lower.rpartition("/")[2]


# A section whose keys are all commented out arrives as None.
EMPTY_IS_DEFAULT: Final = BeforeValidator(lambda raw: {} if raw is None else raw)
Text = Annotated[str, Field(min_length=1)]
Names = tuple[Text, ...]
Count = Annotated[int, Strict(), Field(gt=0, le=1_000_000)]
Seed = Annotated[int, Strict(), Field(ge=0, lt=2**32)]
Number = Annotated[float, Strict()]
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
StudyName = Annotated[str, AfterValidator(_study_name)]
Labels = Annotated[str | tuple[str, ...], BeforeValidator(_spellings)]


class CustomersSource(Section):
    """The customer table. Each column has one use; the kind of a column that is not named is inferred.

    `dates` has the format of columns of dates, as `time_format` of a log.
    """

    path: Text
    id: Text | None = None
    exclude: Names = ()
    categorical: Names = ()
    numeric: Names = ()
    dates: dict[str, Text] = {}
    sequences: dict[str, Annotated[Names, Field(min_length=1)]] = {}


class EventsSource(Section):
    """The event log.

    `time_format` is a strptime format, "unix", "unix_ms", "unix_us" or "unix_ns"; None: found by the times.
    """

    path: Text
    id: Text
    time: Text
    time_format: Text | None = None
    type: Text | None = None
    values: Names = ()
    attributes: Names = ()


class DataSources(Section):
    """The files of a study; `resolve_path` reads their paths.

    `time_zone` applies to times without an offset.
    """

    customers: CustomersSource | None = None
    events: EventsSource | None = None
    time_zone: TimeZone = "UTC"


class SplitOptions(Section):
    """Which examples are held out for the test.

    `test_fraction` is their share; None: 0.2, or as much up to 0.5 as a test with 200 examples of the rarer
    outcome takes, and with windows as many dates. `group` is a column of the customer table whose values stay
    together. `time` is a column that orders the rows, for a column target only. `compare` fits once more on a
    shuffled split, for comparison.
    """

    test_fraction: Annotated[Number, Field(gt=0, lt=1)] | None = None
    seed: Seed = 0
    time: Text | None = None
    group: Text | None = None
    compare: bool = True


class NetworkOptions(Section, NetworkSpec):
    """The network, in at least two folds.

    `choose` publishes the head only where it is better than simpler ones, see `training.run.choice`.
    """

    folds: Annotated[int, Strict(), Field(ge=2, le=64)] = 5
    choose: bool = True
    max_events: Count = 64

    @property
    def spec(self) -> NetworkSpec:
        """The network as a checkpoint stores it."""
        return NetworkSpec(**self.model_dump(include=set(NetworkSpec.model_fields)))


class FairnessOptions(Section):
    """The columns of the customer table by whose values the test is measured, see `training.fairness`.

    A column that `data.customers.exclude` names too is read for this alone. `threshold` is the probability
    from which on a customer is acted on; None: the highest tenth is.
    """

    groups: Names = ()
    threshold: Annotated[Number, Field(gt=0, lt=1)] | None = None


class ReasonOptions(Section):
    """How predictions are explained.

    `groups` names inputs that share a reason: columns, series, event types, fields of events, or aggregates
    of the history; the others are grouped by how related they are. `changeable` lists the columns that a
    what-if may change.
    """

    groups: Annotated[dict[Text, Annotated[Names, Field(min_length=1)]], Field(max_length=9)] = {}
    changeable: Names = ()

    @field_validator("groups")
    @classmethod
    def _once(cls, groups: dict[str, Names]) -> dict[str, Names]:
        named = [name for names in groups.values() for name in names]
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise ValueError(f"an input has one group, got {show(twice)} twice; keep one")
        return groups


class FitOptions(Section):
    """How the network is fitted. None: chosen by the number of examples, see `training.fit.model_fit`."""

    device: DeviceName = "auto"
    epochs: Count | None = None
    patience: Count | None = None
    batch_size: Count | None = None
    learning_rate: Annotated[Number, Field(gt=0, le=1)] = 0.01
    weight_decay: Annotated[Number, Field(ge=0, le=1)] = 0.0001
    seed: Seed = 0
    refit: bool = True


def resolve_path(text: str, base: Path) -> Path:
    """Return a path of a study as a path of this machine; it may be a glob.

    Args:
        text: absolute, relative to `base`, or `package:NAME/inner/path` for a file of an installed package.
        base: the study's folder.

    Raises:
        StudyError: the package is not installed, or has no such file.
    """
    if not text.startswith(_PACKAGE):
        return base / Path(text).expanduser()
    package, _, inner = text.removeprefix(_PACKAGE).partition("/")
    spec = find_spec(package) if package.isidentifier() else None  # importing it would run its code
    folders = (spec and spec.submodule_search_locations) or []
    if not folders:
        raise StudyError(
            f'"{text}" needs the Python package "{package}", which is not installed: pip install {package}'
        )
    file = Path(folders[0], inner)
    if not file.is_file():
        raise StudyError(f'the Python package "{package}" has no file "{inner}"; correct "{text}"')
    return file
