"""The bookkeeping of a Genesys session: numbers, ids and states, message by message."""

import json

import pytest

from gateway.audio.formats import PCMU
from gateway.errors import MessageError, WireError
from gateway.phone.commands import EndStream, PlayAudio, StopPlayback
from gateway.phone.events import MalformedMessage, PhoneClosed, UnknownMessage, WireReply
from gateway.phone.provider import Grant, Upgrade
from gateway.phone.providers.genesys.wire import LONG_MESSAGE, PLAYOUT, GenesysCodec
from tests.phone.providers.genesys.test_provider import SESSION, client, fresh, media, open_parameters, opened


def replies(codec: GenesysCodec, message: str) -> list[dict[str, object]]:
    """Return what is sent back to a message."""
    return [
        json.loads(text) for event in codec.decode(message) if isinstance(event, WireReply) for text in event.messages
    ]


def test_what_comes_before_open_counts_and_is_named() -> None:
    """By its type, cut; the open that follows has the next number."""
    codec = fresh()
    assert codec.decode(client(4, "t" * 50, {})) == (UnknownMessage("t" * 40 + " before open"),)
    (reply,) = replies(codec, client(5, "open", open_parameters()))
    assert (reply["type"], reply["seq"], reply["clientseq"]) == ("opened", 1, 5)


def test_a_message_without_a_number_is_the_next_one() -> None:
    """Which is not what the protocol says, and costs no call."""
    codec = fresh()
    codec.decode(json.dumps({"type": "update"}))
    (reply,) = replies(codec, client(2, "open", open_parameters()))
    assert reply["clientseq"] == 2


def test_the_id_of_a_session_may_come_with_the_upgrade_alone() -> None:
    """Its header is signed."""
    codec = GenesysCodec(Upgrade(headers={"audiohook-session-id": SESSION}), Grant())
    (reply,) = replies(codec, client(1, "open", open_parameters(), id=None))
    assert reply["id"] == SESSION


@pytest.mark.parametrize(
    ("message", "info"),
    [
        (client(7, "ping", {}), "seq 7: expected 2"),
        (client(2, "ping", {}, serverseq=2), "serverseq 2: only 1 were sent"),
        (client(2, "ping", {}, id="other"), "the id is not this session's"),
    ],
)
def test_a_session_out_of_step_is_ended_with_its_reason(message: str, info: str) -> None:
    """In the words of the protocol, and once."""
    codec = opened()
    reply, malformed = codec.decode(message)
    assert malformed == MalformedMessage(info)
    assert isinstance(reply, WireReply)
    (text,) = reply.messages
    read = json.loads(text)
    assert (read["type"], read["seq"], read["parameters"]) == ("disconnect", 2, {"reason": "error", "info": info})
    assert codec.encode(EndStream()) == ()


def test_a_session_out_of_step_before_its_start_is_none() -> None:
    """There is no call to lose."""
    with pytest.raises(WireError, match=r"^serverseq 1: only 0 were sent$"):
        fresh().decode(client(1, "open", open_parameters(), serverseq=1))


def test_a_ping_is_answered() -> None:
    """With the number of what it answers."""
    (reply,) = replies(opened(), client(2, "ping", {"rtt": "PT0.1S"}))
    assert (reply["type"], reply["clientseq"], reply["parameters"]) == ("pong", 2, {})


def test_why_genesys_closes_is_told() -> None:
    """Cut, and in words where it says nothing."""
    for given, told in (("end", "end"), ("", "no reason given"), (None, "no reason given"), ("r" * 41, "r" * 40)):
        closed = opened().decode(client(2, "close", {"reason": given}))[-1]
        assert isinstance(closed, PhoneClosed)
        assert closed.detail == f"closed by Genesys: {told}"


def test_an_error_of_genesys_is_told_with_its_code() -> None:
    """Both cut: they go into the log."""
    error = client(2, "error", {"code": "1" * 9, "message": "m" * 81})
    assert opened().decode(error) == (UnknownMessage("error " + "1" * 8 + ": " + "m" * 80),)


def test_an_unknown_message_is_named_by_its_type() -> None:
    """Cut."""
    assert opened().decode(client(2, "k" * 41, {})) == (UnknownMessage("k" * 40),)


@pytest.mark.parametrize("kind", ["paused", "resumed", "discarded", "update"])
def test_what_needs_no_answer_gets_none(kind: str) -> None:
    assert opened().decode(client(2, kind, {})) == ()


def test_a_second_open_is_no_second_call() -> None:
    """It is an error of the peer's, which the call outlives."""
    with pytest.raises(MessageError, match=r"^a second open on the same stream$"):
        opened().decode(client(2, "open", open_parameters()))


def test_the_media_that_were_offered_are_in_the_refusal() -> None:
    """An operator sees which integration it is."""
    offers = [media("external", "internal"), media("external", format="L16", rate=16000)]
    with pytest.raises(WireError) as caught:
        fresh().decode(client(1, "open", open_parameters(media=offers)))
    assert str(caught.value) == (
        "the media offered are PCMU 8000 Hz external+internal, L16 16000 Hz external: expected PCMU, 8000 Hz, the "
        "external channel alone, as an Audio Connector integration offers it (AudioHook Monitor only listens)"
    )
    with pytest.raises(WireError, match="the media offered are none: expected PCMU"):
        fresh().decode(client(1, "open", open_parameters(media=[])))


HALF = bytes(LONG_MESSAGE // 2)
TOO_MANY = {"code": 429, "message": "too many requests"}


def test_many_messages_become_longer_ones_for_the_rest_of_the_session() -> None:
    """After a 429 a piece waits for another; before it, and after any other error, it goes as it is."""
    codec = opened()
    codec.decode(client(2, "error", TOO_MANY | {"code": 415}))
    assert list(codec.encode(PlayAudio(HALF, more=True))) == [HALF]
    assert codec.decode(client(3, "error", TOO_MANY)) == (UnknownMessage("error 429: too many requests"),)
    for _ in range(2):
        assert list(codec.encode(PlayAudio(HALF, more=True))) == []
        assert list(codec.encode(PlayAudio(HALF, more=True))) == [2 * HALF]
    assert list(codec.encode(PlayAudio(3 * HALF, more=True))) == [3 * HALF]


def test_the_end_of_what_is_said_waits_for_nothing() -> None:
    """Nor is what was discarded sent later."""
    codec = opened()
    codec.decode(client(2, "error", TOO_MANY))
    assert list(codec.encode(PlayAudio(HALF))) == [HALF]
    codec.encode(PlayAudio(HALF, more=True))
    assert list(codec.encode(PlayAudio(b""))) == [HALF], "the end that comes without audio"
    codec.encode(PlayAudio(HALF, more=True))
    codec.encode(StopPlayback())
    assert list(codec.encode(PlayAudio(b""))) == []
    assert list(codec.encode(PlayAudio(HALF))) == [HALF]


def test_what_waits_leaves_the_client_with_audio() -> None:
    """It is less than half of what is sent ahead."""
    assert PLAYOUT.gathers
    assert PCMU.bytes_for(PLAYOUT.lead_ms) >= 2 * LONG_MESSAGE
