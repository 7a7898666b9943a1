"""How much the service takes on: the bytes of a body, the requests that wait."""

from starlette.types import Message, Receive

from app.errors import Problem


def refuse_if_full(n_waiting: int, max_waiting: int) -> None:
    """Keep a queue short: who would wait long does better to ask again, or to ask another replica.

    Nothing may be awaited between this and the waiting, or a burst would pass as one.

    Raises:
        Problem: as many requests wait already as may.
    """
    if n_waiting >= max_waiting:
        detail = f"as many requests wait already as may ({max_waiting}); ask again shortly"
        raise Problem(503, "too-busy", detail, headers={"Retry-After": "1"})


def limited(headers: dict[bytes, bytes], receive: Receive, max_bytes: int) -> Receive:
    """A `receive` that refuses a body of too many bytes, announced or not, before it is held.

    The server reads what is left of a refused body and drops it, so that the client sees the answer.
    """
    received = int(headers.get(b"content-length", b"0"))  # digits: the server has checked
    if received > max_bytes:
        raise _too_large(max_bytes)
    received = 0

    async def read() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise _too_large(max_bytes)
        return message

    return read


def _too_large(max_bytes: int) -> Problem:
    detail = f"a body may have {max_bytes} bytes; send the customers in several requests"
    return Problem(413, "body-too-large", detail)
