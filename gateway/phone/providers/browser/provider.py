"""The phone in a browser: the console's page opens the stream, with a token that the console has given it. Pure."""

from collections.abc import Mapping

from gateway.config import providers as settings
from gateway.phone.pointing import ByHand
from gateway.phone.provider import Confirmation, Grant, Provider, Setup, Traits, Upgrade
from gateway.phone.providers.browser.wire import FORMAT, PLAYOUT, BrowserCodec
from gateway.text import json_text

TRAITS = Traits(
    title="Browser",
    formats=(FORMAT,),
    playout=PLAYOUT,
    confirmation=Confirmation.PLAYED_MARKS,
    keys_out="stream",
    hang_up="stream",
    transfer="stream",
    says_after=False,
    transfers_after=False,
    stream_key="token of the console, or secret in the path",
)


class Browser(Provider):
    """The provider Browser: its wire. Nothing but a token or a secret in the path proves its streams."""

    traits = TRAITS
    pointing = ByHand(
        "A browser has no number: choose a line in the console, and press Try. A program of yours opens {stream}, "
        "with stream_secret as one more part of the path."
    )

    def __init__(self, settings: settings.Browser, setup: Setup) -> None:
        self.name = setup.name

    def codec(self, upgrade: Upgrade, grant: Grant) -> BrowserCodec:
        """Return a fresh wire for one stream."""
        return BrowserCodec(grant)

    def show_note(self, name: str, at_ms: int, fields: Mapping[str, object]) -> str:
        """Return the message that shows a note on the page."""
        return json_text({"type": "note", "note": name, "at_ms": at_ms, "fields": fields})


def make(settings: settings.Browser, setup: Setup) -> Browser:
    """Make the provider from its section of ``gateway.yaml``."""
    return Browser(settings, setup)
