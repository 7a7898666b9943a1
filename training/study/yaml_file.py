"""A YAML file as plain values, with the line of each of them."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from model.errors import StudyError

Place = tuple[str | int, ...]
Spot = int | str  # a line of the file, or the key of an override

_TAG: Final = "tag:yaml.org,2002:"
_SCALARS: Final[Mapping[str, Callable[[str], object]]] = {
    f"{_TAG}str": str,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": lambda text: text == "true",
    f"{_TAG}int": int,
    f"{_TAG}float": float,
}


@dataclass(frozen=True)
class StudyFault:
    """A message about one place of a study.

    Attributes:
        meant: the place that a misspelt key was meant for; no missing key is reported there.
    """

    place: Place
    message: str
    meant: Place | None = None


@dataclass
class Document:
    """The mapping of a YAML file, with overrides applied.

    Attributes:
        file: the file's name, for messages.
        values: plain dicts, lists, texts, numbers, booleans and None.
        spots: the line, or the override, that each place comes from.
        faults: the faults found so far.
    """

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    spots: dict[Place, Spot] = field(default_factory=dict)
    faults: list[StudyFault] = field(default_factory=list)

    def override(self, assignment: str) -> None:
        """Set one value, such as `fit.epochs=3`; the value is YAML, and missing sections are added.

        Raises:
            StudyError: not KEY=VALUE, not YAML, or the key leads through something other than a section.
        """
        key, equals, text = assignment.partition("=")
        place: Place = tuple(key.split("."))
        if not equals or not all(place):
            raise StudyError(f"--set takes KEY=VALUE such as fit.epochs=3, got {assignment!r}")
        section: Any = self.values
        for depth, step in enumerate(place[:-1], start=1):
            self.spots.setdefault(place[:depth], key)
            if section.get(step) is None:
                section[step] = {}
            section = section[step]
            if not isinstance(section, dict):
                raise StudyError(f"--set {key}: {spell_place(place[:depth])} is not a section of keys")
        node = _compose(text, lambda _: f"--set {key}")
        self.spots = {p: spot for p, spot in self.spots.items() if p[: len(place)] != place}
        self.spots[place] = key
        section[place[-1]] = None if node is None else self._value(node, place, key)

    def report(self) -> str:
        """Return one line for each fault, in the order of the file, overrides last."""
        meant = {fault.meant for fault in self.faults} - self.spots.keys()
        faults = [fault for fault in self.faults if fault.place not in meant]
        faults.sort(key=lambda f: spot if isinstance(spot := self._spot(f.place), int) else math.inf)
        return "\n".join(map(self._line, faults))

    def _line(self, fault: StudyFault) -> str:
        spot, place = self._spot(fault.place), spell_place(fault.place)
        where = f"{self.file}:{spot}" if isinstance(spot, int) else f"--set {spot}"
        named = place and place != spot
        return _printable(f"{where}: {place}: {fault.message}" if named else f"{where}: {fault.message}")

    def _spot(self, place: Place) -> Spot:
        """Return the spot of a place; of a missing place, that of the nearest section around it."""
        while place not in self.spots:
            place = place[:-1]
        return self.spots[place]

    def _value(self, node: yaml.Node, place: Place, key: str | None) -> Any:
        """Return the value of a node, and note the spots inside it."""
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place, key)
        if isinstance(node, yaml.SequenceNode):
            self.spots |= {(*place, i): key or _line_of(item.start_mark) for i, item in enumerate(node.value)}
            return [self._value(item, (*place, i), key) for i, item in enumerate(node.value)]
        try:
            return _SCALARS[node.tag](node.value)
        except (KeyError, ValueError):
            kind = node.tag.removeprefix(_TAG)
            fault = StudyFault(place, f"must be a plain value, got {node.value!r} tagged {kind}")
            raise StudyError(self._line(fault)) from None

    def _mapping(self, node: yaml.MappingNode, place: Place, key: str | None) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                self.faults.append(StudyFault(place, "a key must be plain text, got a list or a mapping"))
                continue
            inner = (*place, name.value)
            if name.value in values:
                first = "" if key else f", first on line {self.spots[inner]}"
                self.faults.append(StudyFault(inner, f"written twice{first}; keep one"))
            self.spots[inner] = key or _line_of(name.start_mark)
            values[name.value] = self._value(value, inner, key)
        return values


def read_document(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Raises:
        StudyError: no such file, not readable, empty, not YAML, not a mapping, or a value with a tag.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StudyError(f"the study {path} cannot be read: {error.strerror}; name a YAML file") from None
    except UnicodeDecodeError:
        raise StudyError(f"the study {path} must be UTF-8 text; save it as UTF-8") from None
    node = _compose(text, lambda line: f"{path.name}:{line}")
    if node is None:
        raise StudyError(f"the study {path} is empty; it needs at least name, data and target")
    if not isinstance(node, yaml.MappingNode):
        line = _line_of(node.start_mark)
        raise StudyError(f"{path.name}:{line}: a study must be keys with values, such as name: churn")
    document = Document(path.name, spots={(): _line_of(node.start_mark)})
    document.values = document._mapping(node, (), None)
    return document


def spell_place(place: Place) -> str:
    """Spell `("fit", "epochs")` as `fit.epochs`, `("exclude", 1)` as `exclude[1]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


class _Loader(yaml.SafeLoader):
    """Bare values are read as YAML 1.2 has them: Yes, 010, 12:30 and dates are texts, 1e-3 is a number.

    Whole numbers of more than 15 digits are texts too: they are identifiers.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a value could contain itself."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="a study must not use aliases; write the value out", problem_mark=mark
            )
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(true|false)$", list("tf")),
    ("int", r"^[-+]?(0|[1-9][0-9]{0,14})$", list("-+0123456789")),
    ("float", r"^[-+]?([0-9]*\.[0-9]+|[0-9]+\.|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(_pattern), _first)


def _compose(text: str, where: Callable[[int], str]) -> yaml.Node | None:
    """Return the tree of a YAML text, None where it is empty. `where` spells a line for the message."""
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = _line_of(error.problem_mark) if error.problem_mark else 1
        problem = ", ".join(filter(None, (error.context, error.problem)))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"the character U+{error.character:04X} is not allowed"
    hint = "; put the text in quotes" if re.search("character '[%@`]'", problem) else ""
    raise StudyError(f"{where(line)}: not valid YAML: {problem}{hint}")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _line_of(mark: yaml.Mark) -> int:
    return mark.line + 1
