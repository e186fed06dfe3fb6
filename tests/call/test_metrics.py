"""A call's notes as numbers."""

import pytest

from gateway.call import notes
from gateway.call.ending import EndCall, EndReason
from gateway.call.metrics import Metrics
from gateway.call.record import CallIdentity, TimedNote

CALL = CallIdentity("CA1", "twilio", "support", "+1", "+2", "pcmu/8000", 10.0)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """A sample."""
    return metrics.registry.get_sample_value(name, labels)


def test_a_call_from_start_to_end() -> None:
    """Begun by provider and line, set up, ended by reason, with its duration and its late frames."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(10.0, notes.CallStarted("", "", "1")))
    metrics.observe(CALL, TimedNote(10.25, notes.SessionReady("s", "m")))
    metrics.ended(CALL, EndCall(EndReason.SILENCE, "caller"), 70.0, late_frames=3)
    assert value(metrics, "gateway_calls_started_total", provider="twilio", line="support") == 1
    assert value(metrics, "gateway_voice_session_setup_seconds_sum") == 0.25
    assert value(metrics, "gateway_call_ends_total", reason="silence", by="caller", line="support") == 1
    assert value(metrics, "gateway_call_duration_seconds_sum") == 60
    assert value(metrics, "gateway_frames_late_total") == 3


def test_lost_marks_by_provider() -> None:
    """The series is there from the start."""
    metrics = Metrics(["twilio", "exotel"])
    assert value(metrics, "gateway_marks_lost_total", provider="exotel") == 0
    metrics.ended(CALL, EndCall(EndReason.SILENCE, "caller"), 70.0, late_frames=0, marks_lost=5)
    assert value(metrics, "gateway_marks_lost_total", provider="twilio") == 5
    assert value(metrics, "gateway_marks_lost_total", provider="exotel") == 0


def test_latency_is_that_of_answers() -> None:
    """A greeting answers nothing."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.ReplyStarted("i", None)))
    metrics.observe(CALL, TimedNote(2.0, notes.ReplyStarted("i", 640)))
    assert value(metrics, "gateway_turn_latency_seconds_count", line="support") == 1
    assert value(metrics, "gateway_turn_latency_seconds_sum", line="support") == 0.64


def test_barge_ins_and_how_fast_the_bot_fell_silent() -> None:
    """Two notes: that it happened, and when the stop was written."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.BargeIn([], response_cancelled=True)))
    metrics.observe(CALL, TimedNote(1.0, notes.PlaybackStopped(0.5)))
    assert value(metrics, "gateway_barge_ins_total") == 1
    assert value(metrics, "gateway_barge_in_stop_seconds_sum") == 0.0005


def test_odd_messages_and_errors_by_kind() -> None:
    """What a peer sent that nobody knows, broke, or refused."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.UnknownMessage("voice", "new.event")))
    metrics.observe(CALL, TimedNote(1.0, notes.MalformedMessage("phone", "…")))
    metrics.observe(CALL, TimedNote(1.0, notes.OddMessage("phone", "…")))
    metrics.observe(CALL, TimedNote(1.0, notes.ServiceError("invalid_value", "…")))
    metrics.observe(CALL, TimedNote(1.0, notes.ServiceError("", "…")))
    metrics.observe(CALL, TimedNote(1.0, notes.TranscriptionFailed("u", "x", "…")))
    assert value(metrics, "gateway_messages_odd_total", leg="voice", kind="unknown") == 1
    assert value(metrics, "gateway_messages_odd_total", leg="phone", kind="malformed") == 1
    assert value(metrics, "gateway_messages_odd_total", leg="phone", kind="odd") == 1
    assert value(metrics, "gateway_service_errors_total", code="invalid_value") == 1
    assert value(metrics, "gateway_service_errors_total", code="other") == 1
    assert value(metrics, "gateway_transcriptions_failed_total") == 1


def test_tools_by_name_and_outcome() -> None:
    """Functions by their names in the line, MCP calls by their server; how long both took."""
    metrics = Metrics()
    metrics.know_line("support", ["status", "mcp:crm"])
    metrics.observe(CALL, TimedNote(1.0, notes.ToolReturned("status", "c", "ok", 250)))
    metrics.observe(CALL, TimedNote(2.0, notes.McpReturned("crm", "any", "m", "timeout", 750)))
    assert value(metrics, "gateway_tool_calls_total", tool="status", outcome="ok") == 1
    assert value(metrics, "gateway_tool_calls_total", tool="mcp:crm", outcome="timeout") == 1
    assert value(metrics, "gateway_tool_duration_seconds_sum") == 1.0


def test_a_tool_that_no_line_has_makes_no_series() -> None:
    """A label that the model could choose would grow without bound."""
    metrics = Metrics()
    for name in ("made_up", "made_up_too"):
        metrics.observe(CALL, TimedNote(1.0, notes.ToolReturned(name, "c", "error", 1)))
    assert value(metrics, "gateway_tool_calls_total", tool="other", outcome="error") == 2
    assert value(metrics, "gateway_tool_calls_total", tool="made_up", outcome="error") is None


def test_a_line_that_is_known_again_keeps_its_counts() -> None:
    """Its file was changed; its calls were not."""
    metrics = Metrics(["twilio"])
    metrics.know_line("support")
    metrics.observe(CALL, TimedNote(10.0, notes.CallStarted("", "", "1")))
    metrics.know_line("support", ["status"])
    assert value(metrics, "gateway_calls_started_total", provider="twilio", line="support") == 1


def test_transfers_by_outcome() -> None:
    """Those that came about, and those that did not."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.Transferred("desk")))
    metrics.observe(CALL, TimedNote(1.0, notes.TransferFailed("desk", "…")))
    assert value(metrics, "gateway_transfers_total", outcome="ok") == 1
    assert value(metrics, "gateway_transfers_total", outcome="failed") == 1


def test_two_processes_in_one_do_not_share() -> None:
    """Each set of metrics has its own registry."""
    first, second = Metrics(), Metrics()
    first.calls.inc()
    assert (value(first, "gateway_calls"), value(second, "gateway_calls")) == (1, 0)


def test_lost_sessions_and_the_silence_that_was_covered() -> None:
    """By cause and outcome; what covered a silence counts whether or not the call went on."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.SessionRecovered("lost", 2500, 2, 1500, "s", "m", 4)))
    metrics.observe(CALL, TimedNote(9.0, notes.SessionNotRecovered("lost", 8000, 5, 500, "refused")))
    assert value(metrics, "gateway_sessions_lost_total", cause="lost", outcome="recovered") == 1
    assert value(metrics, "gateway_sessions_lost_total", cause="lost", outcome="not_recovered") == 1
    assert value(metrics, "gateway_session_recovery_seconds_sum") == 2.5
    assert value(metrics, "gateway_silence_covered_seconds_total") == 2


@pytest.mark.parametrize(("forced", "moment"), [(True, "forced"), (False, "pause")])
def test_sessions_that_took_over(forced: bool, moment: str) -> None:
    """In a pause, or although somebody spoke."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.SessionRolledOver("s", "m", 4, forced)))
    assert value(metrics, "gateway_session_roll_overs_total", moment=moment) == 1


def test_speech_that_led_to_nothing() -> None:
    """Ignored for a reason, not reported by the service, or not answered in time."""
    metrics = Metrics()
    metrics.observe(CALL, TimedNote(1.0, notes.SpeechIgnored("i", "short")))
    metrics.observe(CALL, TimedNote(2.0, notes.SpeechUnreported()))
    metrics.observe(CALL, TimedNote(3.0, notes.AnswerOverdue(4000)))
    assert value(metrics, "gateway_speech_ignored_total", reason="short") == 1
    assert value(metrics, "gateway_speech_unreported_total") == 1
    assert value(metrics, "gateway_answers_overdue_total") == 1
