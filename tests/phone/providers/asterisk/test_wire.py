"""chan_websocket's wire, in words and in JSON, byte for byte; its frames and its flow control."""

import json
from typing import Any

import pytest

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU, AudioFormat
from gateway.errors import WireError
from gateway.phone.commands import EndStream, PlayAudio, SendMark, StopPlayback
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    MarkReturned,
    Playout,
    UnknownMessage,
    WireReply,
)
from gateway.phone.provider import Grant, Upgrade
from gateway.phone.providers.asterisk.wire import (
    FORMATS,
    HELD_LIMIT,
    MARKS_ON_TRIAL,
    MESSAGE_LIMIT,
    PLAYOUT,
    WITHOUT_MARKS,
    AsteriskCodec,
)
from tests.conformance.transcripts import transcripts

CALL = "1761245643.1"
JSON, WORDS = (str(each.messages[0]) for each in transcripts("asterisk"))
UPGRADE = Upgrade("wss://gw/s?from=14158675309&to=%2B18005551212", {"from": "14158675309", "To": "+18005551212"})


def fresh(grant: Grant | None = None, upgrade: Upgrade = UPGRADE) -> AsteriskCodec:
    return AsteriskCodec(upgrade, grant or Grant())


def started(start: str = WORDS) -> AsteriskCodec:
    codec = fresh()
    codec.decode(start)
    return codec


def start_of(start: str, upgrade: Upgrade = UPGRADE, grant: Grant | None = None) -> CallStarted:
    (event,) = fresh(grant, upgrade).decode(start)
    assert isinstance(event, CallStarted)
    return event


def json_start(**fields: Any) -> str:
    return json.dumps(json.loads(JSON) | fields)


@pytest.mark.parametrize(
    ("name", "audio_format"),
    [("ulaw", PCMU), ("alaw", PCMA), ("slin", L16_8K), ("slin16", L16_16K), ("slin24", L16_24K)],
)
def test_formats(name: str, audio_format: AudioFormat) -> None:
    """Whatever of them the dialplan chose is taken as it is."""
    size = str(audio_format.bytes_for(20))
    start = WORDS.replace("ulaw", name).replace("size:160", f"size:{size}")
    assert start_of(start).audio_format == audio_format
    assert FORMATS[name] == audio_format


def test_newer_fields_are_not_minded() -> None:
    """Later versions say more."""
    assert start_of(WORDS + " passthrough:false unbuffered:false").audio_format == PCMU
    assert start_of(json_start(passthrough=False, ptime=None)).audio_format == PCMU


OLDEST = WORDS.replace(f" channel_id:{CALL}", "")
"""The start of 20.16, 21.x, 22.6 and 23.0."""


@pytest.mark.parametrize("start", [OLDEST, OLDEST.replace(" ptime:20", "")])
def test_the_oldest_start_names_the_call_by_its_channel(start: str) -> None:
    """It has no ``channel_id``; the connection has the same name for every call, the channel has its own."""
    event = start_of(start)
    assert (event.call_id, event.stream_id, event.audio_format) == ("WebSocket/gw/0x7f1c", "gw", PCMU)
    assert (event.caller, event.called) == ("14158675309", "+18005551212")


@pytest.mark.parametrize(
    ("start", "playout"),
    [(OLDEST, WITHOUT_MARKS), (WORDS, MARKS_ON_TRIAL), (JSON, PLAYOUT)],
    ids=["20.16", "words", "json"],
)
def test_marks_are_used_where_asterisk_knows_them(start: str, playout: Playout) -> None:
    """Each call has the playout of its Asterisk: no marks, one on trial, or marks from the beginning."""
    assert start_of(start).playout == playout
    assert (playout.returns_marks, playout.marks_on_trial) == {
        OLDEST: (False, False),
        WORDS: (True, True),
        JSON: (True, False),
    }[start]


def test_numbers_out_of_channel_variables() -> None:
    """JSON carries them; a query counts before them, and what our own token says before both."""
    start = json_start(channel_variables={"FROM": "100", "TO": "14255550100", "n": 7})
    event = start_of(start, Upgrade())
    assert (event.caller, event.called) == ("100", "14255550100")
    assert start_of(start, Upgrade(query={"caller": "x", "from": "101"})).caller == "101"
    assert start_of(start, grant=Grant("support", CALL, "+1", "+2")).called == "+2"
    assert start_of(start, grant=Grant("support", CALL, "+1", "+2")).call_id == CALL


def test_other_names_for_the_numbers() -> None:
    """``caller`` and ``called`` do as well; the rest of the query is kept for the line."""
    event = start_of(WORDS, Upgrade(query={"caller": "+1", "called": "+2", "queue": "night"}))
    assert (event.caller, event.called, event.parameters["queue"]) == ("+1", "+2", "night")


def test_audio_before_the_start_is_no_error() -> None:
    """It happens on a loaded machine (asterisk/asterisk issue 1712); the leg lets it go."""
    codec = fresh()
    for _ in range(60):
        assert codec.decode(b"\xff" * 160) == (CallerAudio(b"\xff" * 160),)
    (event,) = codec.decode(WORDS)
    assert isinstance(event, CallStarted)


@pytest.mark.parametrize("mark", ["MEDIA_MARK_PROCESSED correlation_id:g1-1", "MEDIA_MARK_PROCESSED g1-1 "])
def test_both_forms_of_a_mark_in_words(mark: str) -> None:
    """Versions differ."""
    assert started().decode(mark) == (MarkReturned("g1-1"),)


@pytest.mark.parametrize(("message", "kind"), [("NEW_EVENT a:b", "NEW_EVENT"), ('{"event":"NEW"}', "NEW")])
def test_an_unknown_event_is_counted(message: str, kind: str) -> None:
    """It does not end the call."""
    assert started().decode(message) == (UnknownMessage(kind),)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("", "not a control message"),
        ("hello there", "not a control message"),
        ("{", "not a control message"),
        ("{" + '"a":[' * 100_000, "not a control message"),
        ("\udc80", "not a control message"),
        ('{"event":7}', "without an event"),
        ('{"event":"MEDIA_MARK_PROCESSED"}', "without its correlation_id"),
        ("DTMF_END channel_id:1", "without its correlation_id or digit"),
        ("DTMF_END digit:55", "^dtmf: "),
        (
            "ERROR channel_id:1 error_text:FLUSH_MEDIA not supported in passthrough mode",
            "FLUSH_MEDIA not supported in passthrough mode; leave p and u out of the Dial options",
        ),
        ('{"event":"ERROR","error_text":"Unable to parse JSON command"}', "Unable to parse"),
        (WORDS, "second MEDIA_START"),
    ],
)
def test_broken_messages(message: str, says: str) -> None:
    """What breaks the protocol, or says that we did, is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (WORDS.replace("ulaw", "opus"), r"format 'opus': expected ulaw, .* such as c\(ulaw\) in the Dial options"),
        ("MEDIA_START format:ulaw optimal_frame_size:160", "without channel_id, channel or connection_id"),
        (json_start(channel_id=[7], channel=None, connection_id=""), "without channel_id, channel or connection_id"),
        (WORDS + " passthrough:true unbuffered:false", "MEDIA_START with passthrough: leave p and u out of the Dial"),
        (WORDS + " passthrough:false unbuffered:true", "MEDIA_START with unbuffered: leave p and u out of the Dial"),
        (json_start(passthrough=True), "MEDIA_START with passthrough"),
        (WORDS + " passthrough:1", "MEDIA_START with passthrough"),
        (WORDS + " unbuffered:YES", "MEDIA_START with unbuffered"),
        (json_start(unbuffered=True), "MEDIA_START with unbuffered"),
        (WORDS.replace("size:160", "size:0"), "optimal_frame_size 0"),
        (json_start(optimal_frame_size=65_501), "optimal_frame_size 65501"),
        (json_start(format="slin", optimal_frame_size=321), "optimal_frame_size 321"),
    ],
)
def test_broken_starts(message: str, says: str) -> None:
    """A call that cannot be carried is refused at once, and the setting named that would mend it."""
    with pytest.raises(WireError, match=says):
        fresh().decode(message)


def test_only_whole_frames_go_out() -> None:
    """The rest of a frame would be dropped: it waits for more, and a mark fills it up with silence."""
    codec = started()
    assert codec.encode(PlayAudio(b"a" * 100)) == []
    assert codec.encode(PlayAudio(b"b" * 300)) == [b"a" * 100 + b"b" * 220]
    assert codec.encode(SendMark("g1-1")) == [b"b" * 80 + b"\xff" * 80, "MARK_MEDIA g1-1"]
    assert codec.encode(SendMark("g1-2")) == ["MARK_MEDIA g1-2"]


def test_a_stop_forgets_the_rest_of_a_frame() -> None:
    """It must not stand in front of the next reply."""
    codec = started()
    codec.encode(PlayAudio(b"a" * 100))
    codec.encode(StopPlayback())
    assert codec.encode(PlayAudio(b"b" * 160)) == [b"b" * 160]


def test_linear_frames_are_filled_up_in_whole_samples() -> None:
    """Of the size that Asterisk said."""
    codec = started(WORDS.replace("ulaw", "slin16").replace("size:160", "size:640"))
    codec.encode(PlayAudio(b"ab" * 10))
    assert codec.encode(SendMark("m"))[0] == b"ab" * 10 + bytes(620)


def test_no_message_is_longer_than_asterisk_takes() -> None:
    """A longer one would end the call: it is parted between frames."""
    audio = bytes(range(160)) * 1_000
    sent = started().encode(PlayAudio(audio))
    assert b"".join(message for message in sent if isinstance(message, bytes)) == audio
    assert all(len(message) <= MESSAGE_LIMIT and len(message) % 160 == 0 for message in sent)


@pytest.mark.parametrize("start", [WORDS, JSON])
def test_a_command_that_would_be_ignored_is_not_sent(start: str) -> None:
    """Asterisk ignores commands beyond 128 bytes."""
    assert started(start).encode(SendMark("x" * 129)) == []
    assert len(started(start).encode(SendMark("x" * 60))) == 1


def test_a_mark_s_name_stays_inside_its_string() -> None:
    """In JSON quotes in it must not end the string."""
    (out,) = started(JSON).encode(SendMark('"}'))
    assert json.loads(out) == {"command": "MARK_MEDIA", "correlation_id": '"}'}


@pytest.mark.parametrize(
    ("off", "on"), [("MEDIA_XOFF", "MEDIA_XON"), ('{"event":"MEDIA_XOFF"}', '{"event":"MEDIA_XON"}')]
)
def test_flow_control(off: str, on: str) -> None:
    """While Asterisk takes no more, audio and marks wait in their order; then they go at once."""
    codec = started()
    assert codec.decode(off) == ()
    assert codec.encode(PlayAudio(b"a" * 160)) == codec.encode(SendMark("m")) == ()
    assert codec.encode(PlayAudio(b"b" * 160)) == ()
    assert codec.decode(on) == (WireReply((b"a" * 160, "MARK_MEDIA m", b"b" * 160)),)
    assert codec.decode(on) == ()
    assert codec.encode(PlayAudio(b"c" * 160)) == [b"c" * 160]


def test_a_stop_ends_the_waiting() -> None:
    """What waited is thrown away with what was queued, which leaves room."""
    codec = started()
    codec.decode("MEDIA_XOFF")
    codec.encode(PlayAudio(b"a" * 160))
    assert codec.encode(StopPlayback()) == ("FLUSH_MEDIA",)
    assert codec.encode(PlayAudio(b"b" * 160)) == [b"b" * 160]
    assert codec.decode("MEDIA_XON") == ()


def test_the_end_is_not_held_back() -> None:
    """A hang-up goes out at once."""
    codec = started()
    codec.decode("MEDIA_XOFF")
    codec.encode(PlayAudio(b"a" * 160))
    assert codec.encode(EndStream()) == ("HANGUP",)
    assert codec.decode("MEDIA_XON") == (), "nothing is played to who has been hung up on"


def test_a_peer_that_never_goes_on_cannot_exhaust_memory() -> None:
    """What waits is bounded, marks included; what does not fit is lost, as in Asterisk's own queue."""
    codec = started()
    codec.decode("MEDIA_XOFF")
    for number in range(2_000):
        codec.encode(PlayAudio(b"a" * 1_600))
        codec.encode(SendMark(str(number)))
    (reply,) = codec.decode("MEDIA_XON")
    assert isinstance(reply, WireReply)
    assert HELD_LIMIT - 1_600 < sum(map(len, reply.messages)) <= HELD_LIMIT


@pytest.mark.parametrize("how", ["MEDIA_XON", "stop"])
def test_each_wait_has_all_the_room(how: str) -> None:
    """What waited before, and was played or thrown away, takes no room from what waits now."""
    codec = started()
    for _ in range(2):
        codec.decode("MEDIA_XOFF")
        codec.encode(PlayAudio(b"a" * (HELD_LIMIT - HELD_LIMIT % 160)))
        if how == "stop":
            codec.encode(StopPlayback())
        else:
            (reply,) = codec.decode("MEDIA_XON")
            assert isinstance(reply, WireReply)
            assert sum(map(len, reply.messages)) == HELD_LIMIT - HELD_LIMIT % 160
    codec.decode("MEDIA_XOFF")
    codec.encode(PlayAudio(b"b" * 160))
    assert codec.decode("MEDIA_XON") == (WireReply((b"b" * 160,)),)


fields = ("channel_id", "format", "optimal_frame_size", "connection_id", "channel_variables", "digit", "correlation_id")
