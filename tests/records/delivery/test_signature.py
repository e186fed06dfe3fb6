"""Signatures, verified with the official package of Standard Webhooks."""

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.records.delivery.signature import signed_headers

SECRET, OLD, OTHER = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in range(3))
BODY = '{"type":"call.ended","word":"Grüße"}'.encode()


def headers(*secrets: str, at: float | None = None) -> dict[str, str]:
    """The headers of the body, signed with these secrets."""
    return signed_headers(secrets, "msg_1", int(time.time() if at is None else at), BODY)


def test_the_official_package_accepts_it() -> None:
    """With the text as it was sent, byte for byte."""
    assert Webhook(SECRET).verify(BODY, headers(SECRET)) == {"type": "call.ended", "word": "Grüße"}


def test_during_a_rotation_both_secrets_are_right() -> None:
    """The new one stands first."""
    signed = headers(SECRET, OLD)
    assert signed["webhook-signature"].count("v1,") == 2
    assert signed["webhook-signature"].split()[0] == headers(SECRET)["webhook-signature"]
    for secret in (SECRET, OLD):
        Webhook(secret).verify(BODY, signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(BODY, signed)


def test_a_secret_without_padding_signs_as_the_package_reads_it() -> None:
    """Generators leave the padding out."""
    bare = SECRET.rstrip("=")
    assert bare != SECRET
    Webhook(bare).verify(BODY, headers(bare))
    assert headers(bare)["webhook-signature"] == headers(SECRET)["webhook-signature"]


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_id_and_time_are_signed_too(name: str) -> None:
    """A message cannot be sent again under another id or at another time."""
    signed = headers(SECRET)
    signed[name] = "msg_2" if name == "webhook-id" else str(int(time.time()) + 5)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, signed)
