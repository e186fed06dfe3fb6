"""What of the caller's audio reaches the service."""

import pytest

from gateway.audio.formats import L16_8K, PCMA, PCMU, AudioFormat
from gateway.call.caller_audio import FLOOD, LATE, CallerStream
from gateway.call.notes import StreamPaused
from gateway.phone.commands import AskForLife
from gateway.phone.events import DigitPressed, SignOfLife
from gateway.voice.commands import SendAudio


def test_audio_waits_for_the_session() -> None:
    """What is heard before the session is there is sent in one piece when it is, and then as it comes."""
    stream = CallerStream(PCMU, 0.0)
    assert stream.receive(b"a", 0.1) is None
    assert stream.receive(b"b", 0.2) is None
    assert stream.connected() == (SendAudio(b"ab"),)
    assert stream.receive(b"c", 0.3) == b"c"


def test_an_empty_message_is_not_passed_on() -> None:
    """The service refuses an append without audio; that the phone is alive counts all the same."""
    stream = CallerStream(PCMU, 0.0)
    assert stream.receive(b"", 0.1) is None
    assert stream.connected() == ()
    stream.note_sign(SignOfLife(), 0.1)
    assert stream.on_deadline(7.6) == (AskForLife(),)
    assert stream.receive(b"", 7.7) is None
    assert AskForLife() not in stream.on_deadline(15.1)


def test_nothing_waits_for_the_session() -> None:
    """A session that is ready at once is sent nothing."""
    assert CallerStream(PCMU, 0.0).connected() == ()


@pytest.mark.parametrize(("audio_format", "silence"), [(PCMU, b"\xff\xff"), (PCMA, b"\xd5\xd5"), (L16_8K, b"\0\0")])
def test_private_audio_is_silence_of_the_format(audio_format: AudioFormat, silence: bytes) -> None:
    """While something is private the service gets silence of the same length, so that its clock goes on."""
    stream = CallerStream(audio_format, 0.0)
    stream.connected()
    stream.set_private(private=True, now=1.0)
    assert stream.receive(b"\x01\x02", 1.1) == silence


def test_privacy_lasts_a_little_longer() -> None:
    """The sound of the last key may come after its event."""
    stream = CallerStream(PCMU, 0.0)
    stream.connected()
    stream.set_private(private=True, now=1.0)
    stream.set_private(private=False, now=2.0)
    stream.set_private(private=False, now=2.4)
    assert stream.receive(b"a", 2.4) == b"\xff"
    assert stream.receive(b"a", 2.6) == b"a"


def test_a_pause_waits_for_the_session_too() -> None:
    """What is filled in before the session is there is bounded and in its place, and sent with the rest."""
    stream = CallerStream(PCMU, 0.0)
    stream.receive(b"\x01" * 160, 0.02)
    for tenth in range(4, 600):
        assert [command for command in stream.on_deadline(0.03 + tenth / 10) if command != AskForLife()] == []
        stream.note_sign(SignOfLife(), tenth / 10)
    (early,) = stream.connected()
    assert early.audio == b"\xff" * 80_000
    (silence,) = stream.on_deadline(60.2)
    assert isinstance(silence, SendAudio)
    assert set(silence.audio) == {0xFF}


def test_a_burst_during_an_entry_is_masked() -> None:
    """Audio that comes late while something is private is as silent as the rest."""
    stream = CallerStream(PCMA, 0.0)
    stream.connected()
    stream.set_private(private=True, now=1.0)
    for tenth in range(10, 40):
        stream.on_deadline(tenth / 10)
    passed = [made for _ in range(100) if (made := stream.receive(b"\x01" * 160, 4.0)) is not None]
    passed.remove(LATE)  # told once, not for each frame
    assert 0 < len(passed) < 99
    assert passed == [b"\xd5" * 160] * len(passed)


@pytest.mark.parametrize("connected", [True, False])
def test_a_flood_ends_the_call(connected: bool) -> None:
    """Whether the session is there or not: 330 MB in some seconds are no caller's."""
    stream = CallerStream(PCMU, 0.0)
    if connected:
        stream.connected()
    taken = 0
    while (made := stream.receive(b"\x01" * 1600, 0.5)) is not FLOOD:
        taken += 1600
        assert (made is not None) is connected
    assert taken <= 8000 * 10.5


def test_a_flood_of_keys_ends_the_call() -> None:
    """Each of them may lead to a message to the service."""
    stream = CallerStream(PCMU, 0.0)
    keys = 0
    while stream.note_sign(DigitPressed("1"), 1.0) != (FLOOD,):
        keys += 1
    assert keys == 220


def test_the_phone_is_heard_in_every_state() -> None:
    """When the last audio came is known, whatever became of it."""
    stream = CallerStream(PCMU, 0.0)
    stream.receive(b"a", 3.0)
    assert stream.last_at == 3.0


@pytest.mark.parametrize("odd", [1, 2, 3])
def test_what_is_kept_is_bounded_to_the_byte(odd: int) -> None:
    """Ten seconds and not a byte more, cut between two samples."""
    for audio_format in (PCMU, L16_8K):
        limit = audio_format.bytes_for(10_000)
        stream = CallerStream(audio_format, 0.0)
        stream.receive(bytes(limit), 0.2)
        stream.receive(b"\x01" * odd, 0.2)
        (sent,) = stream.connected()
        assert limit - audio_format.sample_bytes < len(sent.audio) <= limit
        assert (limit + odd - len(sent.audio)) % audio_format.sample_bytes == 0


def test_an_empty_message_says_that_the_phone_is_there() -> None:
    """Every five seconds one: nobody asks the phone for a word, and the call is not given up."""
    stream = CallerStream(PCMU, 0.0)
    stream.connected()
    for second in range(5, 60, 5):
        stream.receive(b"", float(second))
        told = [command for tenth in range(50) for command in stream.on_deadline(second + tenth / 10)]
        assert all(isinstance(command, SendAudio) for command in told)


def test_a_long_pause_of_the_stream_is_noted_once_it_is_over() -> None:
    """As soon as the next deadline is looked for, once; a pause that is the network's is not worth a note."""
    stream = CallerStream(PCMU, 0.0)
    stream.receive(b"a" * 160, 0.0)
    stream.on_deadline(0.5)
    assert stream.receive(b"a" * 160, 0.9) is None
    assert stream.next_deadline() > 0.9
    stream.on_deadline(1.4)
    stream.receive(b"a" * 160, 2.4)
    assert stream.next_deadline() <= 2.4
    assert StreamPaused(1500) in stream.on_deadline(2.5)
    assert stream.next_deadline() > 2.5
