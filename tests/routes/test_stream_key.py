"""Who may open a stream."""

import time

import pytest

from gateway.config.providers import Twilio as Settings
from gateway.phone.provider import Grant, Provider, SignatureError, Upgrade
from gateway.phone.token import StreamTokens
from gateway.phone.twilio import Twilio
from gateway.routes.stream_key import StreamKeys

UPGRADE = Upgrade("wss://gw.example.com/stream/twilio")
TWILIO: Provider = Twilio(Settings())
TOKENS = StreamTokens("key", 60)
GRANT = Grant("support", "CA1", "+1", "+2")


class Proven(Twilio):
    """A provider whose streams prove themselves."""

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> bool:
        return True


def keys(*, required: bool = True, secret: str = "") -> StreamKeys:
    return StreamKeys(TOKENS, {"twilio": (secret,)} if secret else {}, required=required)


def test_a_token_opens_its_call() -> None:
    """The token says whose stream it is."""
    token = TOKENS.issue("twilio", GRANT, time.time())
    assert keys().authorize(TWILIO, UPGRADE, "support", token) == GRANT


def test_a_token_for_another_line_opens_nothing() -> None:
    """The line in the path is the token's."""
    token = TOKENS.issue("twilio", GRANT, time.time())
    with pytest.raises(SignatureError, match="line support"):
        keys().authorize(TWILIO, UPGRADE, "restaurant", token)


@pytest.mark.parametrize("token", ["", "guessed"])
def test_without_a_key_nothing_opens(token: str) -> None:
    """Neither nothing nor a guess is a key."""
    with pytest.raises(SignatureError):
        keys().authorize(TWILIO, UPGRADE, "support", token)


def test_the_providers_secret_opens_a_static_stream() -> None:
    """A dialplan or a static document has the secret in its path, and may leave the line to the called number."""
    static = keys(secret="s3cret")
    assert static.authorize(TWILIO, UPGRADE, "support", "s3cret") == Grant("support")
    assert static.authorize(TWILIO, UPGRADE, "-", "s3cret") == Grant()
    with pytest.raises(SignatureError):
        static.authorize(TWILIO, UPGRADE, "support", "s3cre")


def test_a_provider_that_signs_its_streams_needs_no_token() -> None:
    """The signature of the stream's own request is a key."""
    assert keys().authorize(Proven(Settings()), UPGRADE, "support", "") == Grant("support")


def test_off_is_open() -> None:
    """Without a required key the path names the line, and a wrong token is still refused."""
    assert keys(required=False).authorize(TWILIO, UPGRADE, "", "") == Grant()
    with pytest.raises(SignatureError):
        keys(required=False).authorize(TWILIO, UPGRADE, "", "guessed")
