"""16-bit audio in whole samples."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.phone.whole_samples import WholeSamples


@given(st.lists(st.binary(max_size=9)))
def test_nothing_is_lost_or_shifted(pieces: list[bytes]) -> None:
    """Each piece is whole, and together they are what came, but for a last half."""
    samples = WholeSamples()
    joined = [samples.join(piece) for piece in pieces]
    assert all(len(piece) % 2 == 0 for piece in joined)
    came = b"".join(pieces)
    assert b"".join(joined) == came[: len(came) & ~1]
    assert samples.rest == (came[-1:] if len(came) % 2 else b"")
