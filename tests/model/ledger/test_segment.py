from hypothesis import given
from hypothesis import strategies as st

from model.ledger.key import LedgerKey
from model.ledger.segment import HEADER, MARKER, Frames, frame, header, read_frames
from tests.model.ledger.build import KEY

ID = b"s" * 16
PAYLOADS = (b"one", MARKER + b"two", b"", b"four" * 20)


def written(*payloads: bytes, key: LedgerKey = KEY) -> bytes:
    data = header(key, ID)
    for payload in payloads:
        data += frame(key, ID, len(data), payload)
    return data


@given(st.lists(st.binary(max_size=200)))
def test_what_is_written_is_read(payloads: list[bytes]) -> None:
    assert read_frames(written(*payloads), KEY, ID) == Frames(tuple(payloads))


def test_a_segment_cut_anywhere_has_the_frames_before_the_cut() -> None:
    data = written(*PAYLOADS)
    ends = [len(written(*PAYLOADS[:n])) for n in range(len(PAYLOADS) + 1)]
    for cut in range(len(data)):
        found = read_frames(data[:cut], KEY, ID)
        whole = max((n for n, end in enumerate(ends) if end <= cut), default=0)
        start = ends[whole] if cut >= HEADER else 0
        assert found == Frames(PAYLOADS[:whole], torn=cut - start)


def test_a_segment_changed_anywhere_has_every_other_frame() -> None:
    data = written(*PAYLOADS)
    ends = [len(written(*PAYLOADS[:n])) for n in range(len(PAYLOADS) + 1)]
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x55
        found = read_frames(bytes(changed), KEY, ID)
        if at < HEADER:
            assert found is None
            continue
        hit = next(n for n, end in enumerate(ends) if at < end) - 1
        assert found is not None
        assert found.payloads == PAYLOADS[:hit] + PAYLOADS[hit + 1 :]
        assert found.damaged + found.torn == ends[hit + 1] - ends[hit]


@given(st.integers(HEADER, len(written(*PAYLOADS))), st.binary(min_size=1, max_size=50))
def test_no_frame_is_lost_by_bytes_between(at: int, junk: bytes) -> None:
    ends = [len(written(*PAYLOADS[:n])) for n in range(len(PAYLOADS) + 1)]
    data = written(*PAYLOADS)
    found = read_frames(data[:at] + junk + data[at:], KEY, ID)
    assert found is not None
    before = max(n for n, end in enumerate(ends) if end <= at)
    assert found.payloads[:before] == PAYLOADS[:before]
    assert len(found.payloads) <= len(PAYLOADS)  # a frame that was moved is none


def test_another_key_or_another_name_is_refused() -> None:
    assert read_frames(written(*PAYLOADS), LedgerKey(b"x" * 32), ID) is None
    assert read_frames(written(*PAYLOADS), KEY, b"t" * 16) is None
