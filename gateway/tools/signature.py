"""Signs requests as the Standard Webhooks specification says. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac

from gateway.errors import InputError

PREFIX = "whsec_"
"""The prefix of a secret in base64; any other secret is used as it stands."""


def signature_headers(
    secret: str, message_id: str, timestamp_s: int, body: bytes, *, old_secret: str = ""
) -> dict[str, str]:
    """Return the headers that prove ``body``, with a signature for each secret: the specification's way to replace one.

    Raises InputError for a secret that says it is base64 and is not.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp_s, body)
    secrets = (secret, old_secret) if old_secret else (secret,)
    digests = [base64.b64encode(hmac.digest(_key(one), signed, "sha256")).decode() for one in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{digest}" for digest in digests),
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return secret.encode()
    encoded = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise InputError(f"a secret that begins with {PREFIX} is not base64 after it") from None
