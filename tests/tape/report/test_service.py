from typing import Any

import pytest

from gateway.tape.form import FORM, Header, Line, Tape
from gateway.tape.report.service import expected_deltas, overlaps, said_by_service, service_findings


def tape(*events: tuple[float, dict[str, Any]]) -> Tape:
    """A tape of the service alone, which begins as it should."""
    header = Header(FORM, "0.1", "2026-11-29T17:00:00Z", 0.0, "twilio")
    all_events = ((0.0, {"type": "session.created"}), *events)
    return Tape(header, [(n, Line(at, "voice", "in", n=1, json=event)) for n, (at, event) in enumerate(all_events, 2)])


def created(response_id: str, **metadata: str) -> dict[str, Any]:
    """A response begins; with ``request_id`` it is ours."""
    return {"type": "response.created", "response": {"id": response_id, "metadata": metadata}}


def turn(item_id: str = "item_fa4e1") -> dict[str, Any]:
    """A turn of the caller is over."""
    return {"type": "input_audio_buffer.committed", "item_id": item_id}


@pytest.mark.parametrize(
    ("later", "kind", "who"),
    [
        ([(2.0, created("r2"))], "overlapped_turn", "the service"),
        ([(2.0, created("r2", request_id="request-2"))], "overlapped_turn", "the gateway"),
        ([(2.0, created("r2")), (2.1, created("r3", request_id="request-2"))], "answered_twice", "and"),
        ([(9.0, created("r2"))], "unanswered_turn", "nobody"),
        ([(2.0, turn("item_fa4e2")), (2.1, created("r2"))], "unanswered_turn", "nobody"),
    ],
)
def test_who_answered_an_overlapped_turn_is_told(
    later: list[tuple[float, dict[str, Any]]], kind: str, who: str
) -> None:
    """By the id of our request in what the service says."""
    found = next(overlaps(tape((1.0, created("r1", request_id="request-1")), (1.5, turn()), *later)))
    assert found.kind == kind
    assert who in found.detail
    is_listed = any(one.kind == kind for one in service_findings(tape((1.0, created("r1")), (1.5, turn()), *later)))
    assert is_listed == (kind == "unanswered_turn" or kind == "answered_twice")


def test_a_turn_beside_no_response_is_none() -> None:
    """The usual case."""
    done = {"type": "response.done", "response": {"id": "r1", "status": "completed"}}
    assert list(overlaps(tape((1.0, created("r1")), (1.2, done), (1.5, turn()), (2.0, created("r2"))))) == []


@pytest.mark.parametrize(
    ("event", "detail", "words"),
    [
        (
            {"type": "error", "error": {"code": "invalid_model", "param": None, "message": "Model is not supported."}},
            "error: code invalid_model",
            "Model is not supported.",
        ),
        ({"type": "warning", "warning": {"message": "Soon over."}}, "warning: no code", "Soon over."),
        (
            {"type": "conversation.item.input_audio_transcription.failed", "error": {"code": "x", "message": "No."}},
            "conversation.item.input_audio_transcription.failed: code x",
            "No.",
        ),
        (
            {
                "type": "response.done",
                "response": {
                    "id": "r",
                    "status": "failed",
                    "status_details": {"error": {"code": "c", "message": "Oh."}},
                },
            },
            "response failed: c",
            "Oh.",
        ),
        (
            {
                "type": "response.done",
                "response": {"id": "r", "status": "incomplete", "status_details": {"reason": "content_filter"}},
            },
            "response incomplete: content_filter",
            "content_filter",
        ),
        ({"type": "error"}, "error: no code", ""),
    ],
)
def test_errors_are_told_word_for_word(event: dict[str, Any], detail: str, words: str) -> None:
    """In each form in which the service has them."""
    found = [one for one in service_findings(tape((1.0, event))) if one.kind == "error"]
    assert [(one.detail, one.verbatim) for one in found] == [(detail, words)]


def test_connections_that_failed_or_were_closed_are_told() -> None:
    """What we closed is no finding."""
    lines = [
        Line(0.1, "voice", "in", "refused", 5, facts={"error": "answered the connection with 403"}),
        Line(0.2, "voice", "in", "closed", 6, facts={"code": 1008, "reason": "max_config_attempts_exceeded"}),
        Line(0.3, "voice", "out", "close", 7, facts={"code": 1000}),
        Line(0.4, "voice", "in", "closed", 7, facts={"code": 1000}),
    ]
    header = Header(FORM, "0.1", "2026-11-29T17:00:00Z", 0.0, "twilio")
    found = list(service_findings(Tape(header, list(enumerate(lines)))))
    assert [(one.kind, one.verbatim or one.detail) for one in found] == [
        ("refused", "answered the connection with 403"),
        ("closed", "max_config_attempts_exceeded"),
    ]


def test_the_sizes_of_deltas_depend_on_the_voice() -> None:
    """As the emulator makes them."""
    openai = {"type": "session.updated", "session": {"voice": {"type": "openai", "name": "alloy"}}}
    assert expected_deltas(said_by_service(tape((1.0, openai)))) != expected_deltas(said_by_service(tape()))


def test_what_is_no_json_is_told() -> None:
    """A message of text that the service does not send."""
    header = Header(FORM, "0.1", "2026-11-29T17:00:00Z", 0.0, "twilio")
    made = Tape(header, [(2, Line(0.0, "voice", "in", text="hello"))])
    assert [one.kind for one in service_findings(made)] == ["broken_protocol"]
