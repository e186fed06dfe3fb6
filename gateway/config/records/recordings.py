"""``recordings`` in gateway.yaml: the store of finished recordings, its credentials, and how long they are kept."""

import importlib.util
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from gateway.config.accounts import supply
from gateway.config.reading import environment
from gateway.config.reading.document import Document
from gateway.config.reading.environment import bare
from gateway.config.reading.problems import listed
from gateway.config.reading.section import Section, Text, Whole
from gateway.config.records.records import Days
from gateway.config.secrets import Secret, values_of
from gateway.config.urls import WebAddress

SECTION = "recordings"
AZURE, S3, FILE = "az", "s3", "file"
_AZURE_SCHEMES = (AZURE, "abfs", "abfss")
_EXTRAS = {AZURE: ("azure-storage", "adlfs"), S3: ("s3", "s3fs")}
_OF_AZURE = {
    "connection_string": environment.STORAGE_CONNECTION,
    "account": environment.STORAGE_ACCOUNT,
    "key": environment.STORAGE_KEY,
}
"""The variables of the keys that only Azure's stores have."""
_USED_BY = {**dict.fromkeys(_OF_AZURE, (AZURE,)), "region": (S3,), "endpoint_url": (AZURE, S3)}
_CONTAINER = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://([^/\s?#]*)((?:/[^\s?#]*)?)")
_EXAMPLES = "expected a directory, az://container/prefix or s3://bucket/prefix"


def kind_of(store: str) -> str:
    """Return ``az``, ``s3``, ``file`` for a directory, or another URL's scheme."""
    scheme, separator, _ = store.partition("://")
    if not separator:
        return FILE
    return AZURE if scheme in _AZURE_SCHEMES else scheme


def _store(text: str) -> str:
    text = bare(text)
    if "://" not in text:
        return text
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(f"is not an address of a store, {_EXAMPLES}")
    scheme, place, path = match.groups()
    if ".." in path.split("/"):
        raise ValueError("has .. in its path, expected a prefix such as calls/recordings")
    name, at, _ = place.partition("@")
    kind = kind_of(text)
    if kind == AZURE and (not _CONTAINER.fullmatch(name) or (bool(at) and scheme == AZURE)):
        raise ValueError("does not name a container, expected such as az://container/prefix: 3 to 63 of a-z, 0-9, -")
    if kind == S3 and not _BUCKET.fullmatch(place):
        raise ValueError("does not name a bucket, expected such as s3://bucket/prefix: 3 to 63 of a-z, 0-9, - and .")
    if kind == FILE and (place not in ("", "localhost") or path in ("", "/")):
        raise ValueError("does not name a directory, expected such as file:///var/lib/gateway/recordings")
    if kind not in (AZURE, FILE) and "@" in place:
        raise ValueError("holds credentials, expected them in the environment")
    return text.rstrip("/")


class Recordings(Section):
    """The store of the recordings of calls. Which calls are recorded is said by the lines."""

    store: Annotated[Text, AfterValidator(_store)] = "recordings"
    """A directory, relative to that of the records; az://container/prefix, s3://bucket/prefix, or the URL of another
    fsspec store."""
    pending: Text = "recordings/pending"
    """The directory in which recordings are written during calls and wait for the store; on a local disk, relative to
    that of the records."""
    pending_mb: Annotated[Whole, Field(ge=1, le=100_000_000)] = 10_000
    """Megabytes that may wait for the store; with more, new calls are not recorded until some have gone."""
    uploads: Annotated[Whole, Field(ge=1, le=32)] = 2
    """Recordings that a process takes to the store at once."""
    keep_days: Days | None = None
    """Days after which recordings are deleted, on lines without keep_days of their own; forever, or none here: with the
    record of their call."""
    link_s: Annotated[Whole, Field(ge=60, le=604_800)] = 3600
    """Seconds for which a link to a recording is valid."""
    account: Text | None = None
    """The storage account of az://; defaults to AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_ACCOUNT."""
    key: Secret | None = None
    """The key of the storage account, as ${NAME} only; defaults to AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_KEY.
    Without it, DefaultAzureCredential is used."""
    connection_string: Secret | None = None
    """The connection string of az:// in place of account and key, as ${NAME} only; defaults to
    AZURE_STORAGE_CONNECTION_STRING."""
    endpoint_url: WebAddress | None = None
    """The address of a store that is not at its usual one: a server that speaks S3, or an account in another Azure
    cloud."""
    region: Text | None = None
    """The region of s3://; defaults to that of the AWS environment."""

    @property
    def kind(self) -> str:
        """``az``, ``s3``, ``file`` for a directory, or another URL's scheme."""
        return kind_of(self.store)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets of the store, for messages that must not show them."""
        return (*values_of(self.key), *values_of(self.connection_string))


def supply_recordings(document: Document, environ: Mapping[str, str]) -> None:
    """Take from the environment what the store needs and the file leaves out, and refuse what cannot work."""
    section = _section(document)
    store = section.get("store", Recordings.model_fields["store"].default)
    if not isinstance(store, str) or document.is_broken((SECTION, "store")):
        return
    kind = kind_of(bare(store))
    if kind == AZURE:
        wanted = ("account", "key") if {"account", "key"} & set(section) else ("connection_string",)
        for names in (wanted, ("account", "key")):
            if not {"connection_string"} & set(_section(document)):
                for name in names:
                    supply(document, (SECTION, name), _OF_AZURE[name], environ, takes_two=False)
    _check(document, bare(store), kind)


def _check(document: Document, store: str, kind: str) -> None:
    section = _section(document)
    extra, package = _EXTRAS.get(kind, ("", ""))
    if package and importlib.util.find_spec(package) is None:
        needed = f"{kind}:// needs the extra {extra}, expected pip install 'voice-line-gateway[{extra}]'"
        document.refuse((SECTION, "store"), needed)
    if kind == AZURE and "@" not in store and not {"account", "connection_string"} & set(section):
        names = listed([name for key in ("account", "connection_string") for name in _OF_AZURE[key]])
        document.refuse((SECTION, "account"), f"is not set, expected it here or in the environment as {names}")
    if {"account", "connection_string"} <= set(section):
        document.refuse((SECTION, "account"), "stands beside connection_string, expected one of the two")
    for name, kinds in _USED_BY.items():
        if name in section and kind not in kinds:
            document.refuse((SECTION, name), f"is not used with {store}, expected it with {listed(kinds)}")


def _section(document: Document) -> dict[str, Any]:
    section = document.data.get(SECTION)
    return section if isinstance(section, dict) else {}
