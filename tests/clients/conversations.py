"""Runs the conversation of a client as a process beside the emulator, and judges it by what both ends met."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.sim.emulator import Emulator, Script, Session
from tests.clients import environments
from tests.clients.table import Row
from tests.clients.voicelive_sdk import recordings

ROOT = Path(__file__).parents[2]
PROGRAMS, PACKAGE = Path(__file__).parent / "programs", "tests.clients.programs"
LIMIT_S = 90
ANSWER = "It is sunny in Beijing, at twenty-five degrees, and it stays so until the evening."
SCRIPT = {
    "turns": [
        {
            "heard": "How is the weather in Beijing?",
            "call": {"name": "get_weather", "arguments": {"location": "Beijing"}},
            "after_call": ANSWER,
        }
    ]
}


@dataclass(frozen=True)
class Client:
    """A client, its package, and the program that converses by it. ``expected`` are errors that it asks for."""

    title: str
    package: str
    requirements: Sequence[str]
    program: str
    tls: bool = False
    expected: frozenset[str] = field(default_factory=frozenset)

    def run(self) -> Row:
        """Install the newest release, hold the conversation, and return what came of it."""
        if self.program.endswith(".mjs"):
            folder = environments.node_folder(Path(self.program).stem, self.requirements)
            program = folder / self.program  # it finds its packages beside itself
            program.write_bytes((PROGRAMS / self.program).read_bytes())
            command, version = ["node", str(program)], environments.version_of_node(folder, self.package)
        else:
            python = environments.virtual_environment(self.package, self.requirements)
            command = [str(python), "-m", f"{PACKAGE}.{self.program}"]
            version = environments.version_in(python, self.package)
        problems = asyncio.run(self._converse(command))
        return Row(
            self.title,
            version,
            "a question, a function, the answer to its end",
            "; ".join(problems) or "as with the service",
            good=not problems,
        )

    async def _converse(self, command: Sequence[str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            question = Path(folder) / "question.raw"
            question.write_bytes(recordings.phrase("order_status").astype("<i2").tobytes())
            async with Emulator(Script.model_validate(SCRIPT), tls=self.tls) as emulator:
                environ = {
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "VOICE_LIVE_ENDPOINT": emulator.endpoint,
                    "VOICE_LIVE_KEY": "any",
                    "QUESTION": str(question),
                    **(
                        {"SSL_CERT_FILE": str(emulator.ca_file), "NODE_EXTRA_CA_CERTS": str(emulator.ca_file)}
                        if self.tls
                        else {}
                    ),
                }
                if self.tls:
                    environ["SSL_CERT_FILE"] = str(emulator.ca_file)
                return await self._judged(command, environ, emulator)

    async def _judged(self, command: Sequence[str], environ: Mapping[str, str], emulator: Emulator) -> list[str]:
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=-1, stderr=-1)
        try:
            async with asyncio.timeout(LIMIT_S):
                out, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            _, errors = await process.communicate()
            return [f"no end after {LIMIT_S} s: {_last(errors)}"]
        if process.returncode != 0:
            return [f"exit {process.returncode}: {_last(errors)}"]
        met = json.loads(_last(out))
        return [*_problems(met), *(problem for session in emulator.sessions for problem in self._errors(session))]

    def _errors(self, session: Session) -> list[str]:
        sent = [record.event["error"] for record in session.sent if record.type == "error"]
        return [f"error {error['code']}: {error['message']}" for error in sent if error["code"] not in self.expected]


def _problems(met: Mapping[str, object]) -> list[str]:
    problems = []
    if met["calls"] != ["get_weather"]:
        problems.append(f"functions called: {met['calls']}")
    if " ".join(str(met["words"]).split()) != ANSWER:
        problems.append(f"words heard: {met['words']!r}")
    if int(str(met["audio_ms"])) < 2_000:
        problems.append(f"audio heard: {met['audio_ms']} ms")
    return problems


def _last(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"
