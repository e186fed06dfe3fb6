"""The search for a refused member."""

from pathlib import Path
from typing import Any

import pytest

from gateway.doctor.sessions.bisection import CONNECTIONS_LIMIT, Culprit, bisected
from tests.doctor.sessions.opening import bot_of

SESSION = {
    "modalities": ["text", "audio"],
    "input_audio_format": "g711_ulaw",
    "voice": {"type": "azure-standard", "name": "Ava", "rate": "1.2", "style": "calm"},
    "turn_detection": {"type": "server_vad", "create_response": True, "threshold": 0.5},
    "input_audio_noise_reduction": None,
    "metadata": {"call_id": "x"},
    **{f"member_{number}": number for number in range(20)},
}


def search(refused: set[str], session: dict[str, Any] = SESSION) -> tuple[Culprit, list[dict[str, Any]]]:
    """What is found where sessions with these members are refused, and the sessions that were tried."""
    tried = []
    running = bisected(session)
    asked = dict(next(running))
    while True:
        tried.append(asked)
        try:
            asked = dict(running.send(not any(_has(asked, path) for path in refused)))
        except StopIteration as end:
            return end.value, tried


def _has(session: dict[str, Any], path: str) -> bool:
    top, _, inner = path.partition(".")
    return top in session and (not inner or inner in session[top])


@pytest.mark.parametrize(
    "member", ["voice", "voice.style", "turn_detection.threshold", "metadata", "member_0", "member_19"]
)
def test_one_member_is_found(member: str) -> None:
    """Within eight connections, whichever it is."""
    culprit, tried = search({member})
    assert culprit == Culprit(member, f"the session is accepted without {member}")
    assert len(tried) <= CONNECTIONS_LIMIT
    assert all(session["input_audio_format"] == "g711_ulaw" for session in tried)


def test_a_section_is_tried_with_what_it_needs() -> None:
    """Its type and its answers go with it."""
    _, tried = search({"turn_detection.threshold"})
    for session in tried:
        if "turn_detection" in session:
            assert {"type", "create_response"} <= session["turn_detection"].keys()


def test_two_members() -> None:
    """The first is named, and that there is another."""
    culprit, tried = search({"voice.rate", "member_3"})
    assert culprit == Culprit("voice.rate", "voice.rate is refused, and another member with it")
    assert len(tried) <= CONNECTIONS_LIMIT


def test_everything_is_refused() -> None:
    """One connection says so."""
    culprit, tried = search({"modalities"})
    assert culprit == Culprit("", "a session with nothing but the audio formats is refused as well")
    assert len(tried) == 1


def test_too_many_members_for_the_connections() -> None:
    """Those that are left are named."""
    session = SESSION | {f"more_{number}": number for number in range(200)}
    culprit, tried = search({"more_199"}, session)
    assert culprit.member == ""
    assert culprit.detail.startswith("one of more_")
    assert "more_199" in culprit.detail
    assert len(tried) <= CONNECTIONS_LIMIT


def test_a_session_of_ours(tmp_path: Path) -> None:
    """A member at its end is found as well."""
    session = dict(bot_of(tmp_path, "temperature: 0.9\n").session)
    culprit, _ = search({"temperature"}, session)
    assert culprit.member == "temperature"
