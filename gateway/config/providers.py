"""The phone providers that can be served, with the settings of your account at each.

Every key may be left out: its value is then the environment's ``<PROVIDER>_<KEY>``, as ``TWILIO_AUTH_TOKEN``. Several
accounts at one provider have names of their own, ``twilio-eu``, and the variables ``TWILIO_EU_<KEY>``.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, create_model

from gateway.config.numbers import Region
from gateway.config.reading.environment import variable_of
from gateway.config.reading.problems import KeyPath
from gateway.config.reading.section import Section
from gateway.config.secrets import Base64Secret, Name, PrivateKey, PublicKey, Rotated, Secret
from gateway.config.urls import can_be_asked

ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""An account's own name: it stands in the routes and, in capitals, in the names of variables."""


def _address(text: str) -> str:
    if not can_be_asked(text) or not re.fullmatch(r"https?://[!-~]+", text):
        raise ValueError("is not an address that can be used, expected such as https://api.example.com")
    if "@" in urlsplit(text).netloc:
        raise ValueError("has a user and a password in it, expected the address alone")
    return text.rstrip("/")


Address = Annotated[Name, AfterValidator(_address)]
"""The base of a REST API, without a trailing slash."""


class ProviderSettings(Section):
    """What every provider has."""

    proofs: ClassVar[tuple[str, ...]] = ("stream_secret",)
    """The keys that prove that a request is the provider's; without them its requests are refused."""
    refused_without: ClassVar[Mapping[str, str]] = {}
    """The requests that are refused without one of ``proofs``, if not all of the provider's are."""
    rest: ClassVar[tuple[str, ...]] = ()
    """The keys without which the provider's REST API cannot be asked about a call."""

    provider: "ProviderName | None" = None
    """Whose account it is, where the section has a name of its own, such as twilio-eu."""
    stream_secret: Rotated[Secret] | None = None
    """For streams opened without our answer document (a static document, a dialplan): the last part of the stream's
    path, or the password or key that the provider sends on connecting. While it is replaced, [new, old]."""
    region: Region | None = None
    """The country whose habits the provider's numbers without a country code follow, two letters such as DE."""

    @classmethod
    def is_meant_by(cls, data: Mapping[str, object]) -> bool:
        """Return ``True`` if a section of the file names this provider as its own."""
        return data.get("provider") == cls.provider_name()

    @classmethod
    def provider_name(cls) -> str:
        """Return the provider's name, as in the routes: that of the class in lower case."""
        return cls.__name__.lower()


class Twilio(ProviderSettings):
    """Twilio Media Streams."""

    proofs = ("auth_token",)
    rest = ("auth_token",)
    account_sid: Name | None = None
    """The account, AC…"""
    auth_token: Rotated[Secret] | None = None
    """Checks the signature of webhooks and signs calls to the REST API."""
    api_url: Address = "https://api.twilio.com"
    """The REST API; another region has another."""


class SignalWire(ProviderSettings):
    """SignalWire, cXML."""

    proofs = ("signing_key",)
    rest = ("api_url", "api_token")
    project_id: Name | None = None
    """The project."""
    api_token: Secret | None = None
    """For the REST API."""
    signing_key: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    api_url: Address | None = None
    """https://<space>.signalwire.com"""


class Cloudonix(ProviderSettings):
    """Cloudonix, CXML."""

    proofs = ("api_key",)
    rest = ("domain", "api_key")
    domain: Name | None = None
    """The domain."""
    api_key: Rotated[Secret] | None = None
    """What webhooks carry in x-cx-apikey, and the REST API's bearer."""
    api_url: Address = "https://api.cloudonix.io"
    """The REST API."""


class Telnyx(ProviderSettings):
    """Telnyx media streaming, TeXML or Call Control."""

    proofs = ("public_key",)
    rest = ("api_key",)
    api_key: Secret | None = None
    """The key of the REST API."""
    public_key: Rotated[PublicKey] | None = None
    """Checks the signature of webhooks: base64, from the portal."""
    api_url: Address = "https://api.telnyx.com"
    """The REST API."""


class Exotel(ProviderSettings):
    """Exotel AgentStream; its stream brings Basic credentials: any user, stream_secret as password."""


class Plivo(ProviderSettings):
    """Plivo Audio Streaming."""

    proofs = ("auth_token",)
    rest = ("auth_id", "auth_token")
    auth_id: Name | None = None
    """The account."""
    auth_token: Rotated[Secret] | None = None
    """Checks the signature of webhooks and signs calls to the REST API."""
    api_url: Address = "https://api.plivo.com"
    """The REST API."""


class Vobiz(ProviderSettings):
    """Vobiz: Plivo's wire."""

    proofs = ("auth_token",)
    rest = ("auth_id", "auth_token")
    auth_id: Name | None = None
    """The account."""
    auth_token: Rotated[Secret] | None = None
    """Checks the signature of webhooks and signs calls to the REST API."""
    api_url: Address = "https://api.vobiz.ai"
    """The REST API."""


class Vonage(ProviderSettings):
    """Vonage Voice API."""

    proofs = ("signature_secret",)
    rest = ("application_id", "private_key")
    application_id: Name | None = None
    """The application."""
    private_key: PrivateKey | None = None
    """The application's RSA key (PEM), for the REST API."""
    signature_secret: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    rate_hz: Literal[8000, 16000, 24000] = 16000
    """Sample rate of the stream."""
    api_key: Name | None = None
    """The account's key, for gateway point alone."""
    api_secret: Secret | None = None
    """The account's secret, for gateway point alone."""
    api_url: Address = "https://api.nexmo.com"
    """The REST API."""
    rest_url: Address = "https://rest.nexmo.com"
    """The older REST API."""


class Genesys(ProviderSettings):
    """Genesys Cloud Audio Connector (AudioHook)."""

    proofs = ("client_secret",)
    api_key: Rotated[Name] | None = None
    """The key of the REST API."""
    client_secret: Rotated[Base64Secret] | None = None
    """Checks the signature of the stream's request; base64, as Genesys wants it entered."""


class Acs(ProviderSettings):
    """Azure Communication Services, Call Automation."""

    proofs = ("stream_secret", "resource_id")
    refused_without: ClassVar[Mapping[str, str]] = {
        "stream_secret": "what Event Grid delivers is refused, incoming calls among it",
        "resource_id": "callbacks are refused, and streams need no more than their token",
    }
    rest = ("endpoint", "access_key")
    endpoint: Address | None = None
    """https://<resource>.communication.azure.com"""
    access_key: Base64Secret | None = None
    """The resource's key, for its REST API."""
    resource_id: Name | None = None
    """The resource's immutable id: the audience of the tokens that its streams and callbacks carry."""
    rate_hz: Literal[16000, 24000] = 24000
    """Sample rate of the stream."""
    keys_url: Address = "https://acscallautomation.communication.azure.com/calling/keys"
    """Where the keys of those tokens are published."""


class Bandwidth(ProviderSettings):
    """Bandwidth, BXML."""

    proofs = ("webhook_user", "webhook_password")
    rest = ("account_id", "client_id", "client_secret")
    account_id: Name | None = None
    """The account."""
    client_id: Name | None = None
    """The OAuth client."""
    client_secret: Secret | None = None
    """For the REST API."""
    webhook_user: Rotated[Name] | None = None
    """The user of the Basic credentials that webhooks carry."""
    webhook_password: Rotated[Secret] | None = None
    """The Basic credentials that the application's webhooks carry."""
    api_url: Address = "https://voice.bandwidth.com"
    """The REST API."""
    token_url: Address = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105 -- an address
    """Where tokens for the REST API come from."""


class Jambonz(ProviderSettings):
    """jambonz, the listen verb; its stream brings Basic credentials: user gateway, stream_secret as password."""

    proofs = ("webhook_secret",)
    rest = ("account_sid", "api_key", "api_url")
    account_sid: Name | None = None
    """The account."""
    api_key: Secret | None = None
    """The key of the REST API."""
    webhook_secret: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    rate_hz: Literal[8000, 16000, 24000] = 8000
    """Sample rate of the stream."""
    api_url: Address | None = None
    """Your jambonz' REST API, https://…/api"""


class Asterisk(ProviderSettings):
    """Asterisk chan_websocket; its stream brings Basic credentials: any user, stream_secret as password."""


SECTIONS: Mapping[str, type[ProviderSettings]] = {
    section.provider_name(): section for section in ProviderSettings.__subclasses__()
}
"""The section of every provider that can be served, in the order of this module."""


def _provider_of(value: Any) -> str | None:
    said = value.get("provider") if isinstance(value, Mapping) else getattr(value, "provider", None)
    return str(said) if said else None


if TYPE_CHECKING:
    ProviderName = str
    Account = ProviderSettings
    _Keys = Section
else:
    ProviderName = Literal[tuple(SECTIONS)]
    """A provider that can be served."""
    _ACCOUNTS = tuple(Annotated[section, Tag(name)] for name, section in SECTIONS.items())
    Account = Annotated[Union[_ACCOUNTS], Discriminator(_provider_of)]  # noqa: UP007 -- of a tuple
    """An account under a name of its own; it says whose it is."""
    _Keys = create_model(
        "_Keys",
        __base__=Section,
        **{
            name: (section | None, Field(None, description=f"{section.__name__}; see docs/providers/{name}.md."))
            for name, section in SECTIONS.items()
        },
    )
    """A key for each provider."""
ProviderSettings.model_rebuild()  # it names ProviderName, which is made of the sections' names
for _section in SECTIONS.values():
    _section.model_rebuild()


class Providers(_Keys):
    """The phone providers that are served; {} takes a provider with its defaults.

    A section under any other name is one more account at the provider that its key provider names.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Account] = Field(init=False)

    @property
    def accounts(self) -> dict[str, ProviderSettings]:
        """The accounts that are served, by their name in the routes: providers first, then accounts with own names."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: section for name, section in {**named, **self.__pydantic_extra__}.items() if section is not None}

    @property
    def region(self) -> str:
        """The region of all accounts that have one; empty if they differ."""
        regions = {section.region for section in self.accounts.values() if section.region}
        return regions.pop() if len(regions) == 1 else ""

    @property
    def served(self) -> list[str]:
        """The names of the accounts that are served."""
        return list(self.accounts)


def provider_of(name: str, section: ProviderSettings) -> str:
    """Return the provider of an account's section."""
    return section.provider or name


def settings_of(provider: str) -> type[ProviderSettings]:
    """Return the class of a provider's section."""
    return SECTIONS[provider]


_OF_THE_FILE = ("provider", "rate_hz", "region")
"""Keys that no variable supplies: other software uses TWILIO_REGION for something else."""


def variables_of(name: str, provider: str) -> dict[str, str]:
    """Return the variable for each key of an account."""
    keys = settings_of(provider).model_fields
    return {key: variable_of(name, key) for key in keys if key not in _OF_THE_FILE}


def environment_names() -> dict[KeyPath, tuple[str, ...]]:
    """Return the variable for each key of each provider."""
    return {
        ("providers", provider, key): (variable,)
        for provider in Providers.model_fields
        for key, variable in variables_of(provider, provider).items()
    }
