"""A line's settings as far as the conversation follows them, and the conversation's own bounds. Pure."""

import math
from collections.abc import Callable, Mapping

from msgspec import Struct

from gateway.call.speaking.responses import Request
from gateway.function import SecretDigits
from gateway.voice.commands import SeedMessage

CONNECT_BUFFER_S = 10.0
"""The last seconds that the caller says before the session is ready are kept."""
TRANSFER_GRACE_S = 5.0
"""The time within which the provider ends the stream of a call that it has transferred."""
PARTING_LIMIT_S = 20.0
"""The time within which the words of a gateway that stops are heard."""
SILENCED_TAIL_S = 0.5
"""The sound of the last secret key may come after the report that it was pressed."""

END_CALL = "end_call"
"""The built-in tool by which the model ends the call."""
TRANSFER_CALL = "transfer_call"
"""The built-in tool by which it hands the caller to a target of the line."""
SEND_DIGITS = "send_digits"
"""The built-in tool by which it dials digits into the call."""


class Silence(Struct, frozen=True):
    """The reminder to a silent caller: every ``after_s`` ``say``, ``times`` times, then the end of the call."""

    after_s: float
    say: Request
    times: int


class Recorded(Struct, frozen=True):
    """A greeting from a file: its audio in the call's format, and its words as far as they are known."""

    audio: bytes
    text: str = ""


class Target(Struct, frozen=True):
    """A target of transfers; ``announce`` is said before, unless the model has said something."""

    name: str
    to: str
    announce: Request


class Secret(Struct, frozen=True):
    """A parameter that the caller keys in, and what is said before; no prompt where the model has asked for it."""

    digits: SecretDigits
    prompt: Request | None = None


class Waiting(Struct, frozen=True):
    """Words that are said while a tool takes long: once, into silence, after ``after_s``."""

    words: Request
    after_s: float = 1.5


class FunctionRule(Struct, frozen=True):
    """The secrets that are keyed in for a function, and the words that are said while it takes long."""

    secrets: tuple[Secret, ...] = ()
    waiting: Waiting | None = None


class Approval(Struct, frozen=True):
    """The caller's approval of a tool of an MCP server: by a key, or by words with which the next utterance begins."""

    ask: Request
    key: str = ""
    words: tuple[str, ...] = ()
    timeout_s: float = 20.0


class Digits(Struct, frozen=True):
    """Keys become one message to the model: ended by ``finish_on``, or ``pause_s`` after the last."""

    finish_on: str = "#"
    pause_s: float = 2.0


class KeyAction(Struct, frozen=True):
    """The action of one key, without the model: a transfer, a text, or the end of the call."""

    transfer: Target | None = None
    say: Request | None = None


class BargeInRules(Struct, frozen=True):
    """The rules by which speech of the caller interrupts a reply; without any, it does at once."""

    protect_ms: int = 0
    """The first milliseconds of a reply are not interrupted."""
    min_speech_ms: int = 0
    """Speech that is shorter does not interrupt."""
    echo_gate: bool = False
    """Speech that is an echo of the bot is not taken for the caller's."""


class Parting(Struct, frozen=True):
    """The end of a call that still goes on when the gateway stops: the bot's words, then a transfer or the end."""

    words: Request | None = None
    target: Target | None = None


class Trouble(Struct, frozen=True):
    """The rules for a call whose session is lost; with no ``tries`` the call ends with its session."""

    tries: int = 0
    """Sessions that are tried until one is heard again."""
    limit_s: float = 20.0
    """The time within which the call has a session again, or ends."""
    connect_limit_s: float = 10.0
    """The same for the first session, counted from the start of the call."""
    phrase: Callable[[], bytes] = bytes
    """Returns the words that the caller hears meanwhile, in the call's format; none where they are not there yet."""
    seed: int | None = None
    """Seeds the back-off; ``None`` for one that nobody can foresee."""


class Consent(Struct, frozen=True):
    """The caller's consent to a recording: by a key, within a time after the question."""

    ask: Request
    key: str = "1"
    wait_s: float = 5.0


class RecordingRule(Struct, frozen=True):
    """The recording of a call, and what the caller is told and asked before."""

    announce: Request | Recorded | None = None
    consent: Consent | None = None
    pauses: bool = True
    """``True`` if both sides are silence while the caller keys in secrets."""


class CallSettings(Struct, frozen=True):
    """A line's settings as far as the conversation follows them; durations in seconds."""

    history: tuple[SeedMessage, ...] = ()
    """The messages with which the conversation begins, before the greeting."""
    greeting: Request | Recorded | None = None
    answers: bool = True
    """``False`` if the line only listens: no response is asked for, and none is expected."""
    interruptible: bool = True
    """``True`` if the caller may speak over the greeting."""
    closed: bool = False
    """The line is closed: after the greeting the call ends, or goes to ``closed_to``."""
    closed_to: Target | None = None
    barge_in: bool = True
    barge_in_rules: BargeInRules = BargeInRules()
    watches_speech: bool = False
    """The gateway itself listens for a caller whose speech the service does not report."""
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
    """Words that are said while a tool of a server takes long, by the label of the server."""
    parting: Parting | None = None
    """The steps where the gateway stops; without them the call ends at once, and the provider goes on with it."""
    duration_limit_s: float = 3600.0
    tool_calls_limit: int = 100
    """So many tools the model may call; built-in ones that end or transfer the call are not counted."""
    secret_attempts_limit: int = 5
    """So often the caller may key in the secrets of one function."""
    stream_silence_limit_s: float = 15.0
    """A provider that sends no audio for so long has lost the stream without saying so."""
    no_audio_limit_s: float = math.inf
    """A call whose provider answers, and sends no audio for so long, has lost its media."""
    trouble: Trouble = Trouble()
    seed_limit_chars: int = 20_000
    """So much of the conversation so far a session that takes the call over is told: the newest of it."""
    session_limit_s: float = 0.0
    """The life of a session, where the service reports none; 0 if it is not known."""
    farewell_limit_s: float = 60.0
    """The time after which the call ends although the bot's last words were not confirmed as heard."""

    recording: RecordingRule | None = None

    @property
    def before_greeting(self) -> Request | Recorded | None:
        """The words before the greeting: the announcement of a recording, or the question for consent."""
        rule = self.recording
        if rule is None:
            return None
        return rule.announce or (rule.consent.ask if rule.consent else None)

    @property
    def first_words(self) -> Request | Recorded | None:
        """The words with which the call begins."""
        return self.before_greeting or self.greeting

    @property
    def listens(self) -> bool:
        """``True`` if the gateway listens to the caller itself."""
        return self.watches_speech or self.barge_in_rules.echo_gate
