"""The transports under all connections: aiofastnet's where it is installed, which make TLS cheaper, or the loop's own.

aiofastnet lets OpenSSL read and write a connection itself, without the buffers of Python's ``ssl`` between them.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import wraps
from types import ModuleType
from typing import ParamSpec, TypeVar

from gateway.errors import InputError

P = ParamSpec("P")
Result = TypeVar("Result")
NewLoop = Callable[[], asyncio.AbstractEventLoop]

FAST, OWN = "aiofastnet", "loop"
"""The transports that may be wanted; aiofastnet's where no choice is made."""


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
    fast = None if own_transports_because(wanted) else _aiofastnet()
    if fast is None:
        return new_loop
    make: NewLoop = fast.loop_factory(new_loop)

    def make_with_texts() -> asyncio.AbstractEventLoop:
        loop = make()
        for name in ("create_connection", "start_tls"):
            setattr(loop, name, _with_texts(getattr(loop, name)))
        return loop

    return make_with_texts


def _aiofastnet() -> ModuleType | None:
    try:
        import aiofastnet  # noqa: PLC0415 -- not on Windows and PyPy
    except ImportError:
        return None
    return aiofastnet


def _with_texts(connect: Callable[P, Awaitable[Result]]) -> Callable[P, Awaitable[Result]]:
    """Let the errors of TLS that ``connect`` raises have the texts of Python's ``ssl``: aiofastnet's have no arguments.

    Whoever prints such an error, as aiohttp does, prints its arguments.
    """

    @wraps(connect)
    async def connected(*args: P.args, **options: P.kwargs) -> Result:
        try:
            return await connect(*args, **options)
        except ssl.SSLError as error:
            if not error.args:
                _complete(error, options.get("server_hostname"))
            raise

    return connected


def _complete(error: ssl.SSLError, host: object) -> None:
    """Set the members of an error as Python's ``ssl`` does, but for the line in its source."""
    text = error.reason.lower().replace("_", " ")
    if isinstance(error, ssl.SSLCertVerificationError):
        if "mismatch" in error.verify_message:
            what = error.verify_message[:1].upper() + error.verify_message[1:]
            error.verify_message = f"{what}, certificate is not valid for '{host}'."
        text = f"{text}: {error.verify_message}"
    error.library = "SSL"
    error.errno, error.strerror = ssl.SSL_ERROR_SSL, f"[SSL: {error.reason}] {text}"
    error.args = (error.errno, error.strerror)
