"""A-law to µ-law and back, byte for byte (ITU-T G.711), for calls whose two directions differ. Pure."""

from gateway.audio.formats import PCMA, PCMU
from gateway.audio.g711 import decode, encode

_ALL = bytes(range(256))
A_TO_MU = encode(decode(_ALL, PCMA), PCMU)
"""For ``bytes.translate``."""
MU_TO_A = encode(decode(_ALL, PCMU), PCMA)
