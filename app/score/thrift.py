"""Structs in Thrift's compact protocol, as Parquet has them: whole numbers by field; texts are passed over.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from dataclasses import dataclass
from typing import Any, Final

from app.score.messages import Unreadable

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 7, 8, 12
_WHOLE: Final = (4, 5, 6)
_LISTS: Final = (9, 10)
_LONG: Final = 15  # what stands for a length that needs more room

Struct = dict[int, Any]


@dataclass
class Thrift:
    """Reads one struct after another.

    Attributes:
        at: where the next one begins.
    """

    data: bytes
    at: int = 0

    def struct(self) -> Struct:
        """The fields of the struct that stands here.

        Raises:
            IndexError: it is not whole.
            Unreadable: it is none.
        """
        fields: Struct = {}
        number = 0
        while byte := self._byte():
            delta, kind = byte >> 4, byte & 15
            number = number + delta if delta else self._number()
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in _WHOLE:
            return self._number()
        if kind == _STRUCT:
            return self.struct()
        if kind in _LISTS:
            return self._list()
        if kind in (_TRUE, _FALSE, _BYTE):  # in a list, a byte each
            return self._byte()
        if kind not in (_BINARY, _DOUBLE):  # a map, which Parquet has none of
            raise Unreadable
        length = self._varint() if kind == _BINARY else 8
        self.at += length
        return None

    def _list(self) -> list[Any]:
        head = self._byte()
        length, kind = head >> 4, head & 15
        return [self._value(kind) for _ in range(self._varint() if length == _LONG else length)]

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise Unreadable

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def whole(fields: Struct, number: int) -> int:
    """A whole number of a struct; 0 where there is none."""
    value = fields.get(number, 0)
    if type(value) is not int:
        raise Unreadable
    return value


def structs(fields: Struct, number: int) -> list[Struct]:
    """The structs of a list; one that stands alone is a list of one."""
    values = fields.get(number, [])
    listed = values if isinstance(values, list) else [values]
    if not all(isinstance(value, dict) for value in listed):
        raise Unreadable
    return listed
