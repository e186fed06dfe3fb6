"""HTTP message signatures with a shared secret, in the form of draft-ietf-httpbis-message-signatures-11. Pure."""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.phone.provider import SignatureError
from gateway.phone.shared.signed_text import signed_text
from gateway.phone.shared.signed_url import authorities

MAX_AGE_S = 10
"""A signature older than this is refused, as by Genesys' reference implementation."""
CLOCK_SKEW_S = 3
"""The largest difference between the two clocks."""
LIFE_S = MAX_AGE_S + 2 * CLOCK_SKEW_S + 1
"""The longest time for which a signature is accepted, from when it was first right."""
MIN_NONCE = 22
"""Characters of a nonce: 16 random bytes in base64."""

_STRING = r'"[\x20\x21\x23-\x5b\x5d-\x7e]*"'
_INPUT = re.compile(
    rf"(?P<label>[a-z*][a-z0-9_.*-]*)=(?P<signed>\((?P<names>{_STRING}(?: {_STRING})*)\)"
    rf"(?P<parameters>(?:;[a-z]+=(?:{_STRING}|[0-9]{{1,15}}))*))"
)
_PARAMETER = re.compile(rf";([a-z]+)=({_STRING}|[0-9]+)")
_SIGNATURE = re.compile(r"(?P<label>[a-z*][a-z0-9_.*-]*)=:(?P<signature>[A-Za-z0-9+/=]+):")


class Signed(Struct, frozen=True):
    """The parameters of a signature that was found right."""

    key_id: str
    nonce: str


def verify(
    url: str, headers: Mapping[str, str], secrets: Sequence[bytes], required: Sequence[str], now_s: float
) -> Signed:
    """Check the one signature of a GET request to ``url``; ``headers`` have their names in lower case.

    Raises ``SignatureError`` where it is missing, malformed, too old, covers less than ``required``, or is wrong. The
    caller must check that a nonce comes once: ``nonce_of``.
    """
    given = _INPUT.fullmatch(headers.get("signature-input", "").strip())
    signature = _SIGNATURE.fullmatch(headers.get("signature", "").strip())
    if given is None or signature is None or given["label"] != signature["label"]:
        raise SignatureError("Signature-Input or Signature is missing or malformed")
    names = [name[1:-1] for name in re.findall(_STRING, given["names"])]
    if len(set(names)) != len(names):
        raise SignatureError("Signature-Input names a component twice")
    if missing := [name for name in required if name not in names]:
        raise SignatureError(f"the signature does not cover {', '.join(missing)}")
    parameters = dict(_PARAMETER.findall(given["parameters"]))
    _check_time(parameters, now_s)
    if parameters.get("alg", '"hmac-sha256"') != '"hmac-sha256"':
        raise SignatureError("the signature's alg is not hmac-sha256")
    nonce = parameters.get("nonce", '""')[1:-1]
    if len(nonce) < MIN_NONCE:
        raise SignatureError(f"the signature's nonce is missing or shorter than {MIN_NONCE} characters")
    components = (_components(url, authority, headers, names) for authority in authorities(url))
    texts = (_text(each, given["signed"]) for each in components)
    if signed_text([signature["signature"]], texts, secrets, _sign) is None:
        raise SignatureError("the signature is wrong")
    return Signed(parameters.get("keyid", '""')[1:-1], nonce)


def nonce_of(headers: Mapping[str, str]) -> str:
    """Return the nonce of a signature that was found right."""
    given = _INPUT.fullmatch(headers.get("signature-input", "").strip())
    parameters: dict[str, str] = dict(_PARAMETER.findall(given["parameters"] if given else ""))
    return parameters.get("nonce", "")


def _text(components: Mapping[str, str], signed: str) -> bytes:
    lines = [f'"{name}": {value}' for name, value in components.items()]
    return "\n".join([*lines, f'"@signature-params": {signed}']).encode("utf-8", "surrogateescape")


def _sign(secret: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, text, "sha256")).decode()


def _check_time(parameters: Mapping[str, str], now_s: float) -> None:
    created, expires = parameters.get("created", ""), parameters.get("expires", "")
    if not created.isdigit() or (expires and not expires.isdigit()):
        raise SignatureError("the signature says not when it was created")
    if int(created) > now_s + CLOCK_SKEW_S:
        raise SignatureError("the signature was created in the future")
    if int(created) + MAX_AGE_S < now_s - CLOCK_SKEW_S or (expires and int(expires) < now_s - CLOCK_SKEW_S):
        raise SignatureError("the signature is too old")


def _components(url: str, authority: str, headers: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the covered components and their values, in the order in which they were signed."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    derived = {"@method": "GET", "@request-target": target, "@authority": authority}
    values: dict[str, str] = {}
    for name in names:
        value = derived.get(name) if name.startswith("@") else headers.get(name)
        if value is None:
            raise SignatureError(f"the signature covers {name}, which the request has not")
        values[name] = value.strip()
    return values
