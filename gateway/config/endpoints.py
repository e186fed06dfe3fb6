"""``voice_live.endpoints``: the Azure resources at which sessions are opened, and their quotas."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from gateway.config.reading.document import Document
from gateway.config.reading.section import Number, Section, Text, Whole
from gateway.config.secrets import Secret
from gateway.config.urls import Endpoint

_SECTION = "voice_live"
_INSTEAD = ("endpoint", "key", "limits")
"""Keys of the one endpoint, which stand in the entries where there are several."""


class EndpointLimits(Section):
    """The quota of an endpoint, as the Azure portal shows it; counted by all workers together."""

    sessions: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    """Maximum number of sessions at once; without it, only the gateway's own limit applies."""
    sessions_per_minute: Annotated[Whole, Field(ge=1, le=60_000)] | None = None
    """Maximum number of new sessions in a minute; without it, they are not limited here."""


def _by_name(value: Any) -> Any:
    is_list = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return {one: one for one in value} if is_list else value


Models = Annotated[
    Mapping[Text, Text],
    Field(min_length=1),
    BeforeValidator(_by_name, json_schema_input_type=Mapping[Text, Text] | tuple[Text, ...]),
]
"""The models of an endpoint: a list, or each with the name that it has there."""


class EndpointSection(Section):
    """One Azure resource with Voice Live."""

    name: Text | None = None
    """The name in logs and metrics; defaults to the first part of the endpoint's host, or to its address."""
    endpoint: Endpoint
    """The Azure resource."""
    key: Secret | None = None
    """API key, as ${NAME} only; without it, DefaultAzureCredential is used."""
    client_id: Text | None = None
    """The client id of a user-assigned managed identity, for DefaultAzureCredential."""
    models: Models | None = None
    """The models that this endpoint has, as a list, or as {gpt-realtime: name-there}; without it, all models and
    agents. An agent is not reached at an endpoint with models."""
    priority: Annotated[Whole, Field(ge=1, le=100)] = 1
    """The order: 1 is used first, and 2 where none of 1 can open a session."""
    weight: Annotated[Number, Field(gt=0, le=1000)] = 1
    """The share of new sessions among endpoints of the same priority."""
    limits: EndpointLimits = EndpointLimits()
    """The quota of this endpoint."""

    @property
    def label(self) -> str:
        """The name in logs and metrics."""
        return self.name or _name_of(urlsplit(self.endpoint).hostname or "")


def _name_of(host: str) -> str:
    """Return the first part of a host's name; an address has no parts that name it."""
    try:
        ip_address(host)
    except ValueError:
        return host.partition(".")[0]
    return host


def has_endpoints(document: Document) -> bool:
    """Return whether a file names several endpoints."""
    return bool(_section(document).get("endpoints"))


def check_endpoints(document: Document) -> None:
    """Refuse keys of the one endpoint beside several, and names that stand twice."""
    if not has_endpoints(document):
        return
    section = _section(document)
    for key in _INSTEAD:
        if key in section:
            document.refuse((_SECTION, key), "stands beside endpoints, expected it in the entries of endpoints")
    seen: set[str] = set()
    for index, entry in enumerate(section["endpoints"] if isinstance(section["endpoints"], list) else []):
        if not isinstance(entry, dict) or not isinstance(entry.get("endpoint"), str):
            continue
        host = urlsplit(entry["endpoint"]).hostname if "://" in entry["endpoint"] else ""
        name = str(entry.get("name") or _name_of(host or ""))
        if name in seen:
            document.refuse((_SECTION, "endpoints", index), f"is the second named {name}: expected another name")
        seen.add(name)


def _section(document: Document) -> Mapping[str, Any]:
    section = document.data.get(_SECTION)
    return section if isinstance(section, dict) else {}
