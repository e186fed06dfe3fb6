"""The state of a console: what its pages read."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from msgspec import Struct, field

from gateway.config import Deployment
from gateway.config.secrets import first, values_of
from gateway.console.line_files import Check, LineFiles
from gateway.console.phone.way import PhoneWay
from gateway.live.source import Source, sources_at, sources_in
from gateway.live.watch import Watch
from gateway.records.store.database import Database


class Console(Struct, frozen=True):
    """Everything that pages read."""

    deployment: Deployment
    database: Database | None
    """The database of the records; ``None`` where the deployment keeps none. Pages read ``records``."""
    watch: Watch
    """The calls in progress."""
    line_files: LineFiles
    """The files of the lines."""
    phone: PhoneWay | None = None
    """The way to the gateway that takes calls of the pages; ``None`` where there is none."""
    on_refusal: Callable[[str], None] = lambda _: None
    """Counts a refusal by its reason; the thread of the console calls it."""
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    """The key of the tokens of forms; one for the process' life."""

    @property
    def records(self) -> Database | None:
        """The database, once it is there: the first gateway that keeps records makes it."""
        database = self.database
        return None if database is None or (database.file and not database.file.exists()) else database


CONSOLE = web.AppKey("console", Console)


def console_for(
    deployment: Deployment,
    live: Path | None = None,
    phone: PhoneWay | None = None,
    check: Check | None = None,
    on_refusal: Callable[[str], None] = lambda _: None,
) -> Console:
    """Return the console of a deployment, whose pages may call a gateway by ``phone``.

    ``live`` is the folder of the sockets of the processes that have calls; without one, the calls are those of
    ``console.gateways``. ``check`` checks the configuration as a
    whole, as ``gateway check`` does. ``on_refusal`` gets the reason of each refusal.
    """

    elsewhere = sources_at(deployment.console.gateways, first(values_of(deployment.console.key)))

    def sources() -> Sequence[Source]:
        return sources_in(live) if live is not None else elsewhere

    database = Database(deployment.database) if deployment.records.enabled else None
    return Console(deployment, database, Watch(sources), LineFiles(deployment, check), phone, on_refusal)


def console_of(request: web.Request) -> Console:
    """Return the console that a request was made to."""
    return request.config_dict[CONSOLE]
