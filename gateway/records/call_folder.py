"""Reads the record of a simulated call from its folder: ``call.json`` and ``events.jsonl``."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from gateway.call.notes import Note
from gateway.call.record import CallIdentity
from gateway.errors import InputError
from gateway.records.call_rows import CallRows, Priced
from gateway.records.rows import CallRow, EventRow, RecordingRow, Row, ToolCallRow, TransferRow, TurnRow
from gateway.records.stored_call import StoredCall, stored_call

SUMMARY, EVENTS, SOUND = "call.json", "events.jsonl", "call.wav"
KINDS: Mapping[str, type[Note]] = {kind.event: kind for kind in Note.__subclasses__()}


def is_folder(name: str) -> bool:
    """Return ``True`` if a text is the path of a call's folder."""
    return (Path(name) / SUMMARY).is_file()


def read_folder(folder: Path, priced: Priced | None = None) -> StoredCall:
    """Return the record of the call in ``folder``: that of the gateway, else what the phone knows.

    ``priced`` adds the cost. Raises ``InputError`` for a folder that is not one of a call.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_text("utf-8"))
        lines = (folder / EVENTS).read_text("utf-8").splitlines()
        events = [event for event in map(json.loads, lines) if event["source"] == "gateway"]
        rows = list(
            _gateway_rows(summary, events, priced) if "gateway_started_ms" in summary else _phone_rows(summary, events)
        )
    except OSError as error:
        raise InputError(f"{folder}: is no folder of a call: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}: the call in it cannot be read: {error}") from error
    call = stored_call(rows)
    if not (folder / SOUND).exists():
        return call
    seconds = (summary.get("duration_ms") or 0) / 1000
    url = str((folder / SOUND).absolute())
    recording = RecordingRow(call_key=call.call.call_key, url=url, format="wav", seconds=seconds)
    return msgspec.structs.replace(call, recordings=(recording,))


def _gateway_rows(summary: Mapping[str, Any], events: list[dict[str, Any]], priced: Priced | None) -> Iterator[Row]:
    """Make the rows from the gateway's notes, as the record of a real call is made."""
    begun_ms = float(summary["gateway_started_ms"])
    first = next((event for event in events if event["kind"] == "call_started"), {})
    identity = CallIdentity(
        call_id=summary["call_id"],
        provider=summary["provider"],
        line=summary.get("line", ""),
        caller=first.get("caller", summary["caller"]),
        called=first.get("called", summary["called"]),
        audio_format=summary.get("audio_format", ""),
        started_at=0.0,
    )
    started = datetime.fromisoformat(summary["started"]) + timedelta(milliseconds=begun_ms)
    rows = CallRows(identity, started, key=summary["call_id"], priced=priced)
    yield rows.call
    for event in events:
        note = msgspec.convert(_fields(event), KINDS[event["kind"]])
        yield from rows.add_at(round(event["at_ms"] - begun_ms, 1), note)


def _phone_rows(summary: Mapping[str, Any], events: list[dict[str, Any]]) -> Iterator[Row]:
    """Make the rows from the summary, for a call to a gateway elsewhere."""
    key, ended = summary["call_id"], summary.get("ended") or {}
    account = ended.get("gateway") or {}
    duration_s = (summary.get("duration_ms") or 0) / 1000
    started = datetime.fromisoformat(summary["started"])
    yield CallRow(
        call_key=key,
        call_id=key,
        provider=summary.get("provider", ""),
        line=summary.get("line", ""),
        generation=summary.get("generation", ""),
        caller=summary["caller"],
        called=summary["called"],
        audio_format=summary.get("audio_format", ""),
        started=started,
        ended=started + timedelta(seconds=duration_s),
        state="ended",
        reason=account.get("reason") or ended.get("reason", ""),
        by=account.get("by") or ended.get("by", ""),
        detail=account.get("detail", ""),
        duration_s=duration_s,
        turns=sum(turn["speaker"] == "bot" for turn in summary.get("turns", ())),
    )
    for n, turn in enumerate(summary.get("turns", ())):
        yield TurnRow(
            call_key=key,
            n=n,
            who=turn["speaker"],
            item_id=turn["item_id"],
            started_ms=turn["start_ms"],
            ended_ms=turn["end_ms"],
            words=turn["text"],
            unheard=turn["unheard"],
            latency_ms=turn["answered_after_ms"],
            heard_ms=turn["heard_ms"],
            received_ms=turn["generated_ms"],
            interrupted=turn["interrupted"],
        )
    yield from _acts(summary, key)
    for n, event in enumerate(events):
        yield EventRow(call_key=key, n=n, at_ms=event["at_ms"], kind=event["kind"], fields=_fields(event))


def _acts(summary: Mapping[str, Any], key: str) -> Iterator[Row]:
    """Make the rows of tools and transfers."""
    for n, run in enumerate(summary.get("tools", ())):
        at_ms, took_ms = run["at_ms"], run["took_ms"]
        ended_ms = None if took_ms is None else at_ms + took_ms
        outcome = run["outcome"] or ""
        yield ToolCallRow(
            call_key=key,
            n=n,
            tool=run["name"],
            server=run["server"],
            started_ms=at_ms,
            ended_ms=ended_ms,
            took_ms=took_ms,
            outcome=outcome,
        )
    for n, one in enumerate(summary.get("transfers", ())):
        yield TransferRow(
            call_key=key,
            n=n,
            target=one["target"],
            outcome=one["outcome"],
            started_ms=one["at_ms"],
            detail=one["detail"],
        )


def _fields(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("at_ms", "source", "kind")}
