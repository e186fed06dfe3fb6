"""``gateway.yaml``: where the gateway is reached, how it reaches Voice Live, and its bounds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr

from gateway.config.accounts import check_accounts, supply, supply_accounts
from gateway.config.api_versions import API_VERSION, DEFAULT_API_VERSION, is_api_version
from gateway.config.console.console import AnyConsole, Console
from gateway.config.endpoints import EndpointLimits, EndpointSection, check_endpoints, has_endpoints
from gateway.config.full import DeploymentWhenFull, or_busy
from gateway.config.line.models import ModelChain
from gateway.config.line.trouble import OnTrouble, OnTroubleOfAll
from gateway.config.providers import Browser, Providers, ProviderSettings
from gateway.config.reading import environment
from gateway.config.reading.document import read_document
from gateway.config.reading.problems import ConfigErrors, KeyPath, dotted, listed
from gateway.config.reading.section import Number, Section, Text, Whole
from gateway.config.reading.validation import validate
from gateway.config.records.deliver import Receivers
from gateway.config.records.prices import AnyPrices, Prices, tables_of
from gateway.config.records.recordings import Recordings, supply_recordings
from gateway.config.records.records import DATABASE_FILE, SQLITE, AnyRecords, Records
from gateway.config.records.traces import Traces
from gateway.config.secrets import Rotated, Secret, value_of
from gateway.config.urls import Endpoint, PublicUrl, listening_host, pattern_of, private_listener
from gateway.errors import ConfigError

AUTO_PLACES = 4000
"""The places for calls where ``limits.calls`` is ``auto``: more than a large machine serves."""
DEFAULT_MODEL = "gpt-realtime"

FALLBACKS: dict[KeyPath, tuple[str, ...]] = {
    ("public_url",): environment.PUBLIC_URL,
    ("sockets",): environment.SOCKETS,
    ("voice_live", "endpoint"): environment.ENDPOINT,
    ("voice_live", "key"): environment.KEY,
    ("voice_live", "model"): environment.MODEL,
    ("voice_live", "api_version"): environment.API_VERSION,
    ("streams", "key"): environment.STREAM_KEY,
    ("records", "directory"): environment.DATA,
    ("records", "url"): environment.RECORDS_URL,
}
"""The variables for each key that the file may leave out; the first one that is set gives the value."""


MAY_BE_EMPTY: set[KeyPath] = {
    ("listen",),
    ("voice_live",),
    ("providers",),
    *(("providers", name) for name in Providers.model_fields),
    ("streams",),
    ("on_trouble",),
    ("limits",),
    ("recordings",),
}
"""Keys that may stand in the file without a value."""


def _api_version(text: str) -> str:
    if not is_api_version(text):
        raise ValueError(f"is not an API version, expected such as {DEFAULT_API_VERSION}")
    return str(text)


_SCOPE = r"https://[^\s/]+(/[^\s]*)?/\.default"


def _scope(text: str) -> str:
    text = environment.bare(text)
    if not re.fullmatch(_SCOPE, text):
        raise ValueError("is not a scope, expected such as https://ai.azure.com/.default")
    return text


def _private(text: str) -> str:
    private_listener(text)
    return text.strip()


Host = Annotated[Text, AfterValidator(listening_host), pattern_of(r"^\[?[A-Za-z0-9._:%-]+\]?$")]


class Listen(Section):
    """The address on which the gateway accepts the providers' connections."""

    host: Host = "0.0.0.0"  # noqa: S104 -- a provider calls from outside; behind a proxy one writes 127.0.0.1
    """The address to listen on; 0.0.0.0 means all addresses of the machine."""
    port: Annotated[Whole, Field(ge=0, le=65535)] = 8080
    """The port to listen on; 0 takes any free one."""
    private: Annotated[Text, AfterValidator(_private)] | None = None
    """HOST:PORT of a separate listener for /healthz, /readyz and /metrics, which the main one then does not serve."""


class VoiceLive(Section):
    """The connection to Azure Voice Live."""

    endpoint: Endpoint | None = None
    """The Azure resource; defaults to AZURE_COGNITIVE_SERVICES_ENDPOINT."""
    key: Secret | None = None
    """API key, as ${NAME} only; defaults to AZURE_COGNITIVE_SERVICES_KEY. Without either, DefaultAzureCredential is
    used."""
    limits: EndpointLimits = EndpointLimits()
    """The quota of the endpoint."""
    endpoints: Annotated[tuple[EndpointSection, ...], Field(max_length=16)] = ()
    """Several Azure resources in place of endpoint, key and limits: the next one opens the session where one cannot."""
    model: ModelChain = DEFAULT_MODEL
    """The model of lines that name none, or several in the order in which they are tried; defaults to
    VOICE_LIVE_MODEL, else gpt-realtime."""
    api_version: Annotated[str, AfterValidator(_api_version), pattern_of(f"^{API_VERSION}$")] = DEFAULT_API_VERSION
    """The Voice Live API version."""
    scope: Annotated[Text, AfterValidator(_scope), pattern_of(f"^{_SCOPE}$")] | None = None
    """The scope of Microsoft Entra tokens; defaults to that of the endpoint's cloud."""
    negotiate: Literal["on", "log", "off"] = "on"
    """on: a setting that the service refuses is left out, and the call goes on; log: the call ends, and the log says
    what would be left out; off: the call ends."""
    open_ahead: Annotated[Whole, Field(ge=0, le=1000)] = 0
    """Number of sessions, in each worker, that may be open before the streams of their calls are there; with 0, each
    session is opened when its stream begins."""
    connect_timeout_s: Annotated[Number, Field(gt=0, le=60)] = 10
    """Seconds to wait for a session to open; then the call is given up."""
    session_limit_s: Annotated[Whole, Field(ge=60, le=86_400)] = 3600
    """Seconds that a session lasts where the service does not tell; another one takes the call over before."""


class Streams(Section):
    """The proof that a media stream belongs to a call that this gateway answered."""

    auth: Literal["token", "off"] = "token"
    """token: the stream brings a token from our answer document, or the provider's stream_secret; off: no proof, for
    tests."""
    key: Rotated[Secret] | None = None
    """The key that encrypts tokens, as ${NAME} only; the same for all replicas. Defaults to GATEWAY_STREAM_KEY, else to
    a random key made at the start. During a rotation, [new, old]."""
    token_ttl_s: Annotated[Number, Field(gt=0, le=3600)] = 60
    """Seconds for which a token is valid, counted from our answer."""


class DeploymentLimits(Section):
    """Bounds of the whole gateway."""

    calls: Annotated[Whole, Field(ge=1, le=100_000)] | Literal["auto"] = 200
    """Maximum number of simultaneous calls; further calls are turned away. auto: each process takes calls as long as
    its own load lets it serve them in time."""
    connections: Annotated[Whole, Field(ge=10, le=100_000)] = 1000
    """Maximum number of connections that carry no call; a further one closes the one that was idle for longest."""
    watched_calls: Annotated[Whole, Field(ge=0, le=100_000)] = 20
    """Number of simultaneous calls in a process up to which a new call is watched for callers whom Voice Live does not
    hear; 0 switches it off."""
    message_kb: Annotated[Whole, Field(ge=1, le=4096)] = 64
    """Maximum kilobytes of one message of a media stream; a larger one ends the stream."""
    start_timeout_s: Annotated[Number, Field(gt=0, le=120)] = 10
    """Seconds to wait for the start message of a new media stream; messages before it are ignored."""

    @property
    def places(self) -> int:
        """The number of calls that there are places for, at all workers."""
        return AUTO_PLACES if self.calls == "auto" else self.calls


class Deployment(Section):
    """The settings in gateway.yaml. Every key is optional."""

    public_url: PublicUrl | None = None
    """The address that providers reach; webhook signatures are checked against it. Defaults to GATEWAY_PUBLIC_URL."""
    listen: Listen = Listen()
    """The address on which the gateway accepts the providers' connections."""
    voice_live: VoiceLive = VoiceLive()
    """The connection to Azure Voice Live."""
    providers: Providers = Providers()
    """The phone providers that are served."""
    streams: Streams = Streams()
    """The proof that a media stream belongs to a call that this gateway answered."""
    on_trouble: OnTroubleOfAll = OnTroubleOfAll()
    """Keeps calls whose Voice Live session is lost, on lines that have no on_trouble of their own."""
    limits: DeploymentLimits = DeploymentLimits()
    """Bounds of the whole gateway."""
    when_full: Annotated[DeploymentWhenFull, or_busy(DeploymentWhenFull)] = DeploymentWhenFull()
    """Answers a call for which there is no room, on lines without when_full: busy (the default), or words, a wait, a
    transfer."""
    records: AnyRecords = Records()
    """The record of every call; false keeps none."""
    deliver: Receivers = ()
    """The receivers of the events of calls, on lines without deliver; each event is a signed POST."""
    prices: AnyPrices = Prices()
    """The prices of tokens and minutes: keys with values, or the path of a file with the same keys, relative to this
    file."""
    recordings: Recordings = Recordings()
    """The store of the recordings of calls."""
    traces: Traces = Traces()
    """The content of the traces of calls."""
    console: AnyConsole = Console()
    """The console: pages for those who run the lines, on a listener of their own; false serves none."""
    sockets: Literal["fast", "public"] = "fast"
    """The WebSockets of both legs: fast, where the installed aiohttp and azure-ai-voicelive have the private names that
    it needs; public, on their public names alone. Defaults to GATEWAY_SOCKETS."""
    gather_ms: Annotated[Number, Field(ge=0, le=5)] = 2
    """Milliseconds from one wake-up of a process with many calls to the next: what comes in between is handled
    together, which takes less of the processor; with 0, each frame is handled when it comes."""
    lines: Text = "lines/*.yaml"
    """The files of the phone lines, as a pattern; the path is relative to this file."""

    _origin: "_Origin" = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Remember the file and the environment that it was read from."""
        self._origin = context or _Origin(Path("gateway.yaml"), {})

    @property
    def file(self) -> Path:
        """The file that it was read from."""
        return self._origin.file

    @property
    def trouble(self) -> OnTrouble:
        """The rules for lines that have no ``on_trouble``; a relative path is one beside ``gateway.yaml``."""
        rules = self.on_trouble
        play = str(self.file.parent / rules.play) if rules.play else None
        return OnTrouble(say=rules.say, play=play, tries=rules.tries, limit_s=rules.limit_s)

    @property
    def phrases(self) -> Path | None:
        """The folder that keeps rendered words, if there is one."""
        return self.file.parent / self.on_trouble.cache if self.on_trouble.cache else None

    @property
    def data(self) -> Path:
        """The folder of the records; a relative path is one beside ``gateway.yaml``."""
        return self.file.parent / self.records.directory

    @property
    def database(self) -> str:
        """The URL of the records' database; a relative file is one beside ``gateway.yaml``."""
        url = value_of(self.records.url) or f"{SQLITE}{self.records.directory}/{DATABASE_FILE}"
        return f"{SQLITE}{self.file.parent.absolute() / url.removeprefix(SQLITE)}" if url.startswith(SQLITE) else url

    @property
    def price_tables(self) -> tuple[Prices, ...]:
        """The tables in which a price is looked up, one after the other. Raises ConfigErrors for a file of prices."""
        return tables_of(self.prices, self.file.parent, self.environ)

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that supplies ``${NAME}``, for the lines too."""
        return self._origin.environ

    @property
    def served_accounts(self) -> dict[str, ProviderSettings]:
        """The accounts of ``providers``, and the phone of the console's pages where there is a console."""
        name, accounts = Browser.provider_name(), self.providers.accounts
        return {**accounts, name: Browser()} if self.console.enabled and name not in accounts else dict(accounts)

    def require_endpoint(self) -> str:
        """Return the first Voice Live endpoint. Raises ConfigError if neither file nor environment names one."""
        return self.reached[0].endpoint

    @property
    def reached(self) -> tuple[EndpointSection, ...]:
        """The Voice Live endpoints. Raises ConfigError if neither file nor environment names one."""
        if self.voice_live.endpoints:
            return self.voice_live.endpoints
        endpoint = self._required(("voice_live", "endpoint"), self.voice_live.endpoint)
        key, limits = self.voice_live.key, self.voice_live.limits
        return (EndpointSection.model_construct(endpoint=endpoint, key=key, limits=limits),)

    def require_public_url(self) -> str:
        """Return the address that providers reach, without a trailing slash. Raises ConfigError if none is known."""
        return self._required(("public_url",), self.public_url)

    def _required(self, path: KeyPath, value: str | None) -> str:
        if value:
            return value
        raise ConfigError(
            f"{dotted(path)}: is not set, expected it here or in the environment as {listed(FALLBACKS[path])}",
            file=self.file,
            key=dotted(path),
        )


@dataclass(frozen=True)
class _Origin:
    file: Path
    environ: Mapping[str, str] = field(repr=False)


def load_deployment(
    path: Path, environ: Mapping[str, str], endpoint: str | None = None, copy: Path | None = None
) -> Deployment:
    """Return the deployment that ``path`` describes; ``endpoint`` replaces the Voice Live endpoint.

    If ``copy`` is given, it is read in place of the file. Raises ConfigErrors with every mistake of the file.
    """
    document = read_document(path, environ, may_be_empty=MAY_BE_EMPTY, copy=copy)
    if endpoint is not None:
        document.remove(("voice_live", "endpoints"))
        document.replace(("voice_live", "endpoint"), endpoint)
    if document.data.get("records") is True:
        document.data["records"] = {}  # the same, and variables supply its keys
    for key, names in FALLBACKS.items():
        if key not in (("voice_live", "endpoint"), ("voice_live", "key")) or not has_endpoints(document):
            supply(document, key, names, environ, takes_two=key == ("streams", "key"))
    check_accounts(document)
    supply_accounts(document, environ)
    check_endpoints(document)
    supply_recordings(document, environ)
    deployment = validate(Deployment, document, context=_Origin(path, dict(environ)))
    for key, problem in deployment.console.problems() if deployment is not None else ():
        document.refuse(key, problem)
    if deployment is None or document.errors:
        raise ConfigErrors(document.errors)
    tables_of(deployment.prices, path.parent, environ)
    return deployment
