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
    """The settings that every provider has."""

    proofs: ClassVar[tuple[str, ...]] = ("stream_secret",)
    """The keys that authenticate the provider's requests; without them its requests are refused."""
    refused_without: ClassVar[Mapping[str, str]] = {}
    """The requests that are refused without one of ``proofs``, if not all of the provider's are."""
    rest: ClassVar[tuple[str, ...]] = ()
    """The keys without which the provider's REST API cannot be asked about a call."""

    provider: "ProviderName | None" = None
    """The provider of the account, if the section has a name of its own, such as twilio-eu."""
    stream_secret: Rotated[Secret] | None = None
    """Authenticates streams that are opened without our answer document (a static document, a dialplan): the last part
    of the stream's path, or the password or key that the provider sends on connecting. During a rotation, [new,
    old]."""
    region: Region | None = None
    """The country by whose rules the provider's numbers without a country code are read, two letters such as DE."""

    @classmethod
    def is_meant_by(cls, data: Mapping[str, object]) -> bool:
        """Return ``True`` if a section of the file names this provider as its own."""
        return data.get("provider") == cls.provider_name()

    @classmethod
    def provider_name(cls) -> str:
        """Return the provider's name, as in the routes: that of the class in lower case."""
        return cls.__name__.lower()


class Twilio(ProviderSettings):
    """Twilio Media Streams and Programmable Voice."""

    proofs = ("auth_token",)
    rest = ("auth_token",)
    account_sid: Name | None = None
    """The SID of the account, AC…"""
    auth_token: Rotated[Secret] | None = None
    """Checks the signature of webhooks and signs calls to the REST API."""
    api_url: Address = "https://api.twilio.com"
    """The base of the REST API; each region has its own."""


class SignalWire(ProviderSettings):
    """SignalWire calls by cXML documents."""

    proofs = ("signing_key",)
    rest = ("api_url", "api_token")
    project_id: Name | None = None
    """The id of the project."""
    api_token: Secret | None = None
    """The token for the REST API."""
    signing_key: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    api_url: Address | None = None
    """The base of the space's REST API: https://<space>.signalwire.com"""


class Cloudonix(ProviderSettings):
    """Cloudonix calls by CXML documents."""

    proofs = ("api_key",)
    rest = ("domain", "api_key")
    domain: Name | None = None
    """The name of the Cloudonix domain."""
    api_key: Rotated[Secret] | None = None
    """The key that webhooks carry in x-cx-apikey, and the bearer token of the REST API."""
    api_url: Address = "https://api.cloudonix.io"
    """The base of the REST API."""


class Telnyx(ProviderSettings):
    """Telnyx media streaming, TeXML or Call Control."""

    proofs = ("public_key",)
    rest = ("api_key",)
    api_key: Secret | None = None
    """The key of the REST API."""
    public_key: Rotated[PublicKey] | None = None
    """Checks the signature of webhooks: base64, from the portal."""
    api_url: Address = "https://api.telnyx.com"
    """The base of the REST API."""


class Exotel(ProviderSettings):
    """Exotel AgentStream; its stream brings Basic credentials: any user, stream_secret as password."""


class Plivo(ProviderSettings):
    """Plivo Audio Streaming and Plivo XML."""

    proofs = ("auth_token",)
    rest = ("auth_id", "auth_token")
    auth_id: Name | None = None
    """The id of the account."""
    auth_token: Rotated[Secret] | None = None
    """Checks the signature of webhooks and signs calls to the REST API."""
    api_url: Address = "https://api.plivo.com"
    """The base of the REST API."""


class Vobiz(ProviderSettings):
    """Vobiz, which speaks Plivo's protocols."""

    proofs = ("auth_token",)
    rest = ("auth_id", "auth_token")
    auth_id: Name | None = None
    """The id of the account."""
    auth_token: Rotated[Secret] | None = None
    """Checks the signature of webhooks and signs calls to the REST API."""
    api_url: Address = "https://api.vobiz.ai"
    """The base of the REST API."""


class Vonage(ProviderSettings):
    """The Vonage Voice API."""

    proofs = ("signature_secret",)
    rest = ("application_id", "private_key")
    application_id: Name | None = None
    """The id of the application."""
    private_key: PrivateKey | None = None
    """The application's RSA key (PEM), for the REST API."""
    signature_secret: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    rate_hz: Literal[8000, 16000, 24000] = 16000
    """Sample rate of the stream."""
    api_key: Name | None = None
    """The account's API key; only gateway point needs it."""
    api_secret: Secret | None = None
    """The account's API secret; only gateway point needs it."""
    api_url: Address = "https://api.nexmo.com"
    """The base of the REST API."""
    rest_url: Address = "https://rest.nexmo.com"
    """The base of the older REST API."""


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
    """The endpoint of the resource: https://<resource>.communication.azure.com"""
    access_key: Base64Secret | None = None
    """The resource's key, for its REST API."""
    resource_id: Name | None = None
    """The resource's immutable id: the audience of the tokens that its streams and callbacks carry."""
    rate_hz: Literal[16000, 24000] = 24000
    """Sample rate of the stream."""
    keys_url: Address = "https://acscallautomation.communication.azure.com/calling/keys"
    """The URL at which the keys of those tokens are published."""
    keys_file: Name | None = None
    """A file that keeps the keys, for a start while they cannot be fetched; a relative path is beside gateway.yaml."""


class Bandwidth(ProviderSettings):
    """Bandwidth calls by BXML documents."""

    proofs = ("webhook_user", "webhook_password")
    rest = ("account_id", "client_id", "client_secret")
    account_id: Name | None = None
    """The id of the account."""
    client_id: Name | None = None
    """The id of the OAuth client."""
    client_secret: Secret | None = None
    """The secret of the OAuth client, for the REST API."""
    webhook_user: Rotated[Name] | None = None
    """The user of the Basic credentials that webhooks carry."""
    webhook_password: Rotated[Secret] | None = None
    """The password of the Basic credentials that webhooks carry."""
    api_url: Address = "https://voice.bandwidth.com"
    """The base of the REST API."""
    token_url: Address = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105 -- an address
    """The URL that issues tokens for the REST API."""


class Jambonz(ProviderSettings):
    """jambonz, the listen verb; its stream brings Basic credentials: user gateway, stream_secret as password."""

    proofs = ("webhook_secret",)
    rest = ("account_sid", "api_key", "api_url")
    account_sid: Name | None = None
    """The id of the account."""
    api_key: Secret | None = None
    """The key of the REST API."""
    webhook_secret: Rotated[Secret] | None = None
    """Checks the signature of webhooks."""
    rate_hz: Literal[8000, 16000, 24000] = 8000
    """Sample rate of the stream."""
    api_url: Address | None = None
    """The base of your jambonz server's REST API: https://…/api"""


class Asterisk(ProviderSettings):
    """Asterisk chan_websocket; its stream brings Basic credentials: any user, stream_secret as password."""


class Browser(ProviderSettings):
    """The phone in a browser, for programs that speak its wire; the console's own needs no section."""


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
    """An account under a name of its own; it names its provider."""
    _Keys = create_model(
        "_Keys",
        __base__=Section,
        **{
            name: (section | None, Field(None, description=f"The settings of {name}; see docs/providers/{name}.md."))
            for name, section in SECTIONS.items()
        },
    )
    """A key for each provider."""
ProviderSettings.model_rebuild()  # it names ProviderName, which is made of the sections' names
for _section in SECTIONS.values():
    _section.model_rebuild()


class Providers(_Keys):
    """The phone providers that are served; {} serves a provider with its defaults.

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
