"""Browser as a provider: a token or a secret in the path proves its streams, and nothing else."""

from gateway.config import providers as settings
from gateway.phone.providers.browser.provider import Browser
from tests.phone.parts import setup

browser = Browser(settings.Browser(), setup("browser"))


def test_nothing_in_a_request_proves_a_stream() -> None:
    """A page cannot set headers of its WebSocket: only what the console put into the path counts."""
    assert browser.verify_upgrade is None
    assert browser.verify_start is None


def test_there_is_no_webhook_and_no_api() -> None:
    """The console gives the token, and the stream carries every command."""
    assert browser.webhooks is None
    assert browser.commands is None


def test_its_streams_are_refused_without_a_secret() -> None:
    """The checks of a configuration report it for a section in the file."""
    assert settings.Browser.proofs == ("stream_secret",)
