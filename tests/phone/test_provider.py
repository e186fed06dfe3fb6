"""What a provider declares, and what one is that declares nothing beside its wire."""

import pytest

from gateway.audio.formats import PCMU
from gateway.config.providers import settings_of
from gateway.phone.events import Playout
from gateway.phone.pointing import ByHand
from gateway.phone.provider import CallCommands, Codec, Grant, Provider, StartProof, Traits, Upgrade
from gateway.phone.providers import PROVIDERS
from gateway.phone.providers.asterisk.wire import AsteriskCodec
from gateway.phone.requests import Requests
from gateway.served import make_provider


class Least(Provider):
    """A provider that opens streams, and no more."""

    name = "least"
    traits = Traits(title="Least", formats=(PCMU,), playout=Playout())
    pointing = ByHand("Enter {stream}.")

    def codec(self, upgrade: Upgrade, grant: Grant) -> Codec:
        return AsteriskCodec(upgrade, grant)


class Ending(CallCommands):
    """A REST API that ends calls, and no more."""

    def hang_up(self, call_id: str) -> Requests:
        return ()


def test_what_a_provider_does_not_declare_it_has_not() -> None:
    """Whoever asks finds ``None``, and makes no request to find out."""
    least: Provider = Least()
    lacks = (least.webhooks, least.commands, least.published_keys, least.verify_upgrade, least.upgrade_key)
    assert (*lacks, least.verify_start) == (None,) * 6
    assert least.subprotocols == ()
    assert StartProof().token == ""


def test_what_an_api_does_not_declare_it_cannot_do() -> None:
    """The stream is asked in its place, or the call is told that it cannot be done."""
    ending: CallCommands = Ending()
    assert (ending.transfer, ending.send_digits, ending.after_stream) == (None, None, None)


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_account_without_credentials_has_no_commands(name: str) -> None:
    """A request without them would only be refused, and would tell a stranger the call's id."""
    bare = make_provider(name, settings_of(name)())
    assert bare.name == name
    assert bare.commands is None
