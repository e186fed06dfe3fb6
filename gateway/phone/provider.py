"""What every provider offers: its wire, its webhook, its signatures, its call control as data. The same names for all.

Pure: whatever is to be fetched or sent is an :class:`HttpRequest` that somebody else performs.
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
    """What the request that opens a stream proves by itself."""

    NONE = enum.auto()
    """Nothing: the provider signs none, or its secret is not set."""
    PROVIDER = enum.auto()
    """That it is the provider's, and not for which call: a token is needed too."""
    STREAM = enum.auto()
    """That it may be opened."""


class Confirmation(enum.StrEnum):
    """How a provider tells what was played."""

    MARKS = "marks, returned on clear too"
    PLAYED_MARKS = "marks, only when played"
    ENDS = "start and end of playback"
    CLOCK = "none: computed from the clock"


class Traits(Struct, frozen=True):
    """What a provider can do, as the table in ``docs/providers.md`` shows it."""

    title: str
    formats: tuple[AudioFormat, ...]
    playout: Playout
    clears: bool = True
    """Whether audio that was sent can be discarded; otherwise all that was sent counts as heard."""
    confirmation: Confirmation = Confirmation.MARKS
    keys_in: bool = True
    keys_out: str = ""
    """How digits go out: ``stream``, ``REST`` or nothing; so for hanging up and transfer."""
    hang_up: str = ""
    transfer: str = ""
    says_after: bool = True
    """Whether the words of a line's ``after`` and ``on_failure`` are said when its stream has ended."""
    transfers_after: bool = True
    """Whether calls are then transferred."""
    signature: str = ""
    """What proves that a webhook is the provider's, in a few words."""
    stream_key: str = ""
    """What proves that a stream belongs to an answered call."""
    signs_all: bool = False
    """Whether streams that our document did not open are signed for sure as well."""
    guesses_upgrade: bool = False
    """Whether the form of the upgrade's signature is a guess: it is demanded from the first right one on."""
    peer_closes: bool = False
    """Whether the provider alone may close the socket, once the end has been said on it."""
    unsure: bool = False
    """Whether no public wire trace or vendor page settles all of it."""


class Setup(Struct, frozen=True):
    """What a provider is made with, beside its section of ``gateway.yaml``."""

    answer_url: str = ""
    """The address of its answer webhook here; empty where no public URL is known."""
    now_s: Callable[[], float] = lambda: 0.0
    """The time in seconds since the epoch, for what a provider signs by itself."""


class HttpRequest(Struct, frozen=True):
    """An HTTP request to make: call control as data."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    gone: tuple[int, ...] = ()
    """Statuses that are as good as done: of a hang-up those that say that the call is over already."""
    repeatable: bool = False
    """Whether doing it twice is as good as once: then it is tried again when nobody knows whether it was done."""
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
    """What our answer document vouched for: whose call a stream carries. Empty where the stream came without one."""

    line: str = ""
    call_id: str = ""
    caller: str = ""
    called: str = ""


STREAM_ENDED = ("stream", "ended")
"""The query of ``Connect.then_url``: the provider asks there what follows a stream."""


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
        """The first form field of that name, else the first query parameter, else nothing."""
        return next((value for key, value in (*self.form, *self.query) if key == name), "")

    @property
    def asks_what_follows(self) -> bool:
        """Whether the request is made to ``Connect.then_url``."""
        return STREAM_ENDED in self.query


class IncomingCall(Struct, frozen=True):
    """A call that a webhook announces; numbers as the provider writes them."""

    call_id: str
    caller: str
    called: str
    context: str = ""
    """What the provider wants back in the answer (an opaque id), where it does."""


class After(Struct, frozen=True):
    """What follows the stream, so that no caller is left on a silent line: words, then a transfer or the end."""

    say: str = ""
    language: str = ""
    transfer: str = ""
    """A number in E.164, or an address of SIP."""


class Connect(Struct, frozen=True):
    """Where an incoming call is to be connected."""

    stream_url: str
    """``wss://…`` with the token as the last part of its path."""
    on_failure: After = After()
    """What the document itself says behind the stream: what is done where ``then_url`` cannot be asked."""
    then_url: str = ""
    """Where the provider asks what follows the stream, which depends on how the call ended; empty where nothing may."""
    callback_url: str = ""
    """Where the provider may send the call's further events: our ``/status/{provider}``."""
    call_url: str = ""
    """Where the provider asks for further documents: our ``/answer/{provider}``."""


class Answer(Struct, frozen=True):
    """What answers a webhook; ``requests`` are made before it, in order."""

    body: str = ""
    content_type: str = "text/plain"
    status: int = 200
    requests: tuple[HttpRequest, ...] = ()
    otherwise: tuple[HttpRequest, ...] = ()
    """Requests made where one of those is refused: the call's caller would be left in silence."""


class StreamEnded(Struct, frozen=True):
    """A webhook that asks what follows a call's stream. ``answer`` writes the answer to it."""

    call_id: str
    called: str
    answer: Callable[[After], Answer]


class CallStatus(Struct, frozen=True):
    """What a status callback says of a call."""

    call_id: str
    status: str
    """The provider's own word."""
    ended: bool
    stream_failed: bool = False
    """Whether the call goes on although its stream did not come about."""
    answered_as: str = ""
    """The id that the call had in its webhook, where callbacks have another."""
    transfer_failed: bool = False
    """Whether it takes back a transfer that the REST API had accepted: the caller is still there, with nobody."""


class Codec(Protocol):
    """The wire of one stream: pure, one object a call. It learns the stream's id from the start message."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Events of one WebSocket message, text as ``str``; ``WireError`` where it breaks the protocol.

        A ``WireReply`` among them is what the protocol wants sent back.
        """

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """WebSocket messages that carry the command out, text as ``str``; none where the wire has no word for it."""


class Provider(Protocol):
    """A provider. Made with its section of ``gateway.yaml``; pure, and one for the process."""

    name: str
    """As in the routes and in ``gateway.yaml``: the provider's own, or that of one of several accounts there."""

    @property
    def traits(self) -> Traits:
        """What it can do."""

    @property
    def subprotocols(self) -> Sequence[str]:
        """WebSocket sub-protocols (RFC 6455 §1.9), one of which the provider expects to be accepted."""

    def codec(self, upgrade: Upgrade, grant: Grant) -> Codec:
        """A fresh wire for one stream."""

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """What the stream's request proves by itself; ``now_s`` is Unix time.

        Raises ``UnsignedError`` where a signature is missing that the provider puts under each stream,
        ``SignatureError`` where one is wrong.
        """

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check a webhook's signature; returns what tells this request from every other of the provider, or nothing.

        It is made of what is signed (a nonce with all the rest, an event's id), never of the signature's text: base64
        has several spellings of the same bytes.

        Raises ``SignatureError`` where it is missing, wrong, too old, or no secret is configured.
        """

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call that a webhook announces, or the stream whose end it tells, or the answer to any other.

        Raises ``WireError`` where it is neither.
        """

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """What connects the call to its stream."""

    def refuse(self, call: IncomingCall) -> Answer:
        """What tells a caller that the line is busy, in place of :meth:`answer`."""

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """What a status callback says; ``WireError`` where it says nothing."""

    def after_stream(self, call_id: str, after: After) -> Sequence[HttpRequest]:
        """Requests that carry out what follows the stream; none where the provider asks for it or goes on."""

    def hang_up(self, call_id: str) -> Sequence[HttpRequest]:
        """Requests that end the call, whatever was to follow; none where there is no REST API, or none configured."""

    def transfer(self, call_id: str, target: str) -> Sequence[HttpRequest]:
        """Requests that hand the call to a number (E.164) or an address of SIP; none where there is no such thing."""

    def send_digits(self, call_id: str, digits: str) -> Sequence[HttpRequest]:
        """Requests that dial digits; none where there is no such thing, or the wire has a word for it."""


@runtime_checkable
class SignsOnce(Protocol):
    """A provider whose signature of a stream is good once."""

    def once(self, upgrade: Upgrade) -> tuple[str, float]:
        """Return what a right signature has that none has again, and for how many seconds it could be tried again."""


@runtime_checkable
class LearnsOfAnswer(Protocol):
    """A provider whose REST API tells, as it answers a call, what that call is named there."""

    def answered(self, call: IncomingCall, response: bytes) -> None:
        """Take note of what the API said when ``call`` was answered."""
