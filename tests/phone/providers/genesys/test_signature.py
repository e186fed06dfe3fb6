"""HTTP message signatures: what is covered, the window of time, the memory of nonces."""

import base64
import hmac

import pytest

from gateway.phone.provider import SignatureError
from gateway.phone.providers.genesys.signature import CLOCK_SKEW_S, MAX_AGE_S, Signed, verify

SECRET = b"a shared secret"
NOW_S = 1_700_000_000.0
NONCE = "0123456789abcdefghijkl"
RIGHT = Signed("k", NONCE)


def signed(
    url: str = "wss://gw.example.com/stream/genesys?x=1",
    *,
    authority: str = "gw.example.com",
    target: str = "/stream/genesys?x=1",
    names: tuple[str, ...] = ("@request-target", "@authority", "x-api-key"),
    parameters: str = f';keyid="k";nonce="{NONCE}";alg="hmac-sha256";created=1700000000',
    label: str = "sig1",
) -> tuple[str, dict[str, str]]:
    """A request with its signature, made as the draft says."""
    values = {"@request-target": target, "@authority": authority, "@method": "GET", "x-api-key": "k"}
    covered = "(" + " ".join(f'"{name}"' for name in names) + ")" + parameters
    base = "\n".join([*(f'"{name}": {values.get(name, "")}' for name in names), f'"@signature-params": {covered}'])
    signature = base64.b64encode(hmac.digest(SECRET, base.encode(), "sha256")).decode()
    return url, {"x-api-key": "k", "signature-input": f"{label}={covered}", "signature": f"{label}=:{signature}:"}


def check(request: tuple[str, dict[str, str]], now_s: float = NOW_S) -> Signed:
    url, headers = request
    return verify(url, headers, [SECRET], ("@request-target", "@authority", "x-api-key"), now_s)


def test_a_right_signature_tells_key_and_nonce() -> None:
    """Whatever its label, and with more covered than is required."""
    assert check(signed()) == RIGHT
    assert check(signed(label="genesys", names=("@method", "@request-target", "@authority", "x-api-key"))) == RIGHT


def test_the_default_port_may_be_written() -> None:
    """An authority with and without its port is the same, whichever it is; a port that nobody configured is not."""
    assert check(signed(authority="gw.example.com:443")) == RIGHT
    assert check(signed("wss://gw.example.com:443/stream/genesys?x=1")) == RIGHT
    assert check(signed("wss://GW.example.com:8443/stream/genesys?x=1", authority="gw.example.com:8443")) == RIGHT
    assert check(signed("wss://gw.example.com:8443/stream/genesys?x=1")) == RIGHT
    with pytest.raises(SignatureError, match="wrong"):
        check(signed(authority="gw.example.com:8443"))


def test_the_window_of_time() -> None:
    """Ten seconds of age and three of skew, to either side."""
    assert check(signed(), NOW_S + MAX_AGE_S + CLOCK_SKEW_S) == RIGHT
    assert check(signed(), NOW_S - CLOCK_SKEW_S) == RIGHT
    with pytest.raises(SignatureError, match="too old"):
        check(signed(), NOW_S + MAX_AGE_S + CLOCK_SKEW_S + 1)
    with pytest.raises(SignatureError, match="in the future"):
        check(signed(), NOW_S - CLOCK_SKEW_S - 1)
    short = signed(parameters=f';keyid="k";nonce="{NONCE}";created=1700000000;expires=1700000001')
    assert check(short, NOW_S + 1 + CLOCK_SKEW_S) == RIGHT
    with pytest.raises(SignatureError, match="too old"):
        check(short, NOW_S + 2 + CLOCK_SKEW_S)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (signed(names=("@request-target", "@authority")), "does not cover x-api-key"),
        (signed(names=("@request-target", "@authority", "x-api-key", "x-api-key")), "twice"),
        (signed(names=("@request-target", "@authority", "x-api-key", "x-other")), "which the request has not"),
        (signed(names=("@request-target", "@authority", "x-api-key", "@status")), "which the request has not"),
        (signed(parameters=f';nonce="{NONCE}"'), "not when it was created"),
        (signed(parameters=f';nonce="{NONCE}";created="x"'), "not when it was created"),
        (signed(parameters=f';nonce="{NONCE}";created=1700000000;alg="rsa-v1_5-sha256"'), "alg is not"),
        (signed(parameters=';nonce="short";created=1700000000'), "nonce is missing or shorter"),
        (signed(parameters=";created=1700000000"), "nonce is missing or shorter"),
        (signed(parameters=f';nonce="{NONCE}";created=1700000000;odd'), "malformed"),
        (signed(target="/stream/twilio"), "is wrong"),
        (signed(authority="evil.example.com"), "is wrong"),
        (("wss://gw.example.com/", {}), "missing or malformed"),
        (("wss://gw.example.com/", {"signature-input": signed()[1]["signature-input"]}), "missing or malformed"),
        ((signed()[0], {**signed()[1], "signature": signed(label="other")[1]["signature"]}), "missing or malformed"),
    ],
)
def test_what_is_refused(request_: tuple[str, dict[str, str]], says: str) -> None:
    """Each with its reason, for the log."""
    with pytest.raises(SignatureError, match=says):
        check(request_)
