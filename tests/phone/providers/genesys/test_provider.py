"""Genesys AudioHook, byte for byte, and its provider; examples as in the vendor's documents and reference code."""

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.audio.formats import PCMU
from gateway.call.speaking.playback import Playback
from gateway.config import providers as settings
from gateway.errors import WireError
from gateway.phone.commands import (
    EndStream,
    PhoneCommand,
    PlayAudio,
    SendDigits,
    SendMark,
    StopPlayback,
)
from gateway.phone.events import (
    CallStarted,
    MalformedMessage,
    MarkReturned,
    PhoneClosed,
    PhoneEnd,
    PhoneEvent,
    UnknownMessage,
    WireReply,
)
from gateway.phone.provider import Grant, Proof, SignatureError, Upgrade
from gateway.phone.providers.genesys.provider import Genesys
from gateway.phone.providers.genesys.signature import CLOCK_SKEW_S
from gateway.phone.providers.genesys.wire import AUDIO_LIMIT, NIL, PLAYOUT, GenesysCodec
from tests.conformance.wires import start_of
from tests.phone.parts import setup

SESSION = "e160e428-53e2-487c-977d-96989bf5c99d"


def fresh(**headers: str) -> GenesysCodec:
    upgrade = Upgrade(headers={name.replace("_", "-"): value for name, value in headers.items()})
    return GenesysCodec(upgrade, Grant())


def client(seq: int, kind: str, parameters: object, **more: object) -> str:
    message = {
        "version": "2",
        "id": SESSION,
        "type": kind,
        "seq": seq,
        "serverseq": 0,
        "position": "PT0S",
        "parameters": parameters,
    }
    return json.dumps({**message, **more})


def open_parameters(**more: object) -> dict[str, object]:
    return {**start_of("genesys")["parameters"], **more}


def opened() -> GenesysCodec:
    codec = fresh()
    codec.decode(client(1, "open", open_parameters()))
    return codec


def only_reply(events: Sequence[PhoneEvent | WireReply]) -> dict[str, Any]:
    (message,) = [message for event in events if isinstance(event, WireReply) for message in event.messages]
    return dict(json.loads(message))


def media(*channels: str, **more: object) -> dict[str, object]:
    return {"type": "audio", "format": "PCMU", "channels": list(channels), "rate": 8000, **more}


MONITORED = [media("external", "internal"), media("external"), media("internal")]
"""What the reference client offers, as AudioHook Monitor does."""


def test_the_media_offer_is_taken_unchanged() -> None:
    """Of several offers the customer's channel alone in µ-law is taken, and exactly one."""
    offers = [media("external", format="L16"), media("external")]
    reply = only_reply(fresh().decode(client(1, "open", open_parameters(media=offers))))
    assert reply["parameters"]["media"] == [offers[1]]


@pytest.mark.parametrize(
    "offers",
    [
        MONITORED,
        MONITORED[:1],
        MONITORED[1:],
        [media("internal")],
        [media("external", format="L16")],
        [media("external", rate=16000)],
        [],
    ],
    ids=["all", "stereo", "mono", "internal", "linear", "wideband", "none"],
)
def test_an_offer_that_no_audio_connector_makes_is_refused(offers: list[object]) -> None:
    """A monitor offers the internal channel too, and plays nothing; the error names the integration that calls."""
    with pytest.raises(WireError, match="expected PCMU, 8000 Hz, the external channel alone, as an Audio Connector"):
        fresh().decode(client(1, "open", open_parameters(media=offers)))


def test_a_refused_session_is_disconnected_as_the_protocol_wants() -> None:
    """An error in ``disconnect``, and ``closed`` for the client's ``close``; before an open there is nobody to tell."""
    assert fresh().encode(EndStream()) == ()
    codec = fresh()
    with pytest.raises(WireError):
        codec.decode(client(1, "open", open_parameters(media=MONITORED)))
    (disconnect,) = codec.encode(EndStream())
    told = json.loads(disconnect)
    assert (told["type"], told["id"], told["seq"], told["parameters"]["reason"]) == ("disconnect", SESSION, 1, "error")
    assert "expected PCMU, 8000 Hz, the external channel alone" in told["parameters"]["info"]
    reply = only_reply(codec.decode(client(2, "close", {"reason": "disconnect"}, serverseq=1)))
    assert (reply["type"], reply["seq"]) == ("closed", 2)


@pytest.mark.parametrize("offers", [MONITORED, MONITORED[:1], []], ids=["all", "stereo", "none"])
@pytest.mark.parametrize("audio", [b"", b"\xff" * 1600])
def test_a_probe_may_offer_and_send_whatever_it_likes(offers: list[object], audio: bytes) -> None:
    """The reference client offers a monitor's media and sends an empty audio message; its audio is nobody's."""
    codec = fresh()
    nobody = {"id": NIL, "ani": "", "dnis": ""}
    parameters = open_parameters(conversationId=NIL, participant=nobody, media=offers)
    opened = only_reply(codec.decode(client(1, "open", parameters)))
    assert opened["parameters"]["media"] == [offer for offer in offers if offer == media("external")]
    assert codec.decode(audio) == ()
    _, closed = codec.decode(client(2, "close", {"reason": "end"}))
    assert closed == PhoneClosed(PhoneEnd.HUNG_UP, "closed by Genesys: end", probe=True)


@pytest.mark.parametrize("given", ["+1-555-123-4567", "tel:+15551234567", "sip:anna@example.com", ""])
def test_numbers_stay_as_genesys_writes_them(given: str) -> None:
    """They are read where the stream is taken, for all providers alike."""
    participant = {"id": "883efee8-3d6c-4537-b500-6d7ca4b92fa0", "ani": given, "dnis": given}
    started = fresh().decode(client(1, "open", open_parameters(participant=participant)))[-1]
    assert isinstance(started, CallStarted)
    assert (started.caller, started.called) == (given, given)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("not json", "not an AudioHook message"),
        ("[]", "not an AudioHook message"),
        ("{}", "not an AudioHook message"),
        ('{"a":' * 100_000, "not an AudioHook message"),
        ('"\ud800"', "not an AudioHook message"),
        (client(1, "open", {}), "conversationId"),
        (client(1, "open", open_parameters(), version="1"), "version '1': expected '2'"),
        (client(2, "open", open_parameters()), "seq 2: expected 1"),
        (client(1, "open", open_parameters(), serverseq=1), "serverseq 1: only 0 were sent"),
    ],
)
def test_broken_before_open(message: str | bytes, says: str) -> None:
    """A session that does not begin as it should is refused, by name of the rule."""
    with pytest.raises(WireError, match=says):
        fresh().decode(message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (client(2, "open", open_parameters()), "a second open"),
        (client(2, "dtmf", {"digit": "12"}), "is not a key"),
        (client(2, "dtmf", {}), "digit"),
    ],
)
def test_broken_after_open(message: str, says: str) -> None:
    """Parameters that are missing or wrong are a WireError."""
    with pytest.raises(WireError, match=says):
        opened().decode(message)


@pytest.mark.parametrize("header", ["audiohook_session_id", "audiohook_organization_id"])
def test_open_belongs_to_the_signed_request(header: str) -> None:
    """The ids that the signature covered are those of the session, or it is refused."""
    with pytest.raises(WireError, match=header.replace("_", "-")):
        fresh(**{header: "another"}).decode(client(1, "open", open_parameters()))


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        (client(3, "ping", {}), "seq 3: expected 2"),
        (client(1, "ping", {}), "seq 1: expected 2"),
        (client(2, "ping", {}, serverseq=2), "serverseq 2: only 1 were sent"),
        (client(2, "ping", {}, id="another"), "the id is not this session's"),
    ],
)
def test_a_message_out_of_its_place_ends_the_session(message: str, wrong: str) -> None:
    """The protocol answers it by a disconnect, once; the client's close is then answered as ever."""
    codec = opened()
    events = codec.decode(message)
    assert events[1:] == (MalformedMessage(wrong),)
    reply = only_reply(events)
    assert (reply["type"], reply["seq"]) == ("disconnect", 2)
    assert reply["parameters"] == {"reason": "error", "info": wrong}
    assert codec.encode(PlayAudio(b"x")) == ()
    seq = json.loads(message)["seq"] + 1
    assert only_reply(codec.decode(client(seq, "close", {"reason": "disconnect"})))["type"] == "closed"


def test_an_unknown_message_is_counted() -> None:
    """A kind that is not documented breaks nothing."""
    assert opened().decode(client(2, "brand-new", {})) == (UnknownMessage("brand-new"),)


def test_marks_return_when_playback_has_completed() -> None:
    """All that were set, in their order, once; the wire has no marks."""
    codec = opened()
    assert [codec.encode(SendMark(name)) for name in "ab"] == [(), ()]
    assert codec.decode(client(2, "playback_started", {})) == ()
    assert codec.decode(client(3, "playback_completed", {})) == (MarkReturned("a"), MarkReturned("b"))
    codec.decode(client(4, "playback_started", {}))
    assert codec.decode(client(5, "playback_completed", {})) == ()


def test_a_barge_in_drops_the_marks() -> None:
    """What was thrown away is not reported as played, nor is what came after it by the old playback's end."""
    codec = opened()
    codec.encode(SendMark("old"))
    codec.decode(client(2, "playback_started", {}))
    codec.encode(StopPlayback())
    codec.encode(SendMark("new"))
    assert codec.decode(client(3, "playback_completed", {})) == ()
    codec.decode(client(4, "playback_started", {}))
    assert codec.decode(client(5, "playback_completed", {})) == (MarkReturned("new"),)


def test_no_message_is_longer_than_the_client_takes() -> None:
    """Long audio is cut at 64,000 bytes; nothing is lost."""
    audio = bytes(range(256)) * 600
    pieces = opened().encode(PlayAudio(audio))
    assert [len(piece) for piece in pieces] == [AUDIO_LIMIT, AUDIO_LIMIT, len(audio) - 2 * AUDIO_LIMIT]
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == audio


def test_the_playout_keeps_the_message_rate_low() -> None:
    """Whole pieces of 200 ms, and fewer than five messages in any second of a reply that came at once."""
    codec, playback = opened(), Playback(PCMU, PLAYOUT)
    sent: list[tuple[float, str | bytes]] = []

    def send(commands: list[PhoneCommand], now: float) -> None:
        sent.extend((now, message) for command in commands for message in codec.encode(command))

    send(playback.add("a", bytes(80_000), 0.0), 0.0)
    send(playback.complete("a", 0.0), 0.0)
    while (due := playback.next_deadline()) is not None and not playback.heard(due):
        send(playback.on_deadline(due), due)
    pieces = [message for _, message in sent]
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == bytes(80_000)
    assert {len(piece) % PCMU.bytes_for(200) for piece in pieces} == {0}
    assert max(sum(at <= other < at + 1 for other, _ in sent) for at, _ in sent) < 5


def test_a_session_is_ended_once() -> None:
    """Two messages out of order: the first is answered by a disconnect, the second by nothing."""
    codec = opened()
    assert only_reply(codec.decode(client(5, "ping", {})))["type"] == "disconnect"
    reply, wrong = codec.decode(client(9, "ping", {}))
    assert (reply, type(wrong)) == (WireReply(()), MalformedMessage)


def test_nothing_leaves_before_the_session_is_open_or_after_its_end() -> None:
    """No audio before ``opened``; after ``disconnect`` or ``closed`` no second goodbye."""
    assert fresh().encode(PlayAudio(b"x")) == ()
    assert fresh().encode(EndStream()) == ()
    ending = opened()
    assert len(ending.encode(EndStream())) == 1
    assert ending.encode(EndStream()) == ()
    assert ending.encode(PlayAudio(b"x")) == ()
    ended = opened()
    ended.decode(client(2, "close", {"reason": "end"}))
    assert ended.encode(EndStream()) == ()
    assert opened().encode(SendDigits("1")) == ()


def test_a_hostile_session_id_stays_inside_its_string() -> None:
    """The id comes from the peer and goes back out."""
    hostile = 'x","type":"disconnect'
    reply = only_reply(fresh().decode(client(1, "open", open_parameters(), id=hostile)))
    assert (reply["id"], reply["type"]) == (hostile, "opened")


# The example of the reference implementation (signature-verifier.test.ts, "Verify AudioHook documentation example").
KEY = "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh"
SECRET = "TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU="
CREATED_S = 1641013200.0
URL = "wss://audiohook.example.com/api/v1/voicebiometrics/ws"
HEADERS = {
    "audiohook-organization-id": "d7934305-0972-4844-938e-9060eef73d05",
    "audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
    "audiohook-correlation-id": "e160e428-53e2-487c-977d-96989bf5c99d",
    "x-api-key": KEY,
    "signature-input": (
        'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" '
        '"audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";'
        'nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430'
    ),
    "signature": "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:",
}


def provider(api_key: str | None = KEY, secret: str | None = SECRET) -> Genesys:
    return Genesys(
        settings.Genesys.model_construct(api_key=api_key, client_secret=SecretStr(secret) if secret else None),
        setup("genesys"),
    )


def test_the_documented_signature_is_right() -> None:
    """The vector holds, and proves the stream."""
    assert provider().verify_upgrade(Upgrade(URL, headers=HEADERS), CREATED_S) is Proof.STREAM
    assert provider(api_key=None).verify_upgrade(Upgrade(URL, headers=HEADERS), CREATED_S) is Proof.STREAM


def test_a_signature_says_what_comes_once() -> None:
    """Its nonce, remembered for as long as the signature would be right."""
    nonce, life_s = provider().upgrade_key(Upgrade(URL, headers=HEADERS))
    assert nonce == '"VGhpc0lzQVVuaXF1ZU5vbmNl"'
    with pytest.raises(SignatureError, match="too old"):
        provider().verify_upgrade(Upgrade(URL, headers=HEADERS), CREATED_S - CLOCK_SKEW_S + life_s)


def signed_by(key_id: str) -> dict[str, str]:
    """The headers of an upgrade that is signed rightly, with these words for the key's id."""
    names = [name.strip('"') for name in HEADERS["signature-input"].partition("(")[2].partition(")")[0].split()]
    values = {"@request-target": "/api/v1/voicebiometrics/ws", "@authority": "audiohook.example.com", **HEADERS}
    covered = " ".join(f'"{name}"' for name in names)
    signed = f'({covered});{key_id}nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200'
    text = "".join(f'"{name}": {values[name]}\n' for name in names) + f'"@signature-params": {signed}'
    proof = base64.b64encode(hmac.digest(base64.b64decode(SECRET), text.encode(), "sha256")).decode()
    return {**HEADERS, "signature-input": f"sig1={signed}", "signature": f"sig1=:{proof}:"}


def test_a_signature_is_of_the_key_that_is_sent() -> None:
    """A right one that names another key, or none, is refused, and does not use its nonce up."""
    genesys = provider()
    for key_id in ('keyid="another";', 'keyid="";', ""):
        with pytest.raises(SignatureError, match="keyid is not the X-API-KEY"):
            genesys.verify_upgrade(Upgrade(URL, headers=signed_by(key_id)), CREATED_S)
    assert genesys.verify_upgrade(Upgrade(URL, headers=signed_by(f'keyid="{KEY}";')), CREATED_S) is Proof.STREAM


@pytest.mark.parametrize("header", HEADERS)
def test_every_altered_byte_of_a_header_is_refused(header: str) -> None:
    """Each byte of each header that proves something is bound."""
    value = HEADERS[header]
    for at in range(len(value)):
        for other in ("A", "b", "0", "\udcff"):
            if value[at] == other:
                continue
            altered = {**HEADERS, header: value[:at] + other + value[at + 1 :]}
            with pytest.raises(SignatureError):
                provider().verify_upgrade(Upgrade(URL, headers=altered), CREATED_S)


@pytest.mark.parametrize("url", [URL + "x", URL + "?a=b", URL.replace("audiohook", "evil"), URL.replace(".com", ".co")])
def test_the_url_is_bound(url: str) -> None:
    """Another host, path or query is another request."""
    with pytest.raises(SignatureError, match="wrong"):
        provider().verify_upgrade(Upgrade(url, headers=HEADERS), CREATED_S)


def test_the_key_alone_proves_nothing() -> None:
    """Genesys signs only where a client secret was entered; without one a token is needed. The key is compared."""
    unsigned = {"x-api-key": KEY}
    assert provider(secret=None).verify_upgrade(Upgrade(URL, headers=unsigned), CREATED_S) is Proof.NONE
    with pytest.raises(SignatureError, match="X-API-KEY is wrong"):
        provider(secret=None).verify_upgrade(Upgrade(URL, headers={"x-api-key": "x"}), CREATED_S)
    with pytest.raises(SignatureError, match="missing"):
        provider().verify_upgrade(Upgrade(URL, headers=unsigned), CREATED_S)


def test_without_a_key_a_token_is_needed() -> None:
    """A request that brings no key, or a gateway that knows none, proves nothing."""
    signature_alone = {name: value for name, value in HEADERS.items() if name != "x-api-key"}
    assert provider().verify_upgrade(Upgrade(URL), CREATED_S) is Proof.NONE
    assert provider().verify_upgrade(Upgrade(URL, headers=signature_alone), CREATED_S) is Proof.NONE
    assert provider(None, None).verify_upgrade(Upgrade(URL, headers=HEADERS), CREATED_S) is Proof.NONE


def test_there_is_no_webhook_and_no_rest_api() -> None:
    """What the stream or the flow does is not done over HTTP."""
    genesys = provider()
    assert (genesys.webhooks, genesys.commands) == (None, None)
