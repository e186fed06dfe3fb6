"""jambonz' listen stream, byte for byte, and the silence that drives the last words out of its buffer."""

import numpy as np
import pytest

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, AudioFormat
from gateway.call.speaking.playback import Playback
from gateway.errors import WireError
from gateway.phone.commands import (
    PhoneCommand,
    PlayAudio,
    SendMark,
    StopPlayback,
)
from gateway.phone.events import CallStarted, UnknownMessage, WireReply
from gateway.phone.provider import Grant
from gateway.phone.providers.jambonz.wire import (
    BUFFER_MS,
    FIRST_BUFFER_MS,
    MARKS_LIMIT,
    PLAYOUT,
    QUIET_MS,
    JambonzCodec,
)
from tests.conformance.transcripts import golden

CALL = "b6f48929-8e86-4d62-ae3b-64fb574d91f6"
MESSAGES = golden("jambonz").messages
START = str(MESSAGES[0])
FRAME = bytes(320)
TONE = (np.sin(np.arange(80_000) * 0.1) * 8_000 + 100).astype("<i2").tobytes()
SPEECH = TONE.replace(b"\xff\xff", b"\xfe\xff")
"""Without a sample that would be taken for a mark."""


def started(start: str = START) -> JambonzCodec:
    codec = JambonzCodec(Grant())
    codec.decode(start)
    return codec


def flushed(codec: JambonzCodec, frames: int, frame: bytes = FRAME) -> list[tuple[int, bytes]]:
    """What the codec sends of itself while the caller's audio comes in: with which frame, and what."""
    sent = []
    for number in range(1, frames + 1):
        for event in codec.decode(frame):
            if isinstance(event, WireReply):
                sent += [(number, bytes(message)) for message in event.messages if isinstance(message, bytes)]
    return sent


@pytest.mark.parametrize(("rate_hz", "audio_format"), [(8000, L16_8K), (16000, L16_16K), (24000, L16_24K)])
def test_rates(rate_hz: int, audio_format: AudioFormat) -> None:
    """The first message says the rate."""
    (event,) = JambonzCodec(Grant()).decode(START.replace("8000", str(rate_hz), 1))
    assert isinstance(event, CallStarted)
    assert event.audio_format == audio_format


def test_our_webhook_s_word_counts_before_the_stream_s() -> None:
    """A stream that holds the token of one call cannot pass for another."""
    (event,) = JambonzCodec(Grant("support", CALL, "+1", "+2")).decode(START)
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.caller, event.called) == (CALL, "+1", "+2")
    with pytest.raises(WireError, match="another call"):
        JambonzCodec(Grant("support", "c9", "+1", "+2")).decode(START)


def test_numbers_stay_as_the_carrier_writes_them() -> None:
    """They are read where the stream is taken, for all providers alike."""
    (event,) = JambonzCodec(Grant()).decode(START.replace("+1", "1"))
    assert isinstance(event, CallStarted)
    assert (event.caller, event.called) == ("14158675309", "18005551212")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("not json", "not a listen message"),
        ("[" * 100_000, "not a listen message"),
        ("\udc80", "not a listen message"),
        ("[]", "not a listen message"),
        ("{}", "without a type or an event"),
        ('{"type":7}', "without a type or an event"),
        ('{"type":"mark","data":{}}', "mark without its name"),
        ('{"event":"dtmf","dtmf":[5]}', "dtmf without its digit"),
        ('{"event":"dtmf","dtmf":"55"}', "^dtmf: "),
    ],
)
def test_broken_messages(message: str | bytes, says: str) -> None:
    """What breaks the protocol is a WireError that names the rule."""
    with pytest.raises(WireError, match=says):
        started().decode(message)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('{"sampleRate":8000}', "no callSid"),
        (START.replace("8000", "48000", 1), "expected 8000, 16000 or 24000 in the listen verb"),
        (START.replace("8000", "[]", 1), "sampleRate"),
        (START.replace('"mono"', '"stereo"'), "expected mono in the listen verb"),
    ],
)
def test_broken_starts(message: str | bytes, says: str) -> None:
    """A call that cannot be carried is refused at once, and the setting named that would mend it."""
    with pytest.raises(WireError, match=says):
        JambonzCodec(Grant()).decode(message)


@pytest.mark.parametrize("message", ['{"type":"brand-new"}', '{"event":"brand-new"}'])
def test_an_unknown_message_is_counted(message: str) -> None:
    """It does not end the call."""
    assert started().decode(message) == (UnknownMessage("brand-new"),)


def test_nothing_is_sent_of_itself_where_nothing_waits() -> None:
    """A caller who talks to a silent bot is sent nothing."""
    assert flushed(started(), 500) == []


def test_the_end_of_what_is_said_is_driven_out() -> None:
    """300 ms and a mark: released at once. The mark has no audio behind it, so silence is sent before they end."""
    codec = started()
    codec.encode(PlayAudio(TONE[:4800]))
    codec.encode(SendMark("g1-1"))
    ((frame, silence),) = flushed(codec, 100)
    assert silence == L16_8K.silence(BUFFER_MS)
    assert 300 - 60 <= frame * 20 < 300


def test_less_than_the_first_buffer_is_driven_out() -> None:
    """A reply of 60 ms would never be heard: so much silence is sent as starts the playback."""
    codec = started()
    codec.encode(PlayAudio(TONE[:960]))
    codec.encode(SendMark("g1-1"))
    ((frame, silence),) = flushed(codec, 100)
    assert silence == L16_8K.silence(FIRST_BUFFER_MS)
    assert frame * 20 == QUIET_MS


@pytest.mark.parametrize("before", [0, 4, 500])
def test_the_quiet_counts_from_the_last_piece(before: int) -> None:
    """However long nothing was said before it: another piece may follow within 100 ms, and no silence comes before."""
    codec = started()
    assert flushed(codec, before) == []
    codec.encode(PlayAudio(TONE[:960]))
    assert flushed(codec, 4) == []
    codec.encode(PlayAudio(TONE[960:1280]))
    ((frame, _),) = flushed(codec, 100)
    assert frame * 20 == QUIET_MS


def test_a_remainder_behind_what_was_released_is_driven_out_in_time() -> None:
    """The last 60 ms wait for more; the silence comes before the released audio ends, so that there is no gap."""
    codec = started()
    codec.encode(PlayAudio(TONE[:6400]))
    codec.encode(PlayAudio(TONE[6400:7360]))
    ((frame, _),) = flushed(codec, 100)
    assert frame * 20 == 400 - 40


@pytest.mark.parametrize("chunk_ms", [20, 40, 100, 200])
def test_no_silence_falls_into_what_is_said(chunk_ms: int) -> None:
    """Ten seconds, sent as they are played with 200 to 400 ms ahead and marks between: not one byte of silence."""
    codec = started()
    ahead_ms = 0
    for _ in range(500):
        while ahead_ms <= 400 - chunk_ms:
            codec.encode(PlayAudio(TONE[: chunk_ms * 16]))
            codec.encode(SendMark("g1-1"))
            codec.decode('{"type":"mark","data":{"name":"g1-1","event":"playout"}}')
            ahead_ms += chunk_ms
        assert flushed(codec, 1) == []
        ahead_ms -= 20


def test_a_service_that_delivers_in_drops_is_not_talked_over() -> None:
    """The first 100 ms come alone, the next 60 ms later: what is said has no silence in it."""
    codec = started()
    for _ in range(5):
        codec.encode(PlayAudio(TONE[:1600]))
        assert flushed(codec, 3) == []


@pytest.mark.parametrize("pause_ms", [100, 120, 200, 340, 500, 2000])
def test_a_pause_of_the_process_puts_no_silence_into_what_is_said(pause_ms: int) -> None:
    """The caller's frames of a pause come in a burst, before what is due can be sent; more of the reply waits."""
    playback, codec = Playback(L16_8K, PLAYOUT), started()
    sent = bytearray()

    def send(commands: list[PhoneCommand]) -> None:
        for command in commands:
            for message in codec.encode(command):
                if isinstance(message, bytes):
                    sent.extend(message)
                elif '"mark"' in message:
                    codec.decode('{"type":"mark","data":{"name":"returned in time","event":"playout"}}')

    send(playback.add("a", SPEECH, 0.0))
    send(playback.complete("a", 0.0))
    now_ms, pauses = 0, iter(range(150, 4_000, 450 + pause_ms))
    pause_at = next(pauses)
    while now_ms < 14_000:
        burst = 1
        if now_ms >= pause_at:
            burst, pause_at = pause_ms // 20, next(pauses, 1_000_000)
        now_ms += 20 * burst
        sent += b"".join(silence for _, silence in flushed(codec, burst))
        if (due := playback.next_deadline()) is not None and due <= now_ms / 1000:
            send(playback.on_deadline(now_ms / 1000))
        playback.heard(now_ms / 1000)
    assert sent[: len(SPEECH)] == SPEECH
    assert sent[len(SPEECH) :] in (L16_8K.silence(BUFFER_MS), L16_8K.silence(FIRST_BUFFER_MS))


def test_what_is_not_known_to_be_the_end_is_not_driven_out() -> None:
    """The service pauses within a reply << nothing; it says that the reply is complete << the rest is driven out."""
    playback, codec = Playback(L16_8K, PLAYOUT), started()
    for command in playback.add("a", TONE[:3_840], 0.0):
        codec.encode(command)
    assert flushed(codec, 50) == []
    (end,) = playback.complete("a", 1.0)
    assert codec.encode(end) == ()
    ((_, silence),) = flushed(codec, 50)
    assert silence == L16_8K.silence(BUFFER_MS)


def test_a_stop_leaves_nothing_to_drive_out() -> None:
    """What was thrown away needs no silence behind it, nor does its mark."""
    codec = started()
    codec.encode(PlayAudio(TONE[:960]))
    codec.encode(SendMark("g1-1"))
    assert codec.encode(StopPlayback()) == ('{"type":"killAudio"}',)
    assert flushed(codec, 100) == []


@pytest.mark.parametrize("rate_hz", [16000, 24000])
def test_silence_is_of_the_call_s_rate(rate_hz: int) -> None:
    """The buffer is measured in time."""
    codec = started(START.replace("8000", str(rate_hz), 1))
    codec.encode(PlayAudio(bytes(rate_hz // 50 * 2)))
    ((_, silence),) = flushed(codec, 20, bytes(rate_hz // 50 * 2))
    assert len(silence) == rate_hz * 2 * FIRST_BUFFER_MS // 1000


def test_no_more_marks_than_jambonz_keeps() -> None:
    """Beyond 30 it would discard them; each that comes back makes room, and more than went out make no more."""
    codec = started()
    sent = [codec.encode(SendMark(f"g1-{number}")) for number in range(40)]
    assert [bool(messages) for messages in sent] == [True] * MARKS_LIMIT + [False] * 10
    codec.decode('{"type":"mark","data":{"name":"g1-0","event":"cleared"}}')
    assert codec.encode(SendMark("g2-1"))
    assert not codec.encode(SendMark("g2-2"))


def test_no_sample_passes_for_a_mark() -> None:
    """jambonz notes marks as samples of -1: those in the audio become 0, all others stay; byte pairs do not count."""
    codec = started()
    samples = np.array([-1, 0x12FF, -256, 0, -1, 5], "<i2")
    assert codec.encode(PlayAudio(samples.tobytes())) == (np.array([0, 0x12FF, -256, 0, 0, 5], "<i2").tobytes(),)
    straddling = np.array([-0x0100, 0x00FF, -256, 255], "<i2").tobytes()
    assert codec.encode(PlayAudio(straddling)) == (straddling,)
    across = b"\x00\xff\xff\x00"
    assert codec.encode(PlayAudio(across)) == (across,)
    assert codec.encode(PlayAudio(b"\xff\xff\xff")) == (b"\x00\x00\xff",)
