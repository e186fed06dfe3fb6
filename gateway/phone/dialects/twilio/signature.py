"""The signature of Twilio's webhooks and of those who took it over: HMAC-SHA1 over the URL and the form. Pure.

Source: Twilio, Security (docs/usage/webhooks/webhooks-security).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl

from gateway.phone.provider import SignatureError
from gateway.phone.shared.http_request import basic_credentials, same
from gateway.phone.shared.signed_text import signed_text
from gateway.phone.shared.signed_url import spellings, with_credentials
from gateway.phone.webhook import WebhookRequest

Form = Sequence[tuple[str, str]]


def check(request: WebhookRequest, given: str, secrets: tuple[str, ...], header: str, *, as_sent: bool = False) -> None:
    """Raise ``SignatureError`` unless ``given`` signs the request; a hash in the URL stands for a body that is no form.

    The values of a repeated field are signed once each and sorted, or, for ``as_sent``, each as it came.
    """
    if not given:
        raise SignatureError(f"{header} is missing")
    urls = _urls(request)
    if not is_signed(given, urls, request.form, secrets, as_sent=as_sent):
        raise SignatureError(f"{header} is wrong")
    if "bodySHA256=" in request.url:
        body_hash = dict(parse_qsl(request.url.partition("?")[2])).get("bodySHA256", "")
        if not same(body_hash.lower(), hashlib.sha256(request.body).hexdigest()):
            raise SignatureError("bodySHA256 does not match the body")


def _urls(request: WebhookRequest) -> Iterator[str]:
    """Yield the URLs that may have been signed. twilio-node signs a URL with its user and password."""
    credentials = basic_credentials(request.headers.get("authorization", ""))
    for url in spellings(request.url, request.headers.get("host", ""), legacy_query=True):
        yield url
        if credentials:
            yield with_credentials(url, *credentials)


def is_signed(given: str, urls: Iterable[str], form: Form, secrets: tuple[str, ...], *, as_sent: bool = False) -> bool:
    """Return whether ``given`` is the HMAC-SHA1 with one of ``secrets`` over one of ``urls`` and the form."""
    fields = (_as_sent(form) if as_sent else _once_and_sorted(form)).encode("utf-8", "surrogateescape")
    texts = (url.encode("utf-8", "surrogateescape") + fields for url in urls)
    return signed_text([given], texts, secrets, _sign) is not None


def _once_and_sorted(form: Form) -> str:
    fields: dict[str, set[str]] = {}
    for key, value in form:
        fields.setdefault(key, set()).add(value)
    return "".join(key + value for key in sorted(fields) for value in sorted(fields[key]))


def _as_sent(form: Form) -> str:
    return "".join(key + value for key, value in sorted(form, key=lambda field: field[0]))


def _sign(secret: str, text: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha1")).decode()
