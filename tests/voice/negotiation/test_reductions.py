"""What may be left out of a session, and in which order."""

from typing import Any

import pytest

from gateway.voice.negotiation.reductions import MEMBERS, Policy, in_order, member_of, reduced
from tests.voice.negotiation.session import KEPT, PLAIN_TURNS, SESSION

LINE, STRICT, TOLERANT, AGENT = Policy(), Policy(strict=True), Policy(tolerant=True), Policy(agent=True)
VOICE = {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"}


def after(policy: Policy, session: Any = SESSION) -> list[Any]:
    """The sessions after each group of the order."""
    found = []
    for group in in_order(session, policy):
        for name in group:
            session = reduced(session, name, policy) or session
        found.append(session)
    return found


def test_the_order_goes_from_labels_to_the_plainest_session() -> None:
    """Each group takes what a caller would miss less than the next."""
    labels, answers, simple, converted = after(LINE)
    gone = SESSION.keys() - labels.keys()
    assert gone == {
        "metadata",
        "input_audio_noise_reduction",
        "input_audio_echo_cancellation",
        "parallel_tool_calls",
        "max_response_output_tokens",
        "tool_choice",
    }
    assert labels.keys() - answers.keys() == {"interim_response", "temperature"}
    assert answers["turn_detection"] == PLAIN_TURNS
    assert (answers["voice"], simple["voice"]) == (SESSION["voice"], VOICE)
    assert simple["input_audio_transcription"] == {"model": "azure-speech"}
    assert converted == {
        **KEPT,
        "output_audio_format": "pcm16",
        "turn_detection": PLAIN_TURNS,
        "input_audio_transcription": {"model": "azure-speech"},
        "voice": VOICE,
    }


def test_a_tolerant_line_goes_further() -> None:
    """Without transcription, then by loudness alone."""
    *_, converted, unwritten, plainest = after(TOLERANT)
    assert converted["input_audio_transcription"] == {"model": "azure-speech"}
    assert unwritten["input_audio_transcription"] is None
    assert unwritten["turn_detection"] == PLAIN_TURNS
    assert plainest["turn_detection"] == {**PLAIN_TURNS, "type": "server_vad"}


def test_the_service_s_own_voice_may_have_no_times_of_words() -> None:
    """So they are not asked for where the line's voice is left out."""
    timed = {**SESSION, "output_audio_timestamp_types": ["word"]}
    assert (plain := reduced(timed, "voice.name", LINE)) is not None
    assert timed.keys() - plain.keys() == {"voice", "output_audio_timestamp_types"}


def test_a_strict_line_keeps_its_voice() -> None:
    """To the last of its members."""
    assert after(STRICT)[-1]["voice"] == SESSION["voice"]
    for name in ("voice", "voice.rate", "voice.name"):
        assert reduced(SESSION, name, STRICT) is None


@pytest.mark.parametrize(
    ("name", "policy"), [("voice.rate", LINE), ("voice.rate", TOLERANT), ("turn_detection.languages", STRICT)]
)
def test_a_single_member_is_left_out_where_it_is_named(name: str, policy: Policy) -> None:
    """And nothing beside it; a strict line is strict about its voice alone."""
    top, _, inner = name.partition(".")
    changed = reduced(SESSION, name, policy)
    assert changed is not None
    assert {key for key in SESSION if changed.get(key) != SESSION[key]} == {top}
    assert SESSION[top].keys() - changed[top].keys() == {inner}


def test_an_agent_is_left_its_own_settings() -> None:
    """Of ours it gets the audio formats."""
    session = {key: value for key, value in SESSION.items() if key not in ("instructions", "tools")}
    _, formats, converted = after(AGENT, session)
    audio = {key: KEPT[key] for key in ("modalities", "input_audio_format", "input_audio_sampling_rate")}
    assert formats == {**audio, "output_audio_format": "g711_ulaw"}
    assert converted == {**audio, "output_audio_format": "pcm16"}


@pytest.mark.parametrize("policy", [LINE, STRICT, TOLERANT, AGENT])
@pytest.mark.parametrize(
    "name",
    [
        *("instructions", "tools", "modalities", "input_audio_format", "model", "tools.require_approval"),
        *("turn_detection.create_response", "turn_detection.interrupt_response", "turn_detection.auto_truncate"),
        *("avatar", "turn_detection.unknown", "metadata.call_id"),
    ],
)
def test_some_members_are_always_sent(policy: Policy, name: str) -> None:
    """So are those that are not there, or have no members of their own."""
    assert reduced(SESSION, name, policy) is None


@pytest.mark.parametrize("policy", [LINE, STRICT, TOLERANT, AGENT])
def test_turns_by_key_stay_so(policy: Policy) -> None:
    """``null`` is what the line means."""
    session = {**SESSION, "turn_detection": None}
    for name in ("turn_detection", "turn_detection.type", "turn_detection.languages"):
        assert reduced(session, name, policy) is None
    assert after(policy, session)[-1]["turn_detection"] is None


@pytest.mark.parametrize(
    ("member", "value", "is_sent"),
    [
        ("input_audio_sampling_rate", 8000, False),
        ("tool_choice", "none", True),
        ("tool_choice", "required", False),
        ("input_audio_noise_reduction", {"type": "near_field"}, False),
        ("parallel_tool_calls", True, False),
        ("max_response_output_tokens", 300, False),
    ],
)
def test_members_that_are_refused_by_name(member: str, value: object, is_sent: bool) -> None:
    """What a line asks for can be left out; what forbids the model something cannot."""
    session = {**SESSION, member: value}
    without = reduced(session, member, LINE)
    assert without is None if is_sent else without is not None and member not in without


def test_a_rate_that_no_default_replaces_is_sent() -> None:
    """``pcm16`` is 24 kHz where nothing is said, and G.711 always 8 kHz."""
    session = {**SESSION, "input_audio_format": "pcm16"}
    assert reduced({**session, "input_audio_sampling_rate": 16_000}, "input_audio_sampling_rate", LINE) is None
    assert reduced({**session, "input_audio_sampling_rate": 24_000}, "input_audio_sampling_rate", LINE) is not None


def test_a_reduction_that_changes_nothing_is_none() -> None:
    """What is simple already is not tried twice."""
    simple = {**SESSION, "voice": VOICE, "input_audio_transcription": {"model": "azure-speech"}}
    assert reduced(simple, "voice", LINE) is None
    assert reduced(simple, "input_audio_transcription", LINE) is None
    assert reduced({**SESSION, "output_audio_format": "pcm16"}, "output_audio_format", LINE) is None
    assert reduced({**SESSION, "voice": "alloy"}, "voice", LINE) is None
    assert reduced({**SESSION, "turn_detection": {"type": "server_vad"}}, "turn_detection.type", TOLERANT) is None


def test_a_null_transcription_can_be_left_out() -> None:
    """The service then does as it does by itself."""
    without = reduced({**SESSION, "input_audio_transcription": None}, "input_audio_transcription", LINE)
    assert without is not None
    assert "input_audio_transcription" not in without


def test_every_reduction_concerns_a_known_member() -> None:
    """Metrics have a series for each."""
    for policy in (LINE, TOLERANT, AGENT):
        for group in in_order(SESSION, policy):
            assert set(map(member_of, group)) <= set(MEMBERS)
