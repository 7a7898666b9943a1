"""Errors that a user can act on: each text states the place, the rule, the value and the next step."""

import re
from typing import Final

_SECRETS: Final = re.compile(
    r"(?P<address>[a-z][a-z0-9+.-]{0,30}:/{1,2}[^\s:@/]*:)\S+(?=@)"
    r"|(?P<key>(password|passwd|pwd|secret|token)=)[^\s&;]+",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """Return a text without the passwords of addresses such as `postgresql://user:password@host`."""
    return _SECRETS.sub(lambda found: f"{found['address'] or found['key']}***", text)


class PropenseError(Exception):
    """Base of all of them; the text is the message to show, without passwords."""

    def __str__(self) -> str:
        return redacted(super().__str__())


class StudyError(PropenseError):
    """The study file cannot be used; the text lists every error with its place."""


class DataError(PropenseError):
    """A data file (or a row of a request) cannot be used."""


class EmptyFileError(DataError):
    """A data file holds nothing: an error of a file alone, to be passed over among others."""


class SchemaError(PropenseError):
    """Data do not fit the columns and kinds that a model was trained on."""


class CheckpointError(PropenseError):
    """A checkpoint or registry entry is missing, damaged or of another model."""


class LedgerError(PropenseError):
    """A ledger or its key cannot be used: it is missing, damaged or of another key."""


class ComparisonError(PropenseError):
    """A champion and a challenger cannot be measured on examples that neither was trained on."""


class DeviceError(PropenseError):
    """A device is not on this machine."""
