"""Real object stores on this machine, started for tests: Azurite for Azure Blob Storage, SeaweedFS for S3.

They are looked for in the environment (``TEST_AZURITE``, ``TEST_WEED``: paths of programs), on PATH, in
``node_modules`` and the virtual environment, and in the cache folder into which ``.ci/run`` installs them. Tests are
skipped where they are not.
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.target import free_ports
from gateway.config.reading.environment import FromEnvironment
from gateway.config.records.recordings import Recordings
from gateway.errors import StoreError
from gateway.records.storing.objects import ObjectStore
from gateway.records.storing.opening import open_store
from tests.documents import ROOT

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voice-line-gateway" / "stores"
AZURITE_ACCOUNT = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that every Azurite has; its documentation names the key."""


@dataclass
class Server:
    """A store that runs. ``root`` is the URL of a container or bucket that exists."""

    root: str
    section: Mapping[str, str]
    """The keys of ``recordings:`` that reach it."""
    environ: Mapping[str, str] = field(default_factory=dict)


def find(variable: str, name: str, *places: Path) -> str:
    """Return the path of a server's program, or skip the test."""
    named = os.environ.get(variable)
    if named and Path(named).is_file():
        return named
    for place in places:
        if (place / name).is_file():
            return str(place / name)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: .ci/run installs it, and {variable} may name it")
    return found


@contextmanager
def azurite(folder: Path, port: int = 0) -> Iterator[Server]:
    """Run Azurite, with an empty container."""
    program = find("TEST_AZURITE", "azurite-blob", *(base / "node_modules" / ".bin" for base in (ROOT, CACHE)))
    told = folder / "azurite.log"
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder / "azurite")]
    with _running([*command, "--skipApiVersionCheck", "--disableTelemetry"], told) as process:
        while not (found := re.search(r"successfully listens on (http://\S+)", told.read_text())):
            _wait(process, told)
        address = f"{found[1]}/{AZURITE_ACCOUNT}"
        connection = f"DefaultEndpointsProtocol=http;AccountName={AZURITE_ACCOUNT};BlobEndpoint={address};"
        section = {"connection_string": f"{connection}AccountKey={AZURITE_KEY};"}
        server = Server("az://recordings/calls", section)
        _made(server)
        yield server


@contextmanager
def weed(folder: Path) -> Iterator[Server]:
    """Run SeaweedFS with its S3 interface, with an empty bucket."""
    program = find("TEST_WEED", "weed", Path(sys.prefix) / "bin", CACHE / "venv" / "bin")
    told = folder / "weed.log"
    key, secret = "testkey", secrets.token_hex(16)
    who = {"name": "test", "credentials": [{"accessKey": key, "secretKey": secret}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
    (folder / "weed").mkdir()
    names = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = [f"-{name.replace('.', '.port.', 1) if '.' in name else name + '.port'}={ports[name]}" for name in names]
    command = [program, "-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    rest = ["-master.telemetry=false", "-volume.max=20", "-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=0"]
    off = ["-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.localSocket={folder / 's3.sock'}"]
    config = [f"-dir={folder / 'weed'}", f"-s3.config={folder / 's3.json'}"]
    with _running([*command, *rest, *off, *config, *options], told) as process:
        address = f"http://127.0.0.1:{ports['s3']}"
        while not _answers(address):
            _wait(process, told)
        environ = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true"}
        server = Server("s3://recordings/calls", {"endpoint_url": address, "region": "us-east-1"}, environ)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            _made(server)
        yield server


@contextmanager
def _running(command: list[str], told: Path) -> Iterator[subprocess.Popen[bytes]]:
    with told.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 -- a program that the developer installed
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.kill()  # what it holds is thrown away
        process.wait()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 -- an address of this machine
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True


def _wait(process: subprocess.Popen[bytes], told: Path) -> None:
    """Wait a moment for a server to start; skip the test where it does not, which is not the gateway's fault."""
    if process.poll() is not None:
        pytest.skip(f"{told.stem} does not start: {told.read_text()[-500:]}")
    time.sleep(0.05)


def settings_of(server: Server) -> Recordings:
    """Return the settings that reach a server."""
    values: dict[str, Any] = dict(server.section)
    if "connection_string" in values:
        values["connection_string"] = FromEnvironment(values["connection_string"], "STRING")
    return Recordings.model_validate({"store": server.root, **values})


def _made(server: Server) -> None:
    """Make the container or bucket."""

    async def make() -> None:
        store = open_store(settings_of(server), Path())
        assert isinstance(store, ObjectStore)
        name = server.root.split("/")[2]
        for _ in range(600):
            try:
                await store.try_out()
                break
            except StoreError:
                with suppress(StoreError):  # it answers before it is ready
                    await store._ask("mkdir", name)
                await asyncio.sleep(0.1)
        await store.close()

    with ThreadPoolExecutor(1) as thread:  # a test may have a loop of its own
        thread.submit(lambda: asyncio.run(make())).result()
