"""The log's events of a call's notes."""

import pytest
from structlog.testing import capture_logs

from gateway.call import notes
from gateway.call.ending import EndReason
from gateway.call.notes import Note
from gateway.call.record import CallIdentity, TimedNote
from gateway.routes.noting.call_log import CallLog


@pytest.mark.parametrize(
    ("note", "level"),
    [
        (notes.ToolReturned("status", "c", "ok", 1), "info"),
        (notes.ToolReturned("status", "c", "timeout", 1), "warning"),
        (notes.McpReturned("crm", "any", "m", "ok", 1), "info"),
        (notes.McpReturned("crm", "any", "m", "error", 1), "warning"),
        (notes.McpListed("crm", "error"), "warning"),
        (notes.TransferFailed("desk", "busy"), "warning"),
        (notes.CallEnded(EndReason.FAULT, "gateway", "", "twilio", 1.0, turns=0), "error"),
        (notes.CallEnded(EndReason.STREAM_LOST, "provider", "", "twilio", 1.0, turns=0), "warning"),
        (notes.CallEnded(EndReason.BOT_HUNG_UP, "bot", "", "twilio", 1.0, turns=0), "info"),
        (notes.ReplyHeard("r", 1, 1, "Hello."), "info"),
        (notes.ReplySaid("r", "Hello."), "debug"),
    ],
)
def test_what_failed_is_no_information(note: Note, level: str) -> None:
    """A search for warnings and errors finds all that went wrong in a call."""
    with capture_logs() as logs:
        CallLog().observe(CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 0.0), TimedNote(1.0, note))
    assert logs == [{"event": note.event, "log_level": level, **note.fields()}]
