"""The errors of connecting, in one line each."""

import contextlib
import os
from collections.abc import Iterator
from http import HTTPStatus

import aiohttp

from gateway.errors import GatewayError, InputError


class RefusedError(GatewayError):
    """The gateway answered a request of the call with a status that refuses it.

    ``stream`` is true for the upgrade of the media stream, false for a webhook; ``said`` is the text of the answer.
    """

    def __init__(self, message: str, status: int, *, stream: bool = False, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.stream = stream
        self.said = said


class UnreachableError(GatewayError):
    """Nobody answers at the gateway's address, or the connection broke before the answer."""


class BusyError(GatewayError):
    """The gateway rejected the call as busy, in the provider's own words, before it was answered."""

    def __init__(self, answer_url: str) -> None:
        super().__init__(f"{answer_url} rejected the call: busy")


def status_text(status: int) -> str:
    """Return a status with its usual name: ``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


@contextlib.contextmanager
def reaching(url: str, what: str, timeout_s: float) -> Iterator[None]:
    """Raise ``GatewayError`` for a request in the block that fails, or ``InputError`` where ``url`` is none."""
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        message = f"{what} {url} was refused: {status_text(error.status)}; expected 101"
        raise RefusedError(message, error.status, stream=True) from error
    except aiohttp.InvalidURL as error:
        raise InputError(f"{url!r} is not a URL; expected one like ws://127.0.0.1:8080/stream/twilio") from error
    except ValueError as error:  # such as a user in the URL beside credentials that the provider sends
        raise InputError(f"{what} {url} cannot be asked for: {error}") from error
    except TimeoutError as error:
        raise GatewayError(f"{what} {url} did not answer within {timeout_s:g} s") from error
    except aiohttp.ClientConnectorError as error:
        reason = os.strerror(error.os_error.errno) if error.os_error.errno else str(error.os_error)
        raise UnreachableError(f"{what} {url} cannot be reached: {reason}") from error
    except aiohttp.ClientError as error:
        raise UnreachableError(f"{what} {url} cannot be reached: {error}") from error
