"""Runs the official samples of the SDK, as its source distribution has them, until their conversation is over."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.sim.emulator import Emulator, Script
from tests.clients import environments
from tests.clients.table import Row
from tests.clients.voicelive_sdk import recordings
from tests.clients.voicelive_sdk.live_tests import PACKAGE, environment

LIMIT_S = 90
LAST = "That is all that I know of it. Goodbye."
"""The answer with which the conversation of each sample is over."""
_WEATHER = {"name": "get_current_weather", "arguments": {"location": "Seattle, WA"}}
_WIKI = {"server_label": "deepwiki", "name": "ask_question", "arguments": {"question": "?"}, "output": "An SDK."}
_DOCS = {"server_label": "azure_doc", "name": "search", "arguments": {"question": "?"}, "output": "A voice."}
AGENT = "agent_v2_sample.py"
SAMPLES: Mapping[str, Sequence[Mapping[str, object]]] = {
    "basic_voice_assistant_async.py": [{"say": "What would you like to know?"}, {"say": LAST}],
    "async_function_calling_sample.py": [{"call": _WEATHER, "after_call": "It rains."}, {"say": LAST}],
    AGENT: [{"say": "What would you like to know?"}, {"say": LAST}],
    "async_mcp_sample.py": [{"mcp": _WIKI, "after_call": "It is an SDK."}, {"mcp": _DOCS, "after_call": LAST}],
}


def run() -> Row:
    """Return what came of the samples."""
    known = version(PACKAGE)
    python = environment(known)
    folder = environments.source_of(python, PACKAGE, known) / "samples"
    problems = []
    for sample, turns in SAMPLES.items():
        script = Script.model_validate({"turns": turns, "pace": 4})
        problems += [f"{sample}: {problem}" for problem in asyncio.run(_converse(python, folder / sample, script))]
    what = f"{', '.join(f'`{sample}`' for sample in SAMPLES)}: two turns each"
    return Row(f"samples of `{PACKAGE}`", known, what, "; ".join(problems) or "as with the service", good=not problems)


async def _converse(python: Path, sample: Path, script: Script) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        question = Path(folder) / "question.raw"
        question.write_bytes(recordings.phrase("order_status").astype("<i2").tobytes())
        async with Emulator(script) as emulator, _identity() as identity:
            environ = {
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parent / "stand_in"),
                "QUESTION": str(question),
                "AZURE_VOICELIVE_ENDPOINT": emulator.endpoint,
                "AZURE_VOICELIVE_API_KEY": "any",
                "AZURE_VOICELIVE_USE_API_KEY": "" if sample.name == AGENT else "true",
                "AGENT_NAME": "support",
                "AGENT_PROJECT_NAME": "contoso",
                "IDENTITY_ENDPOINT": identity,
                "IDENTITY_HEADER": "any",
            }
            process = await asyncio.create_subprocess_exec(
                str(python), str(sample), env=environ, cwd=folder, stdin=-1, stdout=-3, stderr=-3
            )
            assert process.stdin is not None
            process.stdin.write(b"y\n" * 10)  # what the sample asks before it calls a tool
            try:
                async with asyncio.timeout(LIMIT_S):
                    while not _is_over(emulator) and process.returncode is None:  # noqa: ASYNC110 -- two are watched
                        await asyncio.sleep(0.2)
            except TimeoutError:
                return [f"no {LAST!r} after {LIMIT_S} s"]
            finally:
                if process.returncode is None:
                    process.send_signal(signal.SIGINT)
                    await process.wait()
            return [] if _is_over(emulator) else [f"exit {process.returncode}"]


@asynccontextmanager
async def _identity() -> AsyncIterator[str]:
    """Play the managed identity of an App Service, which gives a token: agents take no key. Yield its URL."""

    async def token(request: web.Request) -> web.Response:
        resource, later = request.query["resource"], str(int(time.time()) + 3600)
        return web.json_response(
            {"access_token": "t", "expires_on": later, "resource": resource, "token_type": "Bearer"}
        )

    app = web.Application()
    app.router.add_get("/token", token)
    async with TestServer(app) as server:
        yield str(server.make_url("/token"))


def _is_over(emulator: Emulator) -> bool:
    """Return whether the last answer was given to its end; raise where the service answered with an error."""
    said = [record.event for session in emulator.sessions for record in session.sent]
    if errors := [event["error"] for event in said if event["type"] == "error"]:
        raise AssertionError(f"the service answered {errors[0]}")
    ends = [event["transcript"] for event in said if event["type"] == "response.audio_transcript.done"]
    return LAST in ends
