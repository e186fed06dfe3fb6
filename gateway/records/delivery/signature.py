"""Signs deliveries as Standard Webhooks are signed (specification, "Signature scheme"). Pure."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from gateway.config.records.deliver import signing_key


def signed_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a message, with one signature for each of ``secrets``; ``timestamp`` is in seconds.

    A receiver accepts the message if one of the signatures is right, so that a secret can be replaced.
    """
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signatures = [_signature(signing_key(secret), content) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _signature(key: bytes, content: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
