"""What a device may be called, in a study or a setting; kept apart from torch, which loads slowly."""

import json
import re
from typing import Annotated, Final

from pydantic import AfterValidator

_PATTERN: Final = re.compile("auto|cpu|mps|cuda(:[0-9]+)?")


def _checked(text: str) -> str:
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"must be auto, cpu, mps, cuda or cuda:N, got {json.dumps(text)}")
    return text


DeviceName = Annotated[str, AfterValidator(_checked)]
