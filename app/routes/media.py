"""The media type of a request's body."""

from collections.abc import Collection, Mapping

from app.errors import Problem

_CHARSETS = ("", "utf-8", "utf8", "us-ascii")


def media_type(headers: Mapping[bytes, bytes], allowed: Collection[str], thing: str) -> str:
    """Return the media type of a body in UTF-8, without parameters, which are ignored.

    Args:
        allowed: media types.
        thing: what the body is, for the refusal.

    Raises:
        Problem: another media type, another encoding of texts, or a compressed body.
    """
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _unsupported(f"send the {thing} uncompressed")
    kind, *parameters = headers.get(b"content-type", b"").decode("latin-1").lower().split(";")
    pairs = [parameter.strip().partition("=") for parameter in parameters]
    charset = next((value.strip('"') for name, _, value in pairs if name == "charset"), "")
    if kind.strip() not in allowed or charset not in _CHARSETS:
        names = ", ".join(allowed)
        raise _unsupported(f"send the {thing} as {'one of ' * (len(allowed) > 1)}{names}, texts in UTF-8")
    return kind.strip()


def _unsupported(detail: str) -> Problem:
    return Problem(415, "unsupported-media-type", detail)
