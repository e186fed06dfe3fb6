"""The variables by which a worker process of ``gateway serve --workers N`` gets its place from its supervisor."""

import gc
import os
import socket
from collections.abc import Sequence
from pathlib import Path

SPARE = "GATEWAY_SPARE"
"""A spare worker's variable: the descriptor of the socket by which it gets its place."""
WORKER = "GATEWAY_WORKER"
"""A worker's variable that holds its number, the board's descriptor, and the folder of the kept configuration."""
METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder of several processes' metrics (prometheus_client, "Multiprocess Mode")."""
LISTENERS = "GATEWAY_WORKER_LISTENERS"
"""A worker's variable: the descriptors of its sockets, and after a semicolon of those for health and metrics."""
_PLACE_BYTES = 8192
_PLACE_SOCKETS = 64


def worker_variable(number: int, descriptor: int, kept: Path) -> str:
    """Return the value of :data:`WORKER` for a worker."""
    return f"{number}/{descriptor}/{kept}"


def listeners_variable(public: Sequence[socket.socket], private: Sequence[socket.socket]) -> str:
    """Return the value of :data:`LISTENERS` for a worker."""
    return ";".join(",".join(str(one.fileno()) for one in sockets) for sockets in (public, private))


def is_spare() -> bool:
    """Return ``True`` if this process is a spare worker, which has no place yet."""
    return SPARE in os.environ


def has_place() -> bool:
    """Wait until this spare worker is given a place; ``False`` where its supervisor is gone.

    From then on it is a worker like any other, with the variables of one.
    """
    gc.collect()
    gc.freeze()  # what is loaded need not be looked through again, which would delay its first sign of life
    with socket.socket(fileno=int(os.environ.pop(SPARE))) as place:
        message, descriptors, _, _ = socket.recv_fds(place, _PLACE_BYTES, _PLACE_SOCKETS)
    if not message:
        return False
    worker, public = message.decode().rsplit("\n", 1)
    listeners = [socket.socket(fileno=one) for one in descriptors]
    os.environ[WORKER] = worker
    os.environ[LISTENERS] = listeners_variable(listeners[: int(public)], listeners[int(public) :])
    for one in listeners:
        one.detach()  # ``inherited_listeners`` takes them
    return True


def is_worker() -> bool:
    """Return ``True`` if this process is one of several on its port."""
    return WORKER in os.environ


def is_first_worker() -> bool:
    """Return ``True`` in one of several processes, and in a process that is alone."""
    return not is_worker() or os.environ[WORKER].startswith("1/")


def kept_configuration() -> Path | None:
    """Return the folder of the kept configuration; ``None`` outside a worker."""
    return Path(os.environ[WORKER].split("/", 2)[2]) if is_worker() else None
