"""The way from a page to the gateway: its address, and the token of a call."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.config import Deployment, load_deployment
from gateway.console.phone.way import PROVIDER, PhoneWay, way_to, way_to_public
from gateway.phone.provider import Grant, SignatureError
from gateway.phone.token import StreamTokens

KEY = "k" * 32
WAY = PhoneWay("http://127.0.0.1:8080", KEY)
READER = StreamTokens(KEY, 3600)


def deployment_of(folder: Path, yaml: str = "{}", **environ: str) -> Deployment:
    """Return a deployment."""
    (folder / "gateway.yaml").write_text(yaml, "utf-8")
    return load_deployment(folder / "gateway.yaml", environ)


def test_a_token_is_for_one_call_of_one_line() -> None:
    """The gateway reads it with the same key, and each call has an id of its own."""
    first, second = WAY.grant("support", time.time()), WAY.grant("support", time.time())
    assert first.call != second.call
    assert READER.read(PROVIDER, first.token, time.time()).grant == Grant("support", first.call)
    with pytest.raises(SignatureError):
        READER.read("twilio", first.token, time.time())


def test_a_token_lives_for_seconds() -> None:
    """A page opens its stream at once; the token has its end in it, whatever tokens of the gateway's own have."""
    now = time.time()
    given = WAY.grant("support", now)
    assert READER.read(PROVIDER, given.token, now + 28).grant == Grant("support", given.call)
    with pytest.raises(SignatureError):
        READER.read(PROVIDER, given.token, now + 32)


def test_the_address_of_a_stream() -> None:
    """Whatever the line is called; behind TLS it is wss."""
    assert WAY.stream_url("a b/c", "t") == "ws://127.0.0.1:8080/stream/browser/a%20b%2Fc/t"
    assert replace(WAY, url="https://gw.example.com").stream_url("a", "t") == "wss://gw.example.com/stream/browser/a/t"


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://[::]:8080", "http://[::1]:8080"),
    ],
)
def test_a_gateway_beside_is_reached_on_this_machine(tmp_path: Path, url: str, reached: str) -> None:
    """Also where it listens on every address."""
    way = way_to(deployment_of(tmp_path, GATEWAY_STREAM_KEY=KEY), url)
    assert way == PhoneWay(reached, KEY)


def test_without_a_key_there_is_no_way(tmp_path: Path) -> None:
    """A gateway could not read the token."""
    assert way_to(deployment_of(tmp_path), "http://127.0.0.1:8080") is None
    assert way_to_public(deployment_of(tmp_path, "public_url: https://gw.example.com\n")) is None


def test_gateways_elsewhere_are_reached_at_their_public_address(tmp_path: Path) -> None:
    """By a console that runs by itself."""
    found = way_to_public(deployment_of(tmp_path, "public_url: https://gw.example.com\n", GATEWAY_STREAM_KEY=KEY))
    assert found == PhoneWay("https://gw.example.com", KEY)
    assert way_to_public(deployment_of(tmp_path, GATEWAY_STREAM_KEY=KEY)) is None
