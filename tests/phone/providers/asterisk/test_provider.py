"""Asterisk as a provider: a stream with credentials, and nothing else."""

import base64

import pytest
from pydantic import SecretStr

from gateway.config import providers as settings
from gateway.phone.provider import Proof, SignatureError, Upgrade
from gateway.phone.providers.asterisk.provider import Asterisk
from tests.phone.parts import setup

asterisk = Asterisk(settings.Asterisk(stream_secret=SecretStr("s:3cret")), setup("asterisk"))
bare = Asterisk(settings.Asterisk(), setup("asterisk"))


def credentials(text: bytes) -> Upgrade:
    return Upgrade("wss://gw/s", {}, {"authorization": f"Basic {base64.b64encode(text).decode()}"})


def test_the_sub_protocol() -> None:
    """Asterisk hangs up where it is not accepted."""
    assert asterisk.subprotocols == ("media",)


@pytest.mark.parametrize("user", [b"gw", b"", "ü".encode()])
def test_any_user_with_the_password(user: bytes) -> None:
    """The credentials of websocket_client.conf open the stream without a token."""
    assert asterisk.verify_upgrade(credentials(user + b":s:3cret"), 0.0) is Proof.STREAM


@pytest.mark.parametrize("password", [b"", b"s:3creT", b"s:3 cret", b"3cret", b"\xff"])
def test_a_wrong_password_is_refused(password: bytes) -> None:
    """Even where a secret in the path would follow."""
    with pytest.raises(SignatureError):
        asterisk.verify_upgrade(credentials(b"gw:" + password), 0.0)


@pytest.mark.parametrize("given_", ["Basic", "Basic é\udc80", "Bearer s:3cret"])
def test_broken_credentials_are_refused(given_: str) -> None:
    """So is anything else in their place."""
    with pytest.raises(SignatureError):
        asterisk.verify_upgrade(Upgrade("", {}, {"authorization": given_}), 0.0)


def test_without_credentials_nothing_is_proven() -> None:
    """Neither where they are missing nor where none are configured: not even empty ones."""
    assert asterisk.verify_upgrade(Upgrade("wss://gw/s"), 0.0) is Proof.NONE
    assert bare.verify_upgrade(credentials(b"gw:"), 0.0) is Proof.NONE


def test_there_is_no_webhook() -> None:
    """The dialplan opens the stream."""
    assert asterisk.webhooks is None


def test_there_is_no_call_control_by_http() -> None:
    """The stream's own word hangs up; the rest is the dialplan's."""
    assert asterisk.commands is None
