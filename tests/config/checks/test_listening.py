from collections.abc import Callable

import pytest

LineErrors = Callable[..., list[str]]
ALONE = "modalities: [text]\n"
NO_VOICE = "a line with modalities: [text] has no voice, expected no such key"
NO_WORDS = "a line with modalities: [text] has no voice, expected a recording (play) or nothing"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("voice: en-US-AvaNeural", f"voice: {NO_VOICE}"),
        ("tools: [end_call]", f"tools: {NO_VOICE}"),
        ("silence: {after_s: 5, say: Hello?}", f"silence: {NO_VOICE}"),
        ("digits: {}", f"digits: {NO_VOICE}"),
        ('on_key: {"0": {say: Hello.}}', f"on_key: {NO_VOICE}"),
        ("echo_cancellation: server_echo_cancellation", f"echo_cancellation: {NO_VOICE}"),
        ("greeting: Hello.", f"greeting: {NO_WORDS}"),
        ("greeting: {prompt: Be kind.}", f"greeting: {NO_WORDS}"),
        ('hours: {open: {mon: "09:00-17:00"}, closed: {say: Closed.}}', f"hours.closed.say: {NO_WORDS}"),
        ("recording: {announce: This is recorded.}", f"recording.announce: {NO_WORDS}"),
        ("recording: {consent: {ask: May we?}}", f"recording.consent: {NO_VOICE}"),
        ("on_shutdown: {say: Goodbye.}", f"on_shutdown.say: {NO_VOICE}"),
        ("on_trouble: {say: Wait.}", f"on_trouble.say: {NO_WORDS}"),
    ],
)
def test_nothing_has_a_line_speak_that_only_listens(line_errors: LineErrors, text: str, expected: str) -> None:
    """One sentence at the key that would need a voice."""
    (error,) = line_errors(ALONE + text)
    assert error.split(": ", 1)[1] == expected


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("", "gpt-4.1"),
        ("", "azure-realtime"),
        ("transcription: whisper-1\nturn_detection: server_vad", "gpt-realtime"),
        ('turn_detection: none\ncommit_on: "#"', "gpt-4.1"),
        ("on_failure: {say: Sorry.}", "gpt-4.1"),
        ("recording: true", "gpt-4.1"),
    ],
)
def test_what_a_line_that_only_listens_may_have(line_errors: LineErrors, text: str, model: str) -> None:
    """Transcription, turns, a recording, and words of the provider's own."""
    assert line_errors(ALONE + text, model=model) == []


@pytest.mark.parametrize("text", ["modalities: [audio]", "modalities: [text, text]", "modalities: []"])
def test_other_modalities_are_no_call_s(line_errors: LineErrors, text: str) -> None:
    """Sound alone is not a choice of the service, and a list without text is none."""
    assert len(line_errors(text)) == 1


@pytest.mark.parametrize("text", ["modalities: [text, avatar]", "modalities: [text, animation]"])
def test_pictures_are_no_call_s(line_errors: LineErrors, text: str) -> None:
    """The message names what there is."""
    (error,) = line_errors(text)
    assert "text or audio" in error
