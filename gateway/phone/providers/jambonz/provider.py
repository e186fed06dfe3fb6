"""jambonz: its webhooks, the verbs that answer them, and its REST API. Pure.

docs.jambonz.org, "Listen", "Securing webhooks", "REST API"; package @jambonz/node-client.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import replace

from gateway.addresses import is_sip
from gateway.audio.formats import AudioFormat, Encoding
from gateway.config import providers as settings
from gateway.config.reading.environment import variable_of
from gateway.config.secrets import first, value_of, values_of
from gateway.errors import WireError
from gateway.path_segment import segment
from gateway.phone.pointing import ByHand
from gateway.phone.provider import (
    CallCommands,
    Confirmation,
    Grant,
    Proof,
    Provider,
    Setup,
    SignatureError,
    Traits,
    UnsignedError,
    Upgrade,
)
from gateway.phone.providers.jambonz.wire import FORMATS, PLAYOUT, JambonzCodec
from gateway.phone.requests import HttpRequest, Requests
from gateway.phone.shared.http_request import bearer, check_basic, ending
from gateway.phone.shared.members import Members
from gateway.phone.shared.signed_text import signed_text
from gateway.phone.shared.webhook_body import json_body
from gateway.phone.waiting import PAUSE_S, Wait
from gateway.phone.webhook import (
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
    Webhooks,
)
from gateway.text import json_bytes, json_text

TRAITS = Traits(
    title="jambonz",
    formats=tuple(FORMATS.values()),
    playout=PLAYOUT,
    confirmation=Confirmation.MARKS,
    hang_up="stream (then the next verb), REST",
    transfer="REST",
    when_full=("say", "transfer", "wait"),
    signature="HMAC-SHA256 of time and body",
    stream_key="token in the path and Basic credentials; alone they do too",
    unsure=True,
)
USER = "gateway"
"""The user of the stream's credentials."""
TOLERANCE_S = 300.0
"""The largest difference between a signature's time and ours."""
ENDED = frozenset({"completed", "failed", "busy", "no-answer"})

Verbs = list[dict[str, Any]]


class Jambonz(Provider):
    """The provider jambonz."""

    traits = TRAITS
    subprotocols = ("audio.jambonz.org",)
    pointing = ByHand(
        "In the application, enter {answer} as the calling webhook and {status} as the call status webhook."
    )

    def __init__(self, settings: settings.Jambonz, setup: Setup) -> None:
        self.name = setup.name
        self._stream_secrets = values_of(settings.stream_secret)
        self.webhooks = JambonzWebhooks(settings, setup.name)
        if settings.api_url and settings.account_sid and settings.api_key:
            self.commands = JambonzCommands(settings, setup.answer_url)

    def codec(self, upgrade: Upgrade, grant: Grant) -> JambonzCodec:
        """Return a fresh wire for one stream."""
        return JambonzCodec(grant)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        """Check the Basic credentials that the listen verb's ``wsAuth`` gives: ``gateway`` and the stream secret.

        Our verbs ask for them wherever there is a secret.
        """
        if not self._stream_secrets:
            return Proof.NONE
        given = upgrade.headers.get("authorization", "")
        if not given:
            raise UnsignedError("the stream has no credentials, which our listen verb asks for")
        check_basic(
            given,
            self._stream_secrets,
            (USER,),
            missing="the stream's credentials are not Basic",
            wrong=f"the stream's credentials are not {USER} and {variable_of(self.name, 'stream_secret')}",
        )
        return Proof.STREAM


class JambonzWebhooks(Webhooks):
    """Webhooks that are JSON, answered with verbs; ``account`` is the account's name in ``gateway.yaml``."""

    def __init__(self, settings: settings.Jambonz, account: str) -> None:
        self._account = account
        self._secrets = values_of(settings.webhook_secret)
        self._stream_secrets = values_of(settings.stream_secret)
        self._rate_hz = settings.rate_hz

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        """Check ``Jambonz-Signature`` and return what it signs; the URL is not covered."""
        if not self._secrets:
            raise SignatureError(f"{variable_of(self._account, 'webhook_secret')} is not set")
        if request.method != "POST":
            raise SignatureError(f"a {request.method} is not covered by the signature: the webhook is to be a POST")
        parts = [part.strip().partition("=") for part in request.headers.get("jambonz-signature", "").split(",")]
        time = next((value for name, _, value in parts if name == "t"), "")
        if not time.isascii() or not time.isdigit() or len(time) > 12:
            raise SignatureError("Jambonz-Signature or its time is missing")
        signed = f"{time}.".encode() + request.body
        given = [value for name, _, value in parts if name == "v1"]
        if signed_text(given, [signed], self._secrets, _sign) is None:
            raise SignatureError("Jambonz-Signature is wrong")
        if abs(now_s - int(time)) > TOLERANCE_S:
            raise SignatureError(f"Jambonz-Signature is {now_s - int(time):.0f} s old")
        return hashlib.sha256(signed).hexdigest()

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of a calling webhook, the stream whose ``actionHook`` this is, or a transfer's verbs."""
        fields = _fields(request)
        target = next((value for name, value in request.query if name == "transfer"), "")
        if target:
            return _document([_dial(target), {"verb": "hangup"}])
        if request.asks_what_follows:
            return StreamEnded(fields.text("call_sid"), fields.text("to"), _following)
        return IncomingCall(fields.text("call_sid"), fields.text("from"), fields.text("to"))

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the verbs. When the stream has ended, jambonz asks the ``actionHook`` for others.

        The verbs after ``listen`` are carried out where it returns none: what the line wants after a failure.
        """
        listen: dict[str, Any] = {
            "verb": "listen",
            "url": connect.stream_url,
            "mixType": "mono",
            "sampleRate": self._rate_hz,
            "passDtmf": True,
            "bidirectionalAudio": {"enabled": True, "streaming": True, "sampleRate": self._rate_hz},
        }
        if hook := connect.then_url or connect.callback_url:
            listen["actionHook"] = hook
        if self._stream_secrets:
            listen["wsAuth"] = {"username": USER, "password": first(self._stream_secrets)}
        answer = _document([{"verb": "answer"}, listen, *_verbs(connect.on_failure)])
        return replace(answer, audio_format=AudioFormat(Encoding.L16, self._rate_hz))

    def refuse(self, call: IncomingCall) -> Answer:
        """Decline the call as busy ("sip:decline"), with no ``answer`` before it."""
        return _document([{"verb": "sip:decline", "status": 486, "reason": "Busy Here"}])

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with verbs; jambonz asks again by ``redirect``."""
        if wait is None:
            return _document([{"verb": "answer"}, *_verbs(follows)])
        words: Verbs = [{"verb": "say", "text": follows.say}] if follows.say else []
        music = {"verb": "play", "url": wait.music} if wait.music else {"verb": "pause", "length": PAUSE_S}
        return _document([{"verb": "answer"}, *words, music, {"verb": "redirect", "actionHook": wait.url}])

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a call status webhook reports, or the ``actionHook`` of the stream's end."""
        fields = _fields(request)
        status = fields.text("call_status")
        if not status:
            raise WireError("the webhook names no call_status")
        return (CallStatus(fields.text("call_sid"), status, status in ENDED),)


class JambonzCommands(CallCommands):
    """Call control. jambonz asks ``answer_url``, our ``/answer/jambonz``, whom a transferred call is for."""

    def __init__(self, settings: settings.Jambonz, answer_url: str) -> None:
        self._api_url = settings.api_url
        self._account_sid = settings.account_sid or ""
        authorization = bearer(value_of(settings.api_key))
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}
        self._answer_url = answer_url

    def hang_up(self, call_id: str) -> Requests:
        """End the call ("REST API", update call)."""
        return ending([self._update(call_id, {"call_status": "completed"})])

    def transfer(self, call_id: str, target: str) -> Requests:
        """Give the call other verbs, asked for at ``answer_url``; none without it."""
        if not self._answer_url:
            return ()
        hook = f"{self._answer_url}?{urlencode({'transfer': target})}"
        return (self._update(call_id, {"call_hook": hook}),)

    def _update(self, call_id: str, body: Mapping[str, str]) -> HttpRequest:
        url = f"{self._api_url}/v1/Accounts/{segment(self._account_sid)}/Calls/{segment(call_id)}"
        return HttpRequest("PUT", url, self._headers, json_bytes(body))


def _sign(secret: str, text: bytes) -> str:
    return hmac.digest(secret.encode(), text, "sha256").hex()


def _following(after: After) -> Answer:
    return _document(_verbs(after))


def _verbs(after: After) -> Verbs:
    """Return the verbs of what follows a stream, the hang-up last."""
    words: Verbs = [{"verb": "say", "text": after.say}] if after.say else []
    return [*words, *([_dial(after.transfer)] if after.transfer else []), {"verb": "hangup"}]


def _dial(target: str) -> dict[str, Any]:
    sip = is_sip(target)
    return {
        "verb": "dial",
        "target": [{"type": "sip", "sipUri": target} if sip else {"type": "phone", "number": target}],
    }


def _document(verbs: Verbs) -> Answer:
    return Answer(json_text(verbs), "application/json")


def _fields(request: WebhookRequest) -> Members:
    """Return the webhook's JSON, which names a ``call_sid``."""
    fields = json_body(request)
    if not fields.text("call_sid"):
        raise WireError("the webhook names no call_sid: expected jambonz', by POST")
    return fields


def make(settings: settings.Jambonz, setup: Setup) -> Jambonz:
    """Make the provider from its section of ``gateway.yaml``."""
    return Jambonz(settings, setup)
