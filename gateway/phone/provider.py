"""The interface of every provider: its wire, its webhook, its signatures, its call control as data.

Pure: whatever is to be fetched or sent is an :class:`HttpRequest` that other code performs.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from gateway.audio.formats import AudioFormat
from gateway.errors import GatewayError
from gateway.phone.commands import PhoneCommand, StreamCommand
from gateway.phone.events import PhoneEvent, Playout, WireReply


class SignatureError(GatewayError):
    """A request that does not prove where it comes from. The reason is for our log, never for the peer."""


class UnsignedError(SignatureError):
    """A stream without the signature that its provider puts under each."""


class Proof(enum.Enum):
    """The proof that the request that opens a stream brings by itself."""

    NONE = enum.auto()
    """It proves nothing: the provider signs none, or its secret is not set."""
    PROVIDER = enum.auto()
    """It is the provider's, but does not prove the call: a token is needed too."""
    STREAM = enum.auto()
    """The stream may be opened."""


class Confirmation(enum.StrEnum):
    """The ways in which a provider confirms what was played."""

    MARKS = "marks, returned on clear too"
    PLAYED_MARKS = "marks, only when played"
    ENDS = "start and end of playback"
    CLOCK = "none: computed from the clock"


class Traits(Struct, frozen=True):
    """The abilities of a provider, as in the table of ``docs/providers.md``."""

    title: str
    formats: tuple[AudioFormat, ...]
    playout: Playout
    clears: bool = True
    """``True`` if audio that was sent can be discarded; otherwise all that was sent counts as heard."""
    confirmation: Confirmation = Confirmation.MARKS
    keys_in: bool = True
    keys_out: str = ""
    """The way by which digits go out: ``stream``, ``REST`` or empty; the same for hanging up and transfer."""
    hang_up: str = ""
    transfer: str = ""
    says_after: bool = True
    """``True`` if the words of a line's ``after`` and ``on_failure`` are said when its stream has ended."""
    transfers_after: bool = True
    """``True`` if calls are then transferred."""
    signature: str = ""
    """The proof that a webhook is the provider's, in a few words."""
    stream_key: str = ""
    """The proof that a stream belongs to an answered call."""
    signs_all: bool = False
    """``True`` if streams that our document did not open are always signed as well."""
    guesses_upgrade: bool = False
    """``True`` if the form of the upgrade's signature is a guess: it is required after the first right one."""
    peer_closes: bool = False
    """``True`` if the provider alone may close the socket, after a message that ends the stream."""
    unsure: bool = False
    """``True`` if no public wire trace or vendor page confirms all of it."""


class Setup(Struct, frozen=True):
    """What a provider is made with, beside its section of ``gateway.yaml``."""

    answer_url: str
    """The address of its answer webhook here; empty where no public URL is known."""
    now_s: Callable[[], float]
    """The time in seconds since the epoch, for what a provider signs by itself."""


class HttpRequest(Struct, frozen=True):
    """An HTTP request to make: call control as data."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    gone: tuple[int, ...] = ()
    """Statuses that count as success: of a hang-up those that say that the call is over already."""
    repeatable: bool = False
    """``True`` if doing it twice does no harm: then it is tried again when its outcome is unknown."""
    authorize: "HttpRequest | None" = None
    """A request made before, whose JSON answer's ``access_token`` becomes this one's bearer (RFC 6749 §5.1)."""


class Upgrade(Struct, frozen=True):
    """The HTTP request that opened a stream."""

    url: str = ""
    """The public URL that was opened, ``wss://…``, query included."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Names in lower case."""


class Grant(Struct, frozen=True):
    """The call that our answer document granted a stream. Empty where the stream came without a token."""

    line: str = ""
    call_id: str = ""
    caller: str = ""
    called: str = ""


STREAM_ENDED = ("stream", "ended")
"""The query of ``Connect.then_url``, where the provider asks what follows a stream."""


class WebhookRequest(Struct, frozen=True):
    """An HTTP request of a provider, as far as signatures and answers need it."""

    method: str
    url: str
    """The URL that the provider was given: our ``public_url`` with the request's path and query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    form: Sequence[tuple[str, str]] = ()
    """Form fields in the order received, repeated ones included."""
    body: bytes = b""
    query: Sequence[tuple[str, str]] = ()

    def field(self, name: str) -> str:
        """Return the first form field of that name, else the first query parameter, else nothing."""
        return next((value for key, value in (*self.form, *self.query) if key == name), "")

    @property
    def asks_what_follows(self) -> bool:
        """True if the request is made to ``Connect.then_url``."""
        return STREAM_ENDED in self.query


class IncomingCall(Struct, frozen=True):
    """A call that a webhook announces; numbers as the provider writes them."""

    call_id: str
    caller: str
    called: str
    context: str = ""
    """An opaque id that the provider wants back in the answer; empty where it wants none."""


class After(Struct, frozen=True):
    """The steps after the stream, so that no caller is left on a silent line: words, then a transfer or the end."""

    say: str = ""
    language: str = ""
    transfer: str = ""
    """A number in E.164, or an address of SIP."""


class Connect(Struct, frozen=True):
    """The addresses to which an incoming call is connected."""

    stream_url: str
    """``wss://…`` with the token as the last part of its path."""
    on_failure: After = After()
    """The steps that the document itself has after the stream, for where ``then_url`` cannot be asked."""
    then_url: str = ""
    """The URL where the provider asks what follows the stream, which depends on the call's end; empty for none."""
    callback_url: str = ""
    """The URL for the call's further events: our ``/status/{provider}``."""
    call_url: str = ""
    """The URL for further documents: our ``/answer/{provider}``."""


class Answer(Struct, frozen=True):
    """The answer to a webhook; ``requests`` are made before it, in order."""

    body: str = ""
    content_type: str = "text/plain"
    status: int = 200
    requests: tuple[HttpRequest, ...] = ()
    otherwise: tuple[HttpRequest, ...] = ()
    """Requests made where one of those is refused, so that the caller is not left in silence."""


class StreamEnded(Struct, frozen=True):
    """A webhook that asks what follows a call's stream. ``answer`` writes the answer to it."""

    call_id: str
    called: str
    answer: Callable[[After], Answer]


class CallStatus(Struct, frozen=True):
    """The state of a call, as a status callback reports it."""

    call_id: str
    status: str
    """The provider's own word."""
    ended: bool
    stream_failed: bool = False
    """``True`` if the call goes on although its stream could not be opened."""
    answered_as: str = ""
    """The id that the call had in its webhook, where callbacks have another."""
    transfer_failed: bool = False
    """``True`` if a transfer that the REST API had accepted has failed: the caller is still there, alone."""


class Codec(Protocol):
    """The wire of one stream: pure, one object a call. It learns the stream's id from the start message."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of a WebSocket message, text as ``str``; raise ``WireError`` where it breaks the protocol.

        A ``WireReply`` among them is to be sent back.
        """

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry out the command, text as ``str``; none where the wire does not support it."""


class Provider(Protocol):
    """A provider. Made with its section of ``gateway.yaml``; pure, and one for the process."""

    name: str
    """As in the routes and in ``gateway.yaml``: the provider's own, or that of one of several accounts there."""

    @property
    def traits(self) -> Traits:
        """The abilities of this provider."""

    @property
    def subprotocols(self) -> Sequence[str]:
        """WebSocket sub-protocols (RFC 6455 §1.9), one of which the provider expects to be accepted."""

    def codec(self, upgrade: Upgrade, grant: Grant) -> Codec:
        """Return a fresh wire for one stream."""

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Return the proof that the stream's request brings by itself; ``now_s`` is Unix time.

        Raises ``UnsignedError`` where a signature is missing that the provider puts under each stream,
        ``SignatureError`` where one is wrong.
        """

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check a webhook's signature; return a text that only this request of the provider has, or an empty one.

        It is made of what is signed (a nonce with all the rest, an event's id), never of the signature's text: base64
        has several spellings of the same bytes.

        Raises ``SignatureError`` where it is missing, wrong, too old, or no secret is configured.
        """

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call that a webhook announces, or the stream whose end it reports, or the answer to any other.

        Raises ``WireError`` where it is neither.
        """

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the answer that connects the call to its stream."""

    def refuse(self, call: IncomingCall) -> Answer:
        """Return the answer that rejects a call as busy, in place of :meth:`answer`."""

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a status callback reports; raise ``WireError`` where it reports nothing."""

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Return the requests for what follows the stream; none where the provider asks for it or goes on."""

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """Return the requests that end the call, whatever was to follow; none without a configured REST API."""

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Return the requests that transfer the call to a number (E.164) or SIP address; none where impossible."""

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Return the requests that dial digits; none where that is impossible, or the wire supports it."""


@runtime_checkable
class SignsOnce(Protocol):
    """A provider whose signature of a stream may be used once."""

    def once(self, upgrade: Upgrade) -> tuple[str, float]:
        """Return the part of a right signature that never repeats, and for how many seconds to remember it."""


@runtime_checkable
class LearnsOfAnswer(Protocol):
    """A provider whose REST API returns the call's name there when it answers a call."""

    def answered(self, call: IncomingCall, response: bytes) -> None:
        """Note what the API returned when ``call`` was answered."""
