"""Each planted deviation is in the report, and nothing else is."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.sim.emulator.dialect import in_ga
from gateway.tape.form import Tape, read_tape
from gateway.tape.report.finding import Report
from gateway.tape.report.reporting import TITLES, report, told
from tests.tape.calls import TapedCall

Records = list[dict[str, Any]]
Plant = Callable[[Records], None]


def first(records: Records, kind: str, nth: int = 0) -> dict[str, Any]:
    """The n-th message of that kind; its JSON may be changed."""
    found = [one for one in records if kind in (one.get("json", {}).get("type"), one.get("json", {}).get("event"))]
    return found[nth]


def insert(records: Records, behind: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Another record behind that one, like it but for these members."""
    made = {**copy.deepcopy(behind), **members}
    records.insert(records.index(behind) + 1, made)
    return made


def voice_type(records: Records) -> None:
    insert(records, first(records, "session.updated"), json={"type": "rate_limits.updated", "event_id": "event_fa4e1"})


def voice_member(records: Records) -> None:
    first(records, "session.updated")["json"]["session"]["voice"]["mood"] = "cheerful_one"


def phone_type(records: Records) -> None:
    start = first(records, "start")
    insert(records, start, json={"event": "hold", "streamSid": start["json"]["streamSid"]})


def phone_member(records: Records) -> None:
    first(records, "start")["json"]["start"]["region"] = "ie1_dublin"


def absent_member(records: Records) -> None:
    del first(records, "start")["json"]["start"]["tracks"]


def order(records: Records) -> None:
    delta, part = first(records, "response.audio.delta"), first(records, "response.content_part.added")
    delta["t"], part["t"] = part["t"], delta["t"]
    at, other = records.index(delta), records.index(part)
    records[at], records[other] = part, delta


def after_the_end(records: Records) -> None:
    done = first(records, "response.done")
    late = copy.deepcopy(first(records, "response.audio.delta"))
    late["t"] = done["t"]
    records.insert(records.index(done) + 1, late)


def delta_size(records: Records) -> None:
    first(records, "response.audio.delta")["json"]["delta"] = "$audio 160 -20.0"


def frame_size(records: Records) -> None:
    for nth in range(3):
        first(records, "media", nth)["json"]["media"]["payload"] = "$audio 80 -20.0"


def an_error(records: Records) -> None:
    error = {
        "type": "invalid_request_error",
        "code": "oops",
        "message": "Audio content is already shorter.",
        "param": None,
    }
    insert(records, first(records, "session.updated"), json={"type": "error", "event_id": "e", "error": error})


def mark_after_clear(records: Records) -> None:
    clear = first(records, "clear")
    lost = [one for one in records if one.get("json", {}).get("event") == "mark" and one["to"] == "in"]
    for one in lost:
        if clear["t"] <= one["t"] < clear["t"] + 2:
            records.remove(one)
    last = max(one["t"] for one in records)
    for nth in range(1, 4):
        insert(records, first(records, "media", -1), t=last + nth)


def a_gap(records: Records) -> None:
    begun = first(records, "media")["t"]
    for one in [one for one in records if one.get("json", {}).get("event") == "media" and one["to"] == "in"]:
        if begun + 1 < one["t"] < begun + 2:
            records.remove(one)


def late_audio(records: Records) -> None:
    reply = first(records, "response.audio.delta", 2)["json"]["item_id"]
    deltas = [one for one in records if one.get("json", {}).get("item_id") == reply]
    last = [one for one in deltas if one["json"]["type"] == "response.audio.delta"][-1]
    for one in records[records.index(last) :]:
        one["t"] += 5


def answered_twice(records: Records) -> None:
    created = first(records, "response.created", 1)
    turn = insert(records, created, json={"type": "input_audio_buffer.committed", "item_id": "item_fa4eturn"})
    ours, services = copy.deepcopy(created["json"]), copy.deepcopy(created["json"])
    ours["response"].update(id="resp_fa4eours", metadata={"request_id": "request-9"})
    services["response"].update(id="resp_fa4etheirs", metadata={})
    insert(records, insert(records, turn, json=ours), json=services)


def echo(records: Records) -> None:
    first(records, "session.updated")["json"]["session"]["output_audio_format"] = "pcm16"


def refused(records: Records) -> None:
    answer = next(one for one in records if one["side"] == "webhook" and one["to"] == "out")
    answer["http"] = {"failure": "the signature is wrong", "headers": {}}


def http_status(records: Records) -> None:
    records.append(
        {"t": 1.0, "side": "rest", "to": "in", "kind": "answer", "http": {"status": 404, "json": {"code": 20404}}}
    )


def webhook_member(records: Records) -> None:
    request = next(one for one in records if one["side"] == "webhook" and one["to"] == "in")
    request["http"]["form"].append(["StirVerstat", "fake_value"])


def closed(records: Records) -> None:
    close = next(one for one in records if one["side"] == "voice" and one.get("kind") == "close")
    close.update(to="in", kind="closed", facts={"code": 1011, "failure": "internal error"})
    for one in [one for one in records if one["side"] == "voice" and one.get("kind") == "closed" and one is not close]:
        records.remove(one)


def lost(records: Records) -> None:
    records.append({"t": 1.0, "side": "gateway", "kind": "lost", "facts": {"count": 3, "of": {"phone in": 3}}})


def bad_key(records: Records) -> None:
    first(records, "dtmf")["json"]["dtmf"]["digit"] = "flash"


PLANTED: dict[Plant, tuple[str, str, str]] = {
    voice_type: ("unknown_type", "voice", "event rate_limits.updated"),
    voice_member: ("unknown_member", "voice", "session.updated: session.voice.mood"),
    phone_type: ("unknown_type", "phone", "message hold"),
    phone_member: ("unknown_member", "phone", "start: start.region"),
    absent_member: ("absent_member", "phone", "start: start.tracks"),
    order: ("order", "voice", "response.audio.delta before response.content_part.added"),
    after_the_end: ("order", "voice", "response.audio.delta after response.done"),
    delta_size: ("delta_size", "voice", "delta 1 of a reply has 160 bytes (20 ms), expected 1600"),
    frame_size: ("frame_size", "phone", "80 bytes of audio (10 ms), expected 160"),
    an_error: ("error", "voice", "error: type invalid_request_error, code oops"),
    mark_after_clear: ("mark_after_clear", "phone", "marks that waited at a clear"),
    a_gap: ("gap", "phone", "no audio of the caller for 10"),
    late_audio: ("gap", "voice", "ms later than the phone needed it"),
    answered_twice: ("answered_twice", "voice", "answered by the gateway and the service"),
    echo: ("echo", "voice", "output_audio_format: asked for g711_ulaw, echoed pcm16"),
    refused: ("refused", "webhook", "we refused a webhook"),
    http_status: ("http_status", "rest", "answered with 404"),
    webhook_member: ("unknown_member", "webhook", "the first webhook: StirVerstat"),
    closed: ("closed", "voice", "the service closed the connection with 1011"),
    lost: ("lost", "gateway", "3 records were lost: 3 phone in"),
    bad_key: ("broken_protocol", "phone", "dtmf: a text of 5 characters is not a key"),
}
ALONG = {
    "order": {"order"},
    "echo": {"delta_size"},
    "late_audio": {"gap"},
    "answered_twice": {"order"},
    "after_the_end": {"order", "delta_size", "gap"},
    "delta_size": {"gap"},
    "mark_after_clear": {"gap"},
}
"""What a deviation brings along: audio of another format has other sizes, what is moved leaves a gap."""


def planted(call: TapedCall, plant: Plant, folder: Path) -> Tape:
    """The tape of a call with a deviation in it."""
    header, *lines = call.file.read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    plant(records)
    file = folder / "planted.jsonl"
    file.write_text("\n".join([header, *map(json.dumps, records)]) + "\n", "utf-8")
    return read_tape(file)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_each_planted_deviation_is_listed_and_no_other(twilio_call: TapedCall, plant: Plant, tmp_path: Path) -> None:
    """With its kind, its side and what it is."""
    kind, side, detail = PLANTED[plant]
    found = report(planted(twilio_call, plant, tmp_path)).findings
    assert [one for one in found if (one.kind, one.side) == (kind, side) and detail in one.detail], found
    assert {one.kind for one in found} - {kind} <= ALONG.get(plant.__name__, set()), found


def test_all_at_once_are_listed(twilio_call: TapedCall, tmp_path: Path) -> None:
    """None hides another."""
    several = [voice_type, voice_member, phone_type, phone_member, an_error, echo, refused, http_status, lost, bad_key]

    def all_of_them(records: Records) -> None:
        for plant in several:
            plant(records)

    made = report(planted(twilio_call, all_of_them, tmp_path))
    text = "\n".join(told(made))
    for plant in several:
        kind, _, detail = PLANTED[plant]
        assert detail in text
        assert f"{TITLES[kind]}:" in text
    assert "Audio content is already shorter." in text
    assert "the signature is wrong" in text


def test_a_report_of_nothing_says_so(twilio_call: TapedCall) -> None:
    """The facts are told all the same."""
    made = report(read_tape(twilio_call.file))
    text = "\n".join(told(made))
    assert "nothing differs" in text
    assert "end: bot_hung_up by bot" in text
    assert made.facts["caller_audio"] == made.facts["bot_audio"] == "pcmu/8000"
    assert made.facts["first_audio_ms"] > 0


def test_a_call_in_the_newer_names_is_no_other(twilio_call: TapedCall, tmp_path: Path) -> None:
    """The service's events by the names of OpenAI's general availability: nothing differs, with the same facts."""

    def renamed(records: Records) -> None:
        told = list(records)
        records.clear()
        for one in told:
            is_event = (one["side"], one.get("to")) == ("voice", "in") and "type" in one.get("json", {})
            records += [{**one, "json": event} for event in in_ga(one["json"])] if is_event else [one]

    as_taped, made = report(read_tape(twilio_call.file)), report(planted(twilio_call, renamed, tmp_path))
    assert made.findings == []
    assert {**made.facts, "messages": None} == {**as_taped.facts, "messages": None}
    assert any("conversation.item.done" in count for count in made.facts["messages"])


def test_every_kind_of_finding_has_a_title() -> None:
    """Else it would be counted and not told."""
    assert {kind for kind, _, _ in PLANTED.values()} <= set(TITLES)
    assert list(told(Report({}, [])))[-1].startswith("nothing differs")
