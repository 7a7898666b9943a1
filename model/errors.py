"""What Propense refuses, each with a sentence that states the rule, the value got and the next step."""


class PropenseError(Exception):
    """Base of every refusal that a user can act on; the text is the message to show."""


class StudyError(PropenseError):
    """The study file cannot be used; the text lists every fault with its place."""


class DataError(PropenseError):
    """A data file (or a row of a request) cannot be used."""


class SchemaError(PropenseError):
    """Data do not fit the columns and kinds that a model was trained on."""


class CheckpointError(PropenseError):
    """A checkpoint or registry entry is missing, damaged or foreign."""


class ComparisonError(PropenseError):
    """A champion and a challenger cannot be measured on examples that neither has learnt from."""


class DeviceError(PropenseError):
    """A device was named that this machine does not have."""
