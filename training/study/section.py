"""What every section of a study has in common."""

from typing import Final

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """Unknown keys are refused; a number may stand for a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)


# A section whose keys are all commented out arrives as None.
EMPTY_IS_DEFAULT: Final = BeforeValidator(lambda raw: {} if raw is None else raw)
