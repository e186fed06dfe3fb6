"""The transports under connections by TLS: aiofastnet's where it is installed, which cost less, or the loop's own.

aiofastnet lets OpenSSL read and write a connection itself, without the buffers of Python's ``ssl`` between them.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any

from gateway.errors import InputError

Connect = Callable[..., Awaitable[Any]]
NewLoop = Callable[[], asyncio.AbstractEventLoop]

FAST, OWN = "aiofastnet", "loop"
"""The transports that may be wanted; aiofastnet's where no choice is made."""
_RECORDS_BYTES = 4 * (16 * 1024 + 64)
"""Room for four records of TLS, whose overhead aiofastnet itself reckons with 64 bytes."""
LIMITS: Mapping[str, float] = {
    "ssl_shutdown_timeout": 2.0,
    "ssl_incoming_bio_size": _RECORDS_BYTES,
    "ssl_outgoing_bio_size": _RECORDS_BYTES,
}
"""The limits of aiofastnet's transports, in seconds and bytes.

A transport and its buffers, half a megabyte by default, stay until the first is over, even if it was aborted: 30 s by
default, in which the calls of a busy gateway leave much.
"""


def own_transports_because(wanted: str) -> str:
    """Return why the event loop's own transports are used; empty where aiofastnet's are.

    Raise ``InputError`` for a ``wanted`` that is neither of them.
    """
    if wanted not in ("", FAST, OWN):
        raise InputError(f"GATEWAY_TRANSPORTS: {wanted}, expected {FAST} or {OWN}")
    if wanted == OWN:
        return f"GATEWAY_TRANSPORTS is {OWN}"
    return "" if _aiofastnet() else f"{FAST} is not installed"


def with_transports(new_loop: NewLoop, wanted: str) -> NewLoop:
    """Return what makes the same loops, with the transports that are ``wanted`` and installed.

    Raise ``InputError`` for a ``wanted`` that is neither of them.
    """
    return new_loop if own_transports_because(wanted) else lambda: connecting_fast(new_loop())


def connecting_fast(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """Let connections that ``loop`` makes by TLS be aiofastnet's, where that is installed; all others stay its own.

    Without TLS uvloop's transports cost less than aiofastnet's.
    """
    fast = _aiofastnet()
    if fast is None:
        return loop
    own: Connect = loop.create_connection

    async def create_connection(*args: Any, **options: Any) -> Any:
        if not options.get("ssl"):
            return await own(*args, **options)
        try:
            return await fast.create_connection(loop, *args, **{**LIMITS, **options})
        except ssl.SSLError as error:
            if not error.args:
                _complete(error, options.get("server_hostname"))
            raise

    loop.create_connection = create_connection  # type: ignore[method-assign]  # as aiofastnet itself does
    return loop


def _aiofastnet() -> ModuleType | None:
    try:
        import aiofastnet  # noqa: PLC0415 -- not on Windows and PyPy
    except ImportError:
        return None
    return aiofastnet


def _complete(error: ssl.SSLError, host: object) -> None:
    """Set the members of an error as Python's ``ssl`` does, but for the line in its source; aiofastnet sets few.

    Whoever prints such an error, as aiohttp does, prints its arguments.
    """
    text = error.reason.lower().replace("_", " ")
    if isinstance(error, ssl.SSLCertVerificationError):
        if "mismatch" in error.verify_message:
            what = error.verify_message[:1].upper() + error.verify_message[1:]
            error.verify_message = f"{what}, certificate is not valid for '{host}'."
        text = f"{text}: {error.verify_message}"
    error.library = "SSL"
    error.errno, error.strerror = ssl.SSL_ERROR_SSL, f"[SSL: {error.reason}] {text}"
    error.args = (error.errno, error.strerror)
