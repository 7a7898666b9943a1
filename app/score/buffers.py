"""Bytes that wait for more."""


def take(waiting: bytearray, n_bytes: int) -> bytes:
    """Take some bytes from the start; fewer where fewer wait."""
    with memoryview(waiting) as all_, all_[:n_bytes] as first:
        taken = bytes(first)
    del waiting[:n_bytes]
    return taken
