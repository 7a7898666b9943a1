"""The bytes of manifest.json: indented JSON with its own digest.

The last field, `digest`, is the SHA-256 of the file with the 64 characters of the digest set to zeros. Any
changed bit is detected, white space included.
"""

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from model.errors import CheckpointError
from model.store.manifest import FORMAT_VERSION, Manifest

_SEAL: Final = re.compile(rb',\n  "digest": "([0-9a-f]{64})"\n}\n')
_SEAL_LENGTH: Final = len(b',\n  "digest": ""\n}\n') + 64
_AFTER_DIGEST: Final = len(b'"\n}\n')


def seal(manifest: Manifest, *, path: Path) -> bytes:
    """Return the bytes of manifest.json; errors name its path.

    Raises:
        CheckpointError: the manifest has a number that is not finite, or text that is not Unicode.
    """
    fields = {**manifest.model_dump(by_alias=True), "digest": "0" * 64}
    try:
        blank = (json.dumps(fields, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} must have finite numbers and text only: {error}") from error
    return _with_digest(blank, _digest(blank))


def unseal(data: bytes, *, path: Path) -> Manifest:
    """Return the manifest of the bytes of manifest.json; errors name its path.

    The digest is the same in every format version and is checked before the JSON is parsed.

    Raises:
        CheckpointError: the bytes are damaged, foreign, of a newer format, or not a manifest.
    """
    found = _SEAL.fullmatch(data[-_SEAL_LENGTH:])
    if not found or found[1] != _digest(data):
        raise damaged(f"{path} is damaged, edited or foreign: its digest does not match")
    body = data[:-_SEAL_LENGTH] + b"\n}"
    _check_format(_parse(body, path), path)
    try:
        return Manifest.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise damaged(f"{path} must describe a model: {describe_errors(error)}") from None


def damaged(text: str) -> CheckpointError:
    """Return the error of a checkpoint that has to be replaced."""
    return CheckpointError(f"{text}. Restore the folder from a copy, or train again.")


def describe_errors(error: ValidationError) -> str:
    """Return the first validation errors with their places, for a message."""
    errors = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in errors[:3])


def _digest(sealed: bytes) -> bytes:
    return hashlib.sha256(_with_digest(sealed, b"0" * 64)).hexdigest().encode()


def _with_digest(sealed: bytes, digest: bytes) -> bytes:
    end = len(sealed) - _AFTER_DIGEST
    return sealed[: end - 64] + digest + sealed[end:]


def _parse(body: bytes, path: Path) -> Any:
    try:
        return json.loads(
            body.decode(), parse_constant=_finite, parse_float=_finite, object_pairs_hook=_no_repeats
        )
    except (ValueError, RecursionError) as error:
        raise damaged(f"{path} must be strict JSON: {error}") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is given twice")
    return fields


def _check_format(fields: Any, path: Path) -> None:
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if type(version) is int and version > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} must have a format version up to {FORMAT_VERSION}, got {version}. Upgrade Propense."
        )
