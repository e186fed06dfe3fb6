"""The tables from one G.711 law to the other."""

from gateway.audio.formats import PCMA, PCMU
from gateway.audio.g711 import decode
from gateway.phone.providers.telnyx.g711_table import A_TO_MU, MU_TO_A

ALL = bytes(range(256))


def test_silence_stays_silence() -> None:
    """ITU-T G.711 tables 3 and 4: A-law has no zero, its smallest value stays the smallest."""
    assert A_TO_MU[0xD5] == 0xFE
    assert MU_TO_A[0xFF] == MU_TO_A[0xFE] == 0xD5


def test_every_sample_keeps_its_loudness() -> None:
    """Within the step of the coarser law there."""
    for table, source, target in ((A_TO_MU, PCMA, PCMU), (MU_TO_A, PCMU, PCMA)):
        before = decode(ALL, source).astype(int)
        after = decode(ALL.translate(table), target).astype(int)
        assert (abs(before - after) <= abs(before) * 0.04 + 8).all()
