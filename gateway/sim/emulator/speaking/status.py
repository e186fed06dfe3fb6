"""The status of a response at its end, and its details."""

from gateway.sim.emulator.record import Event

STATUS = {
    "completed": "completed",
    "max_output_tokens": "incomplete",
    "content_filter": "incomplete",
    "failed": "failed",
}
"""The status by the ending of an answer."""


def details(status: str, reason: str | None, code: str = "server_error") -> Event | None:
    """Return the ``status_details`` of a response; ``code`` is that of one that failed."""
    match status:
        case "cancelled" | "incomplete":
            return {"type": status, "reason": reason}
        case "failed":
            message = "The model failed to answer." if reason == "failed" else reason
            error = {"type": code, "code": code, "message": message}
            return {"type": status, "error": error}
    return None
