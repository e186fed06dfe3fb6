"""The outside world of the doctor's tests: real servers on 127.0.0.1, real TLS, a configuration on disk."""

import asyncio
import datetime
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.cli import doctor
from gateway.cli.starting.commands import command_line
from gateway.doctor.examination import means_for
from gateway.doctor.row import Row
from gateway.logs import setup as logs
from tests.documents import ROOT
from tests.voice.credential import FakeCredential

KEY = "planted-key-0123456789abcdef"
LINE = """
numbers: ["+14255550100"]
instructions: Answer.
greeting: Thank you for calling Contoso. How can I help?
model: gpt-4.1
"""


class Authority:
    """A certificate authority, and certificates for ``localhost`` of it."""

    def __init__(self, folder: Path, name: str = "Contoso Test CA") -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._signed(self._name, self._key, is_authority=True).public_bytes(Encoding.PEM))

    def server(self, *, days: int = 90) -> ssl.SSLContext:
        """A server's context with a certificate for localhost that is valid for so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        certificate = self._signed(name, key, days=days)
        chain = self._folder / f"server-{days}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        return context

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool = False, days: int = 90
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=100))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if is_authority:
            usage = x509.KeyUsage(
                **dict.fromkeys(("digital_signature", "key_cert_sign", "crl_sign"), True),
                **dict.fromkeys(
                    (
                        "content_commitment",
                        "key_encipherment",
                        "data_encipherment",
                        "key_agreement",
                        "encipher_only",
                        "decipher_only",
                    ),
                    False,
                ),
            )
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@contextmanager
def trusted(authority: Authority) -> Iterator[None]:
    """Let this process trust an authority, as ``SSL_CERT_FILE`` does for one that starts with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.file))
        context = ssl.create_default_context()
        context.set_alpn_protocols(("http/1.1",))
        patch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)
        yield


@asynccontextmanager
async def behind_tls(port: int, context: ssl.SSLContext) -> AsyncIterator[str]:
    """Listen by TLS and pass everything on to a port of 127.0.0.1; yields the address, ``https://localhost:…``."""
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, inner_writer))
                group.create_task(pump(inner_reader, writer))
            for end in (writer, inner_writer):
                with suppress(OSError):
                    await end.wait_closed()
        except (OSError, asyncio.CancelledError):  # the test is over
            writer.close()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def answering(status: int, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A web server that answers everything with ``status``; yields its address at localhost."""
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"status": status}, status=status)

    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield f"http{'s' if context else ''}://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Examined:
    """What ``gateway doctor`` printed and ended with, and its rows."""

    def __init__(self, code: int, rows: list[Row], told: str) -> None:
        self.code = code
        self.rows = rows
        self.told = told

    @property
    def faults(self) -> list[Row]:
        """The rows that are not fine, in their order."""
        return [row for row in self.rows if row.outcome not in ("fine", "skipped")]

    def row(self, name: str) -> Row:
        """The only row of that name."""
        (found,) = [row for row in self.rows if row.name == name]
        return found


class Stage:
    """A configuration in a folder, and the doctor run on it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._patch = patch
        self._output = output
        self._means: dict[str, Any] = {"pace_s": 0.0}
        (folder / "lines").mkdir()
        self.write("lines/sales.yaml", LINE)

    def write(self, name: str, text: str) -> None:
        """Write a file of the configuration."""
        (self._folder / name).write_text(text)

    def set(self, **variables: str) -> None:
        """Set variables of the environment."""
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def with_means(self, **means: object) -> None:
        """Replace things that checks act with, such as ``now_s``."""
        self._means |= means

    async def examined(self, *arguments: str) -> Examined:
        """Run ``gateway doctor`` in this loop."""
        self._patch.setattr(doctor, "means_for", partial(means_for, **self._means))
        file = str(self._folder / "gateway.yaml")
        options = command_line().parse_args(["doctor", "--config", file, *arguments])
        output = doctor._output
        logs.configure(json=False, level="error", private=False)
        self._output.readouterr()
        rows: list[Row] = []
        show = doctor._output(quiet=options.json)

        def note(row: Row) -> None:
            rows.append(row)
            show(row)

        self._patch.setattr(doctor, "_output", lambda *, quiet: note)
        code = await doctor._doctor(options)
        self._patch.setattr(doctor, "_output", output)
        return Examined(code, rows, self._output.readouterr().out)

    async def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Run a command in a process of its own; return its exit code and what it printed."""
        program = (sys.executable, "-m", "gateway", command, "--config", str(self._folder / "gateway.yaml"), *arguments)
        process = await asyncio.create_subprocess_exec(*program, stdout=PIPE, stderr=PIPE, cwd=ROOT)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    def with_identity(self) -> None:
        """Give the machine a Microsoft Entra identity, whose token is valid for an hour."""
        FakeCredential.made, FakeCredential.failure = [], None
        self._patch.setattr("azure.identity.aio.DefaultAzureCredential", FakeCredential)
