"""A line's settings as far as the conversation follows them, and the conversation's own bounds. Pure."""

from msgspec import Struct

from gateway.call.gate import Request

CONNECT_BUFFER_S = 10.0
"""What the caller says before the session is ready is kept this far back."""
MALFORMED_LIMIT = 50
"""So many broken messages of a peer within the window, and it is not a peer any more."""
MALFORMED_WINDOW_S = 60.0
END_CALL = "end_call"
"""The built-in tool by which the model ends the call."""


class Silence(Struct, frozen=True):
    """What to do when nobody speaks: every ``after_s`` say ``say``, ``times`` times, then hang up."""

    after_s: float
    say: Request
    times: int


class Rules(Struct, frozen=True):
    """A line's settings as far as the conversation follows them; durations in seconds."""

    greeting: Request | None = None
    barge_in: bool = True
    commit_on: str = ""
    """The key that ends the caller's turn, on a line with manual turns."""
    silence: Silence | None = None
    duration_limit_s: float = 3600.0
    stream_silence_limit_s: float = 15.0
    """A provider that sends no audio for so long has lost the stream without saying so."""
    farewell_limit_s: float = 30.0
    """How long the bot's last words may take to be heard before the call ends all the same."""
