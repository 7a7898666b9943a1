"""Errors that a user can act on: each text states the place, the rule, the value and the next step."""


class PropenseError(Exception):
    """Base of all of them; the text is the message to show."""


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


class ComparisonError(PropenseError):
    """A champion and a challenger cannot be measured on examples that neither was trained on."""


class DeviceError(PropenseError):
    """A device is not on this machine."""
