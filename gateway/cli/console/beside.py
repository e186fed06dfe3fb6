"""The console that ``gateway serve`` brings: in a thread with an event loop of its own.

No page is made on the loop of the calls: one that takes long would make their frames late.
"""

import asyncio
import secrets
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import structlog
from pydantic import SecretStr

from gateway.cli.loop import loop_factory
from gateway.config import Deployment
from gateway.console.phone.way import PhoneWay, way_to
from gateway.errors import GatewayError

log = structlog.get_logger()


@asynccontextmanager
async def console_beside(
    deployment: Deployment,
    gateway_url: str = "",
    emulator: str = "",
    live: Path | None = None,
    on_refusal: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[str]:
    """Serve the console in a thread until the block ends; yield its address, empty where there is none.

    ``live`` is the folder of the sockets of the processes that have calls. Its pages may call the gateway at
    ``gateway_url``. ``emulator`` is the address of the emulator that answers there; it is empty where Voice Live does.
    ``on_refusal`` gets the reason of each refusal, in that thread.

    Raises ``GatewayError`` where it cannot listen on the address that ``gateway.yaml`` names. That of the default may
    be taken, by another gateway on this machine: then there is a warning, and no console.
    """
    if not deployment.console.enabled:
        yield ""
        return
    way = way_to(deployment, gateway_url, emulated=bool(emulator))
    where = deployment.console.address
    beside = _Beside(deployment, where, live, way, on_refusal)
    beside.start()
    try:
        yield await _begun(beside.address, deployment, *where)
    finally:
        await asyncio.to_thread(beside.stop)


def console_of_workers(
    deployment: Deployment, host: str, port: int, live: Path, key: str
) -> AbstractAsyncContextManager[str]:
    """Return the console of worker processes, which share ``host``, ``port``, the folder ``live`` and the ``key``."""
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return console_beside(keyed(deployment, key), url, live=live)


def load_pages() -> None:
    """Load what makes the pages."""
    from gateway.cli.checking import checked  # noqa: F401, PLC0415 -- a process that has no console needs none of it
    from gateway.console import application, state  # noqa: F401, PLC0415 -- the same


def keyed(deployment: Deployment, key: str = "") -> Deployment:
    """Return a deployment that has a key for tokens: its own, else ``key``, else one that is made up."""
    if deployment.streams.key is not None:
        return deployment
    made = SecretStr(key or secrets.token_urlsafe(32))
    return deployment.model_copy(update={"streams": deployment.streams.model_copy(update={"key": made})})


async def _begun(address: "Future[str]", deployment: Deployment, host: str, port: int) -> str:
    try:
        url = await asyncio.wrap_future(address)
    except OSError as error:
        detail = f"console: cannot listen on {host}:{port}: {error.strerror or error}"
        if "listen" in deployment.console.model_fields_set:
            raise GatewayError(detail) from None
        log.warning(
            "console_not_served", detail=detail, hint="console.listen names another address, console: false none"
        )
        return ""
    log.info("console", url=url)
    return url


@contextmanager
def live_folder(kept: Path | None, deployment: Deployment) -> Iterator[Path | None]:
    """Yield the folder of the sockets by which a console sees the calls: the workers', or one of this process.

    There is none where the console is off, and no key lets another one see them.
    """
    if not deployment.console.has_viewers:
        yield None
    elif kept is not None:
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="gateway-live-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)


class _Beside:
    """A thread that serves the console; ``address`` becomes its address, or the error."""

    def __init__(
        self,
        deployment: Deployment,
        where: tuple[str, int],
        live: Path | None,
        way: PhoneWay | None,
        on_refusal: Callable[[str], None],
    ) -> None:
        self._deployment = deployment
        self._where = where
        self._live = live
        self._way = way
        self._on_refusal = on_refusal
        self.address: Future[str] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for the thread's end."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            self._loop = runner.get_loop()
            try:
                runner.run(self._serve())
            except BaseException as error:
                if not self.address.done():
                    self.address.set_exception(error)
                    return
                log.exception("console_failed")

    async def _serve(self) -> None:
        async with console_at(self._deployment, *self._where, self._live, self._way, self._on_refusal) as address:
            self.address.set_result(address)
            await self._stop.wait()


def console_at(
    deployment: Deployment,
    host: str,
    port: int,
    live: Path | None = None,
    way: PhoneWay | None = None,
    on_refusal: Callable[[str], None] = lambda _: None,
) -> AbstractAsyncContextManager[str]:
    """Return the console of a deployment, which serves on this address and yields it."""
    from gateway.cli.checking.checked import checked_deployment  # noqa: PLC0415 -- see ``load_pages``
    from gateway.console.application import console_listening  # noqa: PLC0415 -- the same
    from gateway.console.state import console_for  # noqa: PLC0415 -- the same

    check = partial(checked_deployment, deployment.file, deployment.environ)
    return console_listening(console_for(deployment, live, way, check, on_refusal), host, port)
