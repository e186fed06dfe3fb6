"""A line's settings as far as the conversation follows them, and the conversation's own bounds. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from gateway.call.speaking.responses import Request
from gateway.function import SecretDigits

CONNECT_BUFFER_S = 10.0
"""What the caller says before the session is ready is kept this far back."""
TRANSFER_GRACE_S = 5.0
"""How long the provider may take to end the stream of a call that it has transferred."""
SILENCED_TAIL_S = 0.5
"""The sound of the last secret key may come after the word that it was pressed."""

END_CALL = "end_call"
"""The built-in tool by which the model ends the call."""
TRANSFER_CALL = "transfer_call"
"""The built-in tool by which it hands the caller to a target of the line."""
SEND_DIGITS = "send_digits"
"""The built-in tool by which it dials digits into the call."""


class Silence(Struct, frozen=True):
    """What to do when nobody speaks: every ``after_s`` say ``say``, ``times`` times, then hang up."""

    after_s: float
    say: Request
    times: int


class Recorded(Struct, frozen=True):
    """A greeting from a file: its audio in the call's format, and its words as far as they are known."""

    audio: bytes
    text: str = ""


class Target(Struct, frozen=True):
    """Whom a caller may be transferred to; ``announce`` is said before, unless the model has said something."""

    name: str
    to: str
    announce: Request


class Secret(Struct, frozen=True):
    """A parameter that the caller keys in, and what is said before; no prompt where the model has asked for it."""

    digits: SecretDigits
    prompt: Request | None = None


class Waiting(Struct, frozen=True):
    """What is said while a tool takes long: once, into silence, after ``after_s``."""

    words: Request
    after_s: float = 1.5


class FunctionRule(Struct, frozen=True):
    """What the conversation minds of a function: what is keyed in for it, and what is said while it takes long."""

    secrets: tuple[Secret, ...] = ()
    waiting: Waiting | None = None


class Approval(Struct, frozen=True):
    """How a caller allows what an MCP server is to do: by a key, or by words that the next utterance begins with."""

    ask: Request
    key: str = ""
    words: tuple[str, ...] = ()
    timeout_s: float = 20.0


class Digits(Struct, frozen=True):
    """Keys become one message to the model: ended by ``finish_on``, or ``pause_s`` after the last."""

    finish_on: str = "#"
    pause_s: float = 2.0


class KeyAction(Struct, frozen=True):
    """What one key does without the model: a transfer, a text, or the end of the call."""

    transfer: Target | None = None
    say: Request | None = None


class CallSettings(Struct, frozen=True):
    """A line's settings as far as the conversation follows them; durations in seconds."""

    greeting: Request | Recorded | None = None
    interruptible: bool = True
    """``True`` if the caller may speak over the greeting."""
    closed: bool = False
    """The line is closed: after the greeting the call ends, or goes to ``closed_to``."""
    closed_to: Target | None = None
    barge_in: bool = True
    commit_on: str = ""
    """The key that ends the caller's turn, on a line with manual turns."""
    digits: Digits | None = None
    on_key: Mapping[str, KeyAction] = {}
    silence: Silence | None = None
    built_in: frozenset[str] = frozenset({END_CALL})
    """The built-in tools that the line lists."""
    functions: Mapping[str, FunctionRule] = {}
    targets: Mapping[str, Target] = {}
    approvals: Mapping[str, Approval] = {}
    """By the label of the MCP server."""
    mcp_waiting: Mapping[str, Waiting] = {}
    """What is said while a tool of a server takes long, by the label of the server."""
    duration_limit_s: float = 3600.0
    tool_calls_limit: int = 100
    """So many tools the model may call; built-in ones that end or transfer the call are not counted."""
    secret_attempts_limit: int = 5
    """So often the caller may key in the secrets of one function."""
    stream_silence_limit_s: float = 15.0
    """A provider that sends no audio for so long has lost the stream without saying so."""
    farewell_limit_s: float = 60.0
    """How long the bot's last words may take to be heard before the call ends all the same."""
