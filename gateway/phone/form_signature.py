"""The signature of Twilio's webhooks and of those who took it over: HMAC-SHA1 over the URL and the form. Pure.

Source: Twilio, Security (docs/usage/webhooks/webhooks-security).
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from gateway.phone.http_request import same
from gateway.phone.provider import SignatureError, WebhookRequest

Form = Sequence[tuple[str, str]]


def check(request: WebhookRequest, given: str, secret: str, header: str, *, as_sent: bool = False) -> None:
    """Raise ``SignatureError`` unless ``given`` signs the request; a body that is no form by its hash in the URL.

    The values of a repeated field are signed once each and sorted, or, for ``as_sent``, each as it came.
    """
    body_hash = dict(parse_qsl(urlsplit(request.url).query)).get("bodySHA256")
    if body_hash is not None and not same(body_hash.lower(), hashlib.sha256(request.body).hexdigest()):
        raise SignatureError("bodySHA256 does not match the body")
    if not is_signed(given, request.url, request.form, secret, as_sent=as_sent):
        raise SignatureError(f"{header} is missing or wrong")


def is_signed(given: str, url: str, form: Form, secret: str, *, as_sent: bool = False) -> bool:
    """Whether ``given`` is the HMAC-SHA1 over URL and form, the URL with or without its default port.

    Twilio's own libraries accept both (RequestValidator).
    """
    text = _as_sent(form) if as_sent else _once_and_sorted(form)
    signatures = (_sign(url + text, secret) for url in _with_and_without_port(url))
    return any(same(given, signature) for signature in signatures)


def _once_and_sorted(form: Form) -> str:
    fields: dict[str, set[str]] = {}
    for key, value in form:
        fields.setdefault(key, set()).add(value)
    return "".join(key + value for key in sorted(fields) for value in sorted(fields[key]))


def _as_sent(form: Form) -> str:
    return "".join(key + value for key, value in sorted(form, key=lambda field: field[0]))


def _sign(text: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "surrogateescape"), "sha1")).decode()


def _with_and_without_port(url: str) -> list[str]:
    parts = urlsplit(url)
    default = {"https": 443, "wss": 443, "http": 80, "ws": 80}.get(parts.scheme)
    host, _, port = parts.netloc.rpartition(":") if parts.port else (parts.netloc, "", "")
    variants = [url]
    if not port:
        variants.append(urlunsplit(parts._replace(netloc=f"{parts.netloc}:{default}")))
    elif int(port) == default:
        variants.append(urlunsplit(parts._replace(netloc=host)))
    return variants
