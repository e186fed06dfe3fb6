"""The session that is asked for next."""

import pytest

from gateway.voice.negotiation.negotiation import Negotiation
from gateway.voice.negotiation.reductions import Policy
from gateway.voice.negotiation.refusal import Refusal
from tests.voice.negotiation.session import PLAIN_TURNS, SESSION

UNNAMED = Refusal(message="The request is invalid.")


def test_what_is_named_goes_alone() -> None:
    """The whole session is asked for again without it, and nothing else is touched."""
    negotiation = Negotiation(SESSION, Policy())
    gone = negotiation.refused(Refusal(param="session.metadata"))
    assert list(gone) == list(negotiation.left_out) == ["metadata"]
    assert negotiation.session == {key: value for key, value in SESSION.items() if key != "metadata"}
    assert negotiation.refused(Refusal(message="'languages' and temperature")) == (
        "turn_detection.languages",
        "temperature",
    )
    assert negotiation.left_out == ("metadata", "turn_detection.languages", "temperature")


def test_a_member_in_its_simplest_form_is_left_out() -> None:
    """A voice that is refused again is the service's to choose; on a strict line nothing is."""
    negotiation = Negotiation(SESSION, Policy())
    for names in (("voice",), ("voice.name",)):
        assert negotiation.refused(Refusal(param="session.voice")) == names
    assert "voice" not in negotiation.session
    strict = Negotiation(SESSION, Policy(strict=True))
    strict.refused(Refusal(param="session.voice"))
    assert strict.session["voice"] == SESSION["voice"]


def test_nothing_named_goes_by_the_order() -> None:
    """One group for each refusal, until nothing is left to leave out."""
    negotiation = Negotiation(SESSION, Policy())
    gone = [negotiation.refused(UNNAMED) for _ in range(5)]
    assert [names[:1] for names in gone] == [
        ("metadata",),
        ("interim_response",),
        ("input_audio_transcription",),
        ("output_audio_format",),
        (),
    ]


@pytest.mark.parametrize("is_closed", [False, True])
def test_the_last_try_is_the_plainest(is_closed: bool) -> None:
    """So is the one after a connection that was closed without a word: there is no third."""
    negotiation = Negotiation(SESSION, Policy())
    negotiation.refused(Refusal(close_code=1008) if is_closed else UNNAMED, last=not is_closed)
    assert negotiation.session["turn_detection"] == PLAIN_TURNS
    assert negotiation.session["output_audio_format"] == "pcm16"
    assert negotiation.refused(UNNAMED) == ()


def test_a_name_in_the_close_reason_counts() -> None:
    """Then nothing else goes."""
    negotiation = Negotiation(SESSION, Policy())
    assert negotiation.refused(Refusal(message="session.metadata", close_code=1008)) == ("metadata",)


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(code="invalid_model", message="Model X is not supported in this region."),
        Refusal(code="invalid_profile"),
        Refusal(param="session.instructions"),
        Refusal(param="session.turn_detection.interrupt_response"),
    ],
)
def test_where_nothing_helps_nothing_goes(refusal: Refusal) -> None:
    """The caller is not kept waiting."""
    negotiation = Negotiation(SESSION, Policy(tolerant=True))
    assert negotiation.refused(refusal, last=True) == ()
    assert negotiation.session == SESSION


def test_what_was_refused_before_is_not_asked_for() -> None:
    """As far as this line has it and lets it go."""
    known = ("metadata", "voice", "input_audio_transcription.model", "include")
    negotiation = Negotiation(SESSION, Policy(strict=True), known)
    assert negotiation.left_out == ("metadata",)
    assert Negotiation(SESSION, Policy(tolerant=True), known).left_out == known[:3]
