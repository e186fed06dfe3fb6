"""Sends the notes of a call to the page that carries its stream, where a provider is one: words, tools, latencies."""

from collections.abc import Callable, Mapping

from gateway.call.ending import EndCall
from gateway.call.record import CallIdentity, TimedNote
from gateway.phone.leg import PhoneLeg
from gateway.phone.provider import Provider, ShowNote
from gateway.report.actions import action_text
from gateway.report.ends import sentence_of

SHOWN: Mapping[str, tuple[str, ...]] = {
    "call_started": ("generation", "line_error"),
    "session_ready": ("model",),
    "session_lost": (),
    "session_recovered": ("after_ms",),
    "session_not_recovered": (),
    "answer_overdue": (),
    "caller_spoke": ("item_id", "over_reply"),
    "caller_paused": ("item_id",),
    "caller_partly_said": ("item_id", "text"),
    "caller_said": ("item_id", "text"),
    "transcription_failed": ("item_id",),
    "speech_ignored": ("item_id", "reason"),
    "reply_started": ("item_id", "latency_ms"),
    "reply_played": ("item_id", "heard_after_ms"),
    "reply_said": ("item_id", "text"),
    "reply_heard": ("item_id", "heard_ms", "received_ms", "text", "unheard"),
    "barge_in": ("replies",),
    "playback_stopped": ("after_ms",),
    "silence_prompt": ("count",),
    "response_cut_short": ("status",),
    "tool_called": ("tool", "call_id"),
    "tool_returned": ("tool", "call_id", "outcome", "took_ms"),
    "mcp_called": ("server", "tool", "item_id"),
    "mcp_returned": ("server", "tool", "item_id", "outcome", "took_ms"),
    "approval_asked": (),
    "approval_given": (),
    "digit_pressed": ("digit",),
    "digit_ignored": ("digit",),
    "digits_entered": ("digits",),
    "digits_sent": (),
    "secure_entry_started": ("parameter",),
    "secure_entry_ended": ("parameter", "outcome"),
    "recording_started": (),
    "recording_paused": (),
    "recording_continued": (),
    "recording_stopped": (),
    "transfer_started": ("target",),
    "transfer_failed": ("target",),
    "transferred": ("target",),
    "hang_up_cancelled": ("target",),
    "closed_line": (),
}
"""The notes that are shown, each with the fields that go with it. What else a note has stays here."""
ENDED = "call_ended"


class ShownNotes:
    """Shows the notes of one call. ``write`` sends a message; ``clock`` is the call's, in seconds."""

    def __init__(
        self, show: ShowNote, write: Callable[[str], None], started_at: float, clock: Callable[[], float]
    ) -> None:
        self._show = show
        self._write = write
        self._started_at = started_at
        self._clock = clock

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:
        """Send a note, with the words that a report has for it."""
        names = SHOWN.get(note.note.event)
        if names is None:
            return
        fields = note.note.fields()
        act = action_text(note.note.event, fields)
        told = {name: fields[name] for name in names}
        self._send(note.note.event, note.at, told | ({"act": act[1], "who": act[0]} if act else {}))

    def ended(self, end: EndCall) -> None:
        """Send the end, which comes while the stream is still open."""
        reason = end.reason.value
        self._send(ENDED, self._clock(), {"reason": reason, "by": end.by, "sentence": sentence_of(reason, end.by)})

    def _send(self, event: str, at: float, fields: Mapping[str, object]) -> None:
        self._write(self._show(event, round((at - self._started_at) * 1000), fields))


def shown_by(
    provider: Provider, phone: PhoneLeg, identity: CallIdentity, clock: Callable[[], float]
) -> ShownNotes | None:
    """Return what shows the notes of a call at the other end of its stream; ``None`` where no page is there."""
    show = provider.show_note
    return None if show is None else ShownNotes(show, phone.write, identity.started_at, clock)
