"""Telnyx: TeXML and Call Control, its webhooks and their Ed25519 signature. Pure.

Source: Telnyx developer documentation, TeXML ``<Stream>``, Call Control commands and events, webhook signing.
"""

import base64
import hashlib
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import read_public_key, value_of, values_of
from gateway.errors import WireError
from gateway.path_segment import segment
from gateway.phone.dialects.twilio import twiml
from gateway.phone.pointing import Account, ByApi
from gateway.phone.provider import (
    CallCommands,
    Confirmation,
    Grant,
    Proof,
    Provider,
    Setup,
    SignatureError,
    Traits,
    Upgrade,
)
from gateway.phone.providers.telnyx import pointing
from gateway.phone.providers.telnyx.wire import PLAYOUT, TelnyxCodec, texml_call_id
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.http_request import bearer, ending, form_request, is_one_of, json_request
from gateway.phone.shared.json_text import UNREADABLE, read_object
from gateway.phone.shared.members import Members
from gateway.phone.waiting import Wait
from gateway.phone.webhook import (
    STREAM_ENDED,
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
    Webhooks,
)
from gateway.text import json_bytes

TRAITS = Traits(
    title="Telnyx",
    formats=(PCMU, PCMA, L16_8K, L16_16K, L16_24K),
    playout=PLAYOUT,
    confirmation=Confirmation.MARKS,
    keys_out="REST",
    hang_up="REST; TeXML: closing the stream too",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="Ed25519 of time and body",
    stream_key="token in the path, or a token header",
    unsure=True,
)
WINDOW_S = 300
"""The largest difference between a webhook's time and ours."""
GONE = (404, 422)
"""Statuses of a hang-up of a call that is over: 422 with code 90018 says that it has ended already."""
STREAM = {"track": "inbound_track", "bidirectionalMode": "rtp", "bidirectionalCodec": "PCMU"}
"""The default mode is mp3, in which our audio would not be played."""
VOICE = "female"
LANGUAGE = "en-US"


class _Next(Struct, omit_defaults=True):
    """The step after an event of Call Control; travels there and back as ``client_state``."""

    say: str = ""
    language: str = ""
    transfer: str = ""
    hang_up: str = ""
    """The call to end when the leg that this belongs to has ended: a transfer's caller is not left alone."""


_decode_next = msgspec.json.Decoder(_Next).decode


class Telnyx(Provider):
    """The provider Telnyx."""

    traits = TRAITS

    def __init__(self, settings: settings.Telnyx, setup: Setup) -> None:
        self.name = setup.name
        self._stream_secrets = values_of(settings.stream_secret)
        commands = TelnyxCommands(settings.api_url, value_of(settings.api_key)) if settings.api_key else None
        self.commands = commands
        public_keys = [read_public_key(key) for key in values_of(settings.public_key)]
        self.webhooks = TelnyxWebhooks(setup.name, public_keys, commands)
        self.pointing = ByApi(Account(setup.name, settings), pointing.find)

    def codec(self, upgrade: Upgrade, grant: Grant) -> TelnyxCodec:
        """Return a fresh wire for one stream."""
        return TelnyxCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the ``stream_auth_token`` of an operator's own application; our answers put a token into the path."""
        given = upgrade.headers.get("x-telnyx-streaming-auth-token")
        if given is None or not self._stream_secrets:
            return Proof.NONE
        if not is_one_of(given, self._stream_secrets):
            raise SignatureError(
                f"the stream's x-telnyx-streaming-auth-token is not {variable_of(self.name, 'stream_secret')}"
            )
        return Proof.STREAM


class TelnyxWebhooks(Webhooks):
    """Voice webhooks; ``account`` is the account's name in ``gateway.yaml``.

    One that is a form is TeXML's and is answered with a document; one that is JSON is Call Control's and is answered
    by ``commands``.
    """

    def __init__(
        self, account: str, public_keys: Sequence[Ed25519PublicKey], commands: "TelnyxCommands | None"
    ) -> None:
        self._account = account
        self._public_keys = public_keys
        self._commands = commands

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``telnyx-signature-ed25519`` and the time; return the event's id, for TeXML a hash of what is signed.

        Telnyx delivers an event at least once: each try is signed anew, and the id is the same in all.
        """
        if not self._public_keys:
            raise SignatureError(f"{variable_of(self._account, 'public_key')} is not set")
        signature = request.headers.get("telnyx-signature-ed25519", "")
        timestamp = request.headers.get("telnyx-timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 20):
            raise SignatureError("telnyx-timestamp is missing or no number")
        text = timestamp.encode() + b"|" + request.body
        if not _is_signed(text, signature, self._public_keys):
            raise SignatureError("telnyx-signature-ed25519 is missing or wrong")
        if abs(now_s - int(timestamp)) > WINDOW_S:
            raise SignatureError(f"telnyx-timestamp is {now_s - int(timestamp):.0f} s old: more than {WINDOW_S} s off")
        try:
            event_id = _data(request.body).text("id")
        except UNREADABLE:
            event_id = ""
        return event_id or hashlib.sha256(text).hexdigest()

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of a TeXML request or of ``call.initiated``, or a stream of TeXML that has ended.

        Other events may want a command.
        """
        if request.form:
            call = twiml.incoming_call(_signed(request), TRAITS.title)
            if isinstance(call, StreamEnded):
                return StreamEnded(_texml_id(request, call.call_id), call.called, call.answer)
            return IncomingCall(_texml_id(request, call.call_id), call.caller, call.called)
        kind, data = _read(request)
        payload = data.inside("payload")
        call_id = payload.text("call_control_id")
        if kind == "call.initiated" and payload.text("direction") in ("incoming", "") and call_id:
            return IncomingCall(call_id, payload.text("from"), payload.text("to"), context=data.text("id"))
        following = _following(payload.text("client_state"))
        if following is None or self._commands is None:
            return Answer()
        if kind == "call.answered" and (following.say or following.transfer):
            after = After(following.say, following.language, following.transfer)
            return Answer(requests=self._commands.after_stream(call_id, after))
        if kind == "call.speak.ended":
            return self._commands.after_words(call_id, following.transfer)
        if kind == "call.hangup" and following.hang_up:
            return Answer(requests=self._commands.hang_up(following.hang_up))
        return Answer()

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return TeXML, or the command that answers the call and opens the stream."""
        if _is_texml(call.call_id):
            return Answer(twiml.connect_stream(connect, attributes=STREAM), twiml.CONTENT_TYPE, audio_format=PCMU)
        if self._commands is None:
            raise WireError("a Call Control webhook is answered by commands: set TELNYX_API_KEY, or use TeXML")
        return Answer(requests=self._commands.answer(call, connect), audio_format=PCMU)

    def refuse(self, call: IncomingCall) -> Answer:
        """Reject the call as busy: TeXML, or the command ("Reject a call")."""
        if _is_texml(call.call_id):
            return twiml.busy()
        return Answer(requests=self._commands.reject(call.call_id) if self._commands else ())

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room: TeXML, or the command that answers it; there it does not wait.

        The event ``call.answered`` starts what follows.
        """
        if _is_texml(call.call_id):
            return twiml.full(follows, wait)
        if self._commands is None or not (follows.say or follows.transfer):
            return self.refuse(call)
        return Answer(requests=self._commands.answer_to(call, follows), otherwise=self._commands.reject(call.call_id))

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a TeXML status callback or an event of Call Control reports."""
        if request.form:
            return [
                CallStatus(_texml_id(request, status.call_id), status.status, status.ended)
                for status in twiml.call_status(_signed(request))
            ]
        kind, data = _read(request)
        call_id = data.inside("payload").text("call_control_id")
        if not call_id:
            raise WireError(f"the event {kind[:40]!r} names no call_control_id")
        return (CallStatus(call_id, kind, kind == "call.hangup", stream_failed=kind == "streaming.failed"),)


class TelnyxCommands(CallCommands):
    """Call control: commands of Call Control, and the REST resource of TeXML for the calls that are TeXML's."""

    def __init__(self, api_url: str, api_key: str) -> None:
        self._api_url = api_url
        self._authorization = bearer(api_key)

    def answer(self, call: IncomingCall, connect: Connect) -> Requests:
        """Answer a call and open its stream ("Answer call")."""
        body = {
            "stream_url": connect.stream_url,
            "stream_track": "inbound_track",
            "stream_bidirectional_mode": "rtp",
            "stream_bidirectional_codec": "PCMU",
        }
        if connect.call_url:
            body |= {"webhook_url": connect.call_url, "webhook_url_method": "POST"}
        if call.context:
            body["command_id"] = call.context
        return (self._command(call.call_id, "answer", body),)

    def answer_to(self, call: IncomingCall, follows: After) -> Requests:
        """Answer a call without a stream; its event ``call.answered`` brings back what follows."""
        state = _state(_Next(follows.say, follows.language, follows.transfer))
        return (self._command(call.call_id, "answer", {"client_state": state}),)

    def reject(self, call_id: str) -> Requests:
        """Reject a call as busy ("Reject a call")."""
        return ending([self._command(call_id, "reject", {"cause": "USER_BUSY"})], GONE)

    def after_words(self, call_id: str, transfer: str) -> Answer:
        """Transfer the call, or end it where there is no target, or none that Telnyx would dial."""
        if not transfer:
            return Answer(requests=self.hang_up(call_id))
        return Answer(requests=self.transfer(call_id, transfer), otherwise=self.hang_up(call_id))

    def after_stream(self, call_id: str, after: After) -> Requests:
        """Speak to, transfer or hang up a Call Control call, which goes on when its stream has ended.

        The event ``call.speak.ended`` starts what follows the words. TeXML asks for it by itself.
        """
        if _is_texml(call_id):
            return ()
        if not after.say:
            return self.transfer(call_id, after.transfer) if after.transfer else self.hang_up(call_id)
        words = {"payload": after.say, "voice": VOICE, "language": after.language or LANGUAGE}
        return (self._command(call_id, "speak", {**words, "client_state": _state(_Next(transfer=after.transfer))}),)

    def hang_up(self, call_id: str) -> Requests:
        """End the call by the REST API."""
        if _is_texml(call_id):
            return ending([self._update_texml(call_id, {"Status": "completed"})])
        return ending([self._command(call_id, "hangup", {})], GONE)

    def transfer(self, call_id: str, target: str) -> Requests:
        """Transfer the call. If nobody takes it there, the caller's leg is ended, not left in silence."""
        if _is_texml(call_id):
            return (self._update_texml(call_id, {"Texml": twiml.dial_document(target)}),)
        body = {"to": target, "target_leg_client_state": _state(_Next(hang_up=call_id))}
        return (self._command(call_id, "transfer", body),)

    def redirect(self, call_id: str, url: str) -> Requests:
        """Give a call of TeXML a document that asks ``url`` for another; Call Control has :meth:`after_stream`."""
        return (self._update_texml(call_id, {"Texml": twiml.redirect_document(url)}),) if _is_texml(call_id) else ()

    def send_digits(self, call_id: str, digits: str) -> Requests:
        """Dial digits by the REST API; TeXML has no request for it."""
        return () if _is_texml(call_id) else (self._command(call_id, "send_dtmf", {"digits": digits}),)

    def _command(self, call_id: str, action: str, body: dict[str, str]) -> HttpRequest:
        url = f"{self._api_url}/v2/calls/{segment(call_id, safe=':')}/actions/{action}"
        return json_request(url, body, self._authorization)

    def _update_texml(self, call_id: str, form: dict[str, str]) -> HttpRequest:
        call_sid, _, account_sid = call_id.rpartition("@")
        path = f"Accounts/{segment(account_sid)}/Calls/{segment(call_sid, safe=':')}"
        return form_request(f"{self._api_url}/v2/texml/{path}", form, self._authorization)


def _is_signed(message: bytes, signature: str, keys: Sequence[Ed25519PublicKey]) -> bool:
    for key in keys:
        try:
            key.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def _is_texml(call_id: str) -> bool:
    return "@" in call_id


def _texml_id(request: WebhookRequest, call_sid: str) -> str:
    account_sid = _signed(request).field("AccountSid")
    if not account_sid:
        raise WireError("the webhook names no AccountSid: expected TeXML's form fields")
    return texml_call_id(call_sid, account_sid)


def _signed(request: WebhookRequest) -> WebhookRequest:
    """Return the request without its query, which is not signed, except for the mark of ``then_url``."""
    return msgspec.structs.replace(request, query=[STREAM_ENDED] if request.asks_what_follows else ())


def _data(body: bytes) -> Members:
    return Members(read_object(body), "webhook", []).inside("data")


def _read(request: WebhookRequest) -> tuple[str, Members]:
    """Return the kind of an event of Call Control, of which two spellings have been seen, and what it says."""
    why = "it names no event_type"
    try:
        data = _data(request.body)
        if event_type := data.text("event_type"):
            return event_type.replace("_", "."), data
    except UNREADABLE as error:
        why = str(error)
    raise WireError(f"neither a form of TeXML nor an event of Call Control: {why}; the webhook's method must be POST")


def _state(following: _Next) -> str:
    return base64.b64encode(json_bytes(following)).decode()


def _following(client_state: str) -> _Next | None:
    try:
        return _decode_next(base64.b64decode(client_state, validate=True))
    except (*UNREADABLE, ValueError):
        return None


def make(settings: settings.Telnyx, setup: Setup) -> Telnyx:
    """Make the provider from its section of ``gateway.yaml``."""
    return Telnyx(settings, setup)
