"""The sound of a call as a part of its page: Ogg Opus, which browsers play. Pure."""

import base64

from gateway.audio.opus import opus_bytes
from gateway.report.heard import Heard

EMBEDDED_S = 3600
"""A longer recording is not part of the page, which would be too large to send."""


def embedded(heard: Heard) -> str:
    """Return the recording as a data URL; empty where there is none, or where it is too long."""
    if not heard.has_sound or len(heard.stereo) > EMBEDDED_S * heard.rate_hz:
        return ""
    return f"data:audio/ogg;codecs=opus;base64,{base64.b64encode(opus_bytes(heard.stereo, heard.rate_hz)).decode()}"
