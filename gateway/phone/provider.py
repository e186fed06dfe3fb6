"""The interface of every provider: its wire, the proof of its streams, and the capabilities that it has beside them.

What a provider lacks is ``None`` in its interface, so that callers ask ``if provider.commands is None``; no method
is there to say that it does nothing. Pure: whatever is to be fetched or sent is an :class:`HttpRequest`, or steps of
them, that other code makes.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from gateway.audio.formats import AudioFormat
from gateway.errors import GatewayError
from gateway.phone.commands import PhoneCommand, StreamCommand
from gateway.phone.events import CallStarted, PhoneEvent, Playout, WireReply
from gateway.phone.pointing import ByApi, ByHand
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.webhook import After, Webhooks


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
    sends_on_receipt: bool = False
    """``True`` if the codec keeps our audio and sends one frame for each that comes, silence where it has none: it
    discards by itself, without a message."""
    confirmation: Confirmation = Confirmation.MARKS
    keys_in: bool = True
    keys_out: str = ""
    """The way by which digits go out: ``stream``, ``REST`` or empty; the same for hanging up and transfer."""
    hang_up: str = ""
    transfer: str = ""
    """The way of a transfer; it ends with ``to numbers`` (``REST, to numbers``) where no SIP address can be dialled."""
    says_after: bool = True
    """``True`` if the words of a line's ``after`` and ``on_failure`` are said when its stream has ended."""
    transfers_after: bool = True
    """``True`` if calls are then transferred."""
    when_full: tuple[str, ...] = ()
    """The abilities of its answer to a call for which there is no room: ``say``, ``transfer``, ``wait``."""
    signature: str = ""
    """The proof that a webhook is the provider's, in a few words."""
    stream_key: str = ""
    """The proof that a stream belongs to an answered call."""
    signs_all: bool = False
    """``True`` if streams that our document did not open are always signed as well."""
    guesses_upgrade: bool = False
    """``True`` if the form of the upgrade's signature is a guess: it is required after the first right one."""
    reconnects: int = 0
    """The number of times that the provider opens a call's lost stream again, at the same address."""
    peer_closes: bool = False
    """``True`` if the provider alone may close the socket, after a message that ends the stream."""
    unsure: bool = False
    """``True`` if no public wire trace or vendor page confirms all of it."""


class Setup(Struct, frozen=True):
    """The means to make a provider, beside its section of ``gateway.yaml``."""

    name: str
    """As in the routes and in ``gateway.yaml``: the provider's own, or that of one of several accounts there."""
    answer_url: str
    """The address of its answer webhook here; empty where no public URL is known."""
    now_s: Callable[[], float]
    """The time in seconds since the epoch, for what a provider signs by itself."""


class Upgrade(Struct, frozen=True):
    """The HTTP request that opened a stream."""

    url: str = ""
    """The public URL that was opened, ``wss://…``, query included."""
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    """Names in lower case."""


class Grant(Struct, frozen=True, omit_defaults=True):
    """The call that our answer document granted a stream. Empty where the stream came without a token."""

    line: str = ""
    call_id: str = ""
    caller: str = ""
    called: str = ""
    traceparent: str = ""
    """The span of the webhook that was answered (W3C Trace Context); empty where no traces are made."""


class Codec(Protocol):
    """The wire of one stream: pure, one object a call. It learns the stream's id from the start message."""

    def decode(self, message: str | bytes) -> Sequence[PhoneEvent | WireReply]:
        """Return the events of a WebSocket message, text as ``str``; raise ``WireError`` where it breaks the protocol.

        A ``WireReply`` among them is to be sent back.
        """

    def encode(self, command: PhoneCommand | StreamCommand) -> Sequence[str | bytes]:
        """Return the messages that carry out the command, text as ``str``; none where the wire does not support it."""


class CallCommands(Protocol):
    """The commands of a provider's REST API to a call. A command that the API lacks is ``None``."""

    def hang_up(self, call_id: str) -> Requests:
        """Return the requests that end the call, whatever was to follow."""

    transfer: Callable[[str, str], Requests] | None = None
    """From a call's id and a number (E.164) or SIP address, the requests that transfer the call there; no request
    where that is impossible."""
    send_digits: Callable[[str, str], Requests] | None = None
    """From a call's id and digits, the requests that dial them; no request where that is impossible for this call."""
    redirect: Callable[[str, str], Requests] | None = None
    """From a call's id and a URL of ours, the requests by which it leaves its stream and is asked about there; none
    where that is impossible. With it, the answer document alone serves after a failure."""
    after_stream: Callable[[str, After], Requests] | None = None
    """From a call's id and what is to follow its stream, the requests for it; none where the provider asks us."""


ShowNote = Callable[[str, int, Mapping[str, object]], str]
"""From the name of a note, the milliseconds since the call's start and the note's fields, the message that shows it."""


class KeySet(Protocol):
    """The keys that a provider publishes (RFC 7517), by which its tokens are checked.

    ``verify`` and ``verify_upgrade`` raise ``UnknownKeyError``, before they change anything, for an unknown key.
    """

    file: str = ""
    """The file that keeps the keys beyond the process' life; empty for none."""

    def request(self) -> HttpRequest:
        """Return the request that fetches the keys."""

    def replace(self, document: bytes) -> None:
        """Replace the keys by the fetched ones. Raises ``WireError`` if they are no key set."""


class StartProof(Struct, frozen=True):
    """The proof in the first message of a stream."""

    token: str = ""
    """The token that our answer gave the call (``Connect.token``), as the message brings it; empty for none."""
    proof: Proof = Proof.NONE
    """The proof that the message brings beside the token."""


class Provider(Protocol):
    """A provider: subclass it, and set what the provider has. Pure, and one for the process.

    ``name``, ``traits``, ``codec`` and ``pointing`` are needed; the rest is ``None`` until it is set.
    """

    name: str
    """That of ``Setup``."""

    @property
    def traits(self) -> Traits:
        """The abilities of this provider."""

    pointing: ByApi[Any] | ByHand
    """The way to make a number of the provider call this gateway."""

    subprotocols: Sequence[str] = ()
    """WebSocket sub-protocols (RFC 6455 §1.9), one of which the provider expects to be accepted."""

    def codec(self, upgrade: Upgrade, grant: Grant) -> Codec:
        """Return a fresh wire for one stream."""

    verify_upgrade: Callable[[Upgrade, float], Proof] | None = None
    """From the stream's request and the Unix time, the proof that the request brings by itself. Raises
    ``UnsignedError`` where a signature is missing that is under each stream, ``SignatureError`` where one is wrong."""
    upgrade_key: Callable[[Upgrade], tuple[str, float]] | None = None
    """From a request whose proof was right, the part of its signature that never repeats, and for how many seconds to
    remember it: the signature may be used once. ``None`` where it may come again."""
    verify_start: Callable[[CallStarted, float], StartProof] | None = None
    """From the start message and the Unix time, what it proves: for a provider whose streams have a fixed address, so
    that the request that opens one proves nothing. It is asked where nothing else proved the stream, before anything
    that the message says is believed. Raises ``SignatureError`` where a proof in it is wrong."""
    show_note: ShowNote | None = None
    """The message that shows a note of the call at the other end of the stream, where that is a page for people."""
    published_keys: KeySet | None = None
    """The keys that it publishes, where its requests carry tokens signed with them."""
    webhooks: Webhooks | None = None
    """Its webhooks; ``None`` where it opens streams without asking us."""
    commands: CallCommands | None = None
    """Its REST API; ``None`` where it has none, or the account's credentials are not set."""
