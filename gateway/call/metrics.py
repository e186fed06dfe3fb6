"""What is measured of calls, as Prometheus metrics. An observer of every call's record."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.call.ending import EndCall
from gateway.call.record import CallIdentity, TimedNote

_LATENCY_BUCKETS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_SHORT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
_DURATION_BUCKETS = (5, 15, 30, 60, 120, 300, 600, 1800, 3600)

KNOWN_ERRORS = frozenset(
    {
        "conversation_already_has_active_response",
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_already_truncated",
        "item_truncate_invalid_item_id",
        "invalid_value",
        "rate_limit_exceeded",
        "session_expired",
        "message_creation_failed",
    }
)
"""Codes that are counted by name; a label that a peer could choose would grow without bound."""


class Metrics:
    """The metrics of one process, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.calls = Gauge("gateway_calls", "Calls in progress.", multiprocess_mode="livesum", registry=r)
        self.calls_started = Counter("gateway_calls_started", "Calls begun.", ["provider", "line"], registry=r)
        self.calls_refused = Counter("gateway_calls_refused", "Streams turned away.", ["reason"], registry=r)
        self.call_ends = Counter("gateway_call_ends", "Calls ended.", ["reason", "by"], registry=r)
        self.call_duration = Histogram(
            "gateway_call_duration_seconds", "From start message to end.", buckets=_DURATION_BUCKETS, registry=r
        )
        self.session_setup = Histogram(
            "gateway_voice_session_setup_seconds",
            "From the call's start to an accepted session.",
            buckets=_LATENCY_BUCKETS,
            registry=r,
        )
        self.turn_latency = Histogram(
            "gateway_turn_latency_seconds",
            "From the service's end of the caller's turn to the first audio of the reply sent to the phone.",
            buckets=_LATENCY_BUCKETS,
            registry=r,
        )
        self.barge_in_stop = Histogram(
            "gateway_barge_in_stop_seconds",
            "From the service's word that the caller speaks to the stop sent to the phone.",
            buckets=_SHORT_BUCKETS,
            registry=r,
        )
        self.barge_ins = Counter("gateway_barge_ins", "Replies that the caller spoke over.", registry=r)
        self.event_loop_lag = Histogram(
            "gateway_event_loop_lag_seconds", "How late a timer runs.", buckets=_SHORT_BUCKETS, registry=r
        )
        self.frames_late = Counter(
            "gateway_frames_late", "Frames sent to a phone after their moment by our own lateness.", registry=r
        )
        self.messages_odd = Counter(
            "gateway_messages_odd", "Messages that were unknown or malformed.", ["leg", "kind"], registry=r
        )
        self.tool_calls = Counter("gateway_tool_calls", "Tools that ran.", ["tool", "outcome"], registry=r)
        self.tool_duration = Histogram(
            "gateway_tool_duration_seconds", "How long tools took.", buckets=_LATENCY_BUCKETS, registry=r
        )
        self.transfers = Counter("gateway_transfers", "Transfers asked for.", ["outcome"], registry=r)
        self.service_errors = Counter("gateway_service_errors", "Error events of Voice Live.", ["code"], registry=r)

    def observe(self, identity: CallIdentity, note: TimedNote) -> None:  # noqa: C901 -- one case a kind of note
        """Count a note of a call's record."""
        fields = note.fields
        match note.kind:
            case "call_started":
                self.calls_started.labels(identity.provider, identity.line).inc()
            case "session_ready":
                self.session_setup.observe(note.at - identity.started_at)
            case "reply_started":
                latency_ms = fields["latency_ms"]
                if isinstance(latency_ms, int):
                    self.turn_latency.observe(latency_ms / 1000)
            case "barge_in":
                self.barge_ins.inc()
            case "playback_stopped":
                after_ms = fields["after_ms"]
                if isinstance(after_ms, float):
                    self.barge_in_stop.observe(after_ms / 1000)
            case "tool_returned":
                self._tool_returned(str(fields["tool"]), fields)
            case "mcp_returned":  # what tools a server has is not for it to put into labels
                self._tool_returned(f"mcp:{fields['server']}", fields)
            case "transferred" | "transfer_failed":
                self.transfers.labels("ok" if note.kind == "transferred" else "failed").inc()
            case "unknown_message" | "malformed_message":
                self.messages_odd.labels(fields["leg"], note.kind.partition("_")[0]).inc()
            case "service_error":
                self.service_errors.labels(fields["code"] if fields["code"] in KNOWN_ERRORS else "other").inc()

    def _tool_returned(self, tool: str, fields: Mapping[str, object]) -> None:
        self.tool_calls.labels(tool, fields["outcome"]).inc()
        took_ms = fields["took_ms"]
        if isinstance(took_ms, int):
            self.tool_duration.observe(took_ms / 1000)

    def ended(self, identity: CallIdentity, end: EndCall, at: float, late_frames: int) -> None:
        """Count a call that has ended."""
        self.call_ends.labels(end.reason.value, end.by).inc()
        self.frames_late.inc(late_frames)
        self.call_duration.observe(at - identity.started_at)
