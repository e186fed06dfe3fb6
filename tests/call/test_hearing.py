"""What of the caller's audio reaches the service."""

import pytest

from gateway.audio.formats import L16_8K, PCMA, PCMU, AudioFormat
from gateway.call.hearing import Hearing
from gateway.voice.commands import SendAudio


def test_audio_waits_for_the_session() -> None:
    """What is heard before the session is there is sent in one piece when it is, and then as it comes."""
    hearing = Hearing(PCMU, 0.0)
    assert hearing.hear(b"a", 0.1) == ()
    assert hearing.hear(b"b", 0.2) == ()
    assert hearing.connected() == (SendAudio(b"ab"),)
    assert hearing.hear(b"c", 0.3) == (SendAudio(b"c"),)


def test_an_empty_message_is_not_passed_on() -> None:
    """The service refuses an append without audio; that the phone is alive counts all the same."""
    hearing = Hearing(PCMU, 0.0)
    assert hearing.hear(b"", 0.1) == ()
    assert hearing.connected() == ()
    assert hearing.hear(b"", 0.2) == ()
    assert hearing.last_at == 0.2


def test_nothing_waits_for_the_session() -> None:
    """A session that is ready at once is sent nothing."""
    assert Hearing(PCMU, 0.0).connected() == ()


@pytest.mark.parametrize(("audio_format", "silence"), [(PCMU, b"\xff\xff"), (PCMA, b"\xd5\xd5"), (L16_8K, b"\0\0")])
def test_private_audio_is_silence_of_the_format(audio_format: AudioFormat, silence: bytes) -> None:
    """While something is private the service gets silence of the same length, so that its clock goes on."""
    hearing = Hearing(audio_format, 0.0)
    hearing.connected()
    hearing.mind(private=True, now=1.0)
    assert hearing.hear(b"\x01\x02", 1.1) == (SendAudio(silence),)


def test_privacy_lasts_a_little_longer() -> None:
    """The sound of the last key may come after its event."""
    hearing = Hearing(PCMU, 0.0)
    hearing.connected()
    hearing.mind(private=True, now=1.0)
    hearing.mind(private=False, now=2.0)
    hearing.mind(private=False, now=2.4)
    assert hearing.hear(b"a", 2.4) == (SendAudio(b"\xff"),)
    assert hearing.hear(b"a", 2.6) == (SendAudio(b"a"),)


def test_the_phone_is_heard_in_every_state() -> None:
    """When the last audio came is known, whatever became of it."""
    hearing = Hearing(PCMU, 0.0)
    hearing.hear(b"a", 3.0)
    assert hearing.last_at == 3.0
