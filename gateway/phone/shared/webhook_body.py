"""Reads the bodies of webhooks. Pure."""

from gateway.errors import WireError
from gateway.phone.shared.json_text import UNREADABLE, read_object
from gateway.phone.shared.members import Members
from gateway.phone.webhook import WebhookRequest


def json_body(request: WebhookRequest) -> Members:
    """Return the members of a webhook's JSON object. Raises ``WireError`` where the body is none."""
    try:
        return Members(read_object(request.body), "webhook", [])
    except UNREADABLE as error:
        raise WireError(f"the webhook's body is not a JSON object: {error}") from None
