"""Findings about keys, tools, transfers, the line's file, and messages that broke a protocol. Pure."""

from collections.abc import Iterator

from gateway.records.explain.case import Case, counted, seconds
from gateway.records.explain.kinds import made
from gateway.records.explain.waits import tool_runs
from gateway.report.explanation import Finding


def keys(case: Case) -> Iterator[Finding]:
    """Find keys that mean nothing, and entries that came to nothing."""
    ignored = case.log.all("digit_ignored")
    if ignored:
        pressed = ", ".join(sorted({event.text("digit") for event in ignored}))
        detail = f"{counted(len(ignored), 'key')}: {pressed}"
        yield made("key_ignored", 50 + min(len(ignored), 8), detail, [event.at_ms for event in ignored])
    entries = [event for event in case.log.all("secure_entry_ended") if event.text("outcome") == "nothing"]
    if entries:
        asked = ", ".join(sorted({event.text("parameter") for event in entries}))
        yield made("entry_abandoned", 48, asked, [event.at_ms for event in entries])


def tools(case: Case) -> Iterator[Finding]:
    """Find runs of tools that did not end well."""
    failed = [
        (name, end)
        for _, end, name in tool_runs(case.log)
        if end is not None and end.text("outcome") in ("error", "timeout", "refused")
    ]
    if failed:
        detail = ", ".join(
            f"{name}: {end.text('outcome')} after {seconds(end.ms('took_ms'))}" for name, end in failed[:5]
        )
        yield made("tool_failed", 60, detail, [end.at_ms for _, end in failed])


def transfers(case: Case) -> Iterator[Finding]:
    """Find transfers that the provider did not carry out, and those that were called off and did not come later."""
    failed = case.log.all("transfer_failed")
    if failed:
        last = failed[-1]
        detail = f"to {last.text('target')}: {last.text('detail')}"
        yield made("transfer_refused", 85, detail, [event.at_ms for event in failed])
    called_off = [
        event
        for event in case.log.all("hang_up_cancelled")
        if event.text("target") and case.log.after(event, "transfer_started") is None
    ]
    if called_off:
        last = called_off[-1]
        is_key = any(event.text("asked_by") == "key" for event in called_off)
        detail = f"to {last.text('target')}, which {'a key' if is_key else 'the model'} had asked for"
        yield made("transfer_called_off", 66 if is_key else 46, detail, [event.at_ms for event in called_off])


def line_files(case: Case) -> Iterator[Finding]:
    """Find a line whose newest file was not used."""
    started = case.log.first("call_started")
    error = started.text("line_error") if started is not None else ""
    if started is not None and error:
        yield made("line_file", 63, f"the call used generation {started.text('generation')}; {error}", [0])


def broken_messages(case: Case) -> Iterator[Finding]:
    """Find messages that broke a protocol, the provider's or the service's."""
    found = case.log.all("malformed_message")
    if found:
        legs = ", ".join(sorted({event.text("leg") for event in found}))
        yield made("malformed", 32, f"{counted(len(found), 'message')} of the {legs} leg", [one.at_ms for one in found])
