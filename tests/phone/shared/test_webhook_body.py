"""The bodies of webhooks."""

import pytest

from gateway.errors import WireError
from gateway.phone.shared.webhook_body import json_body
from gateway.phone.webhook import WebhookRequest


def posted(body: bytes) -> WebhookRequest:
    return WebhookRequest("POST", "https://gw/answer/x", {}, body=body)


def test_members_of_a_body() -> None:
    """By their names; a number is its text, and what is not there is empty."""
    body = json_body(posted(b'{"call":"c1","n":7}'))
    assert [body.text(name) for name in ("call", "n", "other")] == ["c1", "7", ""]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"a=1", b'{"x":' + b"[" * 100_000])
def test_another_body_is_told(body: bytes) -> None:
    """As what the peer did wrong, never otherwise."""
    with pytest.raises(WireError, match=r"^the webhook's body is not a JSON object: "):
        json_body(posted(body))
