"""The image and the Compose file agree with the code, as far as that can be told without a container engine."""

import asyncio
import fnmatch
import json
import os
import re
import shlex
import socket
import sys
from argparse import Namespace
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from gateway.cli.starting.commands import command_line
from gateway.config.deployment import DeploymentLimits
from gateway.config.providers import environment_names
from gateway.config.reading import environment
from gateway.config.urls import private_listener
from gateway.network.descriptors import needed
from gateway.sim.providers.twilio import signature
from tests.documents import ROOT

COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INSTRUCTIONS = re.findall(
    r"^([A-Z]+) +((?:.*\\\n)*.*)$", (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", ""), re.MULTILINE
)
PROVIDERS = {name for names in environment_names().values() for name in names}
NAMES = {
    *environment.ENDPOINT,
    *environment.KEY,
    *environment.MODEL,
    *environment.PUBLIC_URL,
    *environment.DATA,
    *PROVIDERS,
}

_TEXTS = {"type": "array", "items": {"type": "string"}}
_DURATION = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}
_SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "image": {"type": "string"},
        "build": {"type": "string"},
        "pull_policy": {"enum": ["always", "never", "missing", "build"]},
        "profiles": {"type": "array", "items": {"type": "string", "pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"}},
        "init": {"type": "boolean"},
        "read_only": {"type": "boolean"},
        "cap_drop": _TEXTS,
        "cap_add": _TEXTS,
        "mem_limit": {"type": "string", "pattern": "^[0-9]+(b|k|m|g|kb|mb|gb)$"},
        "pids_limit": {"type": "integer", "minimum": 1},
        "ulimits": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        "security_opt": _TEXTS,
        "tmpfs": _TEXTS,
        "user": {"type": "string"},
        "command": _TEXTS,
        "volumes": _TEXTS,
        "ports": _TEXTS,
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "stop_grace_period": _DURATION,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "env_file": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path"],
                "properties": {"path": {"type": "string"}, "required": {"type": "boolean"}},
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "disable": {"type": "boolean"},
                "test": _TEXTS,
                "interval": _DURATION,
                "timeout": _DURATION,
                "start_period": _DURATION,
            },
        },
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {"condition": {"enum": ["service_started", "service_healthy"]}},
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["services"],
    "properties": {
        "services": {"type": "object", "additionalProperties": _SERVICE},
        "volumes": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 0}},
    },
    "patternProperties": {"^x-": True},
}
"""The part of the Compose specification that this file uses (compose-spec, 05-services.md)."""


def instruction(name: str) -> list[str]:
    """The arguments of all instructions of a kind."""
    return [arguments for kind, arguments in INSTRUCTIONS if kind == name]


def words(service: str) -> list[str]:
    """Return the words of a service's command, which follow the image's ENTRYPOINT."""
    command: list[str] = SERVICES[service].get("command") or json.loads(instruction("CMD")[-1])
    return command


def options(service: str) -> Namespace:
    """The same, as our command line understands it."""
    return command_line().parse_args(words(service))


def test_the_compose_file_is_one() -> None:
    """Keys, types and durations are those of the Compose specification."""
    Draft202012Validator.check_schema(SCHEMA)
    errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)]
    assert not errors


def test_every_service_runs_a_command_of_ours() -> None:
    """The image's entry point is the console command; what the services add to it parses."""
    assert instruction("ENTRYPOINT") == ['["gateway"]']
    assert {name: options(name).command for name in SERVICES} == {
        "gateway": "serve",
        "demo-gateway": "serve",
        "emulator": "emulator",
        "caller": "call",
    }


def test_the_demo_leaves_real_resources_alone() -> None:
    """Only the gateway reads ``.env`` and is built and published; the rest starts with the profile, from its image."""
    assert [name for name, service in SERVICES.items() if "env_file" in service] == ["gateway"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["gateway"]["ports"])
    for name, service in SERVICES.items():
        assert service.get("profiles") == (None if name == "gateway" else ["demo"])
        assert ("build" in service) is (name == "gateway")
        assert service.get("pull_policy") == (None if name == "gateway" else "never")
        assert service["image"] == SERVICES["gateway"]["image"]
        assert all(
            SERVICES[other].get("profiles", service["profiles"]) == service["profiles"]
            for other in service.get("depends_on", {})
        )


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded(name: str) -> None:
    """None has rights but for one that it needs, writes to its image, or takes the machine's memory or processes."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["DAC_OVERRIDE"] if service.get("user") == "root" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert 0 < service["pids_limit"] <= 1000
    assert all("size=" in mount for mount in service["tmpfs"])
    if options(name).command == "serve":
        limits = DeploymentLimits()
        assert service["ulimits"]["nofile"] >= needed(limits.places, limits.connections)
        minutes = re.fullmatch(r"(\d+)m", service["stop_grace_period"])
        assert minutes is not None
        assert int(minutes[1]) * 60 >= options(name).drain + 60


def test_the_services_find_each_other() -> None:
    """Each address names a service, the port it listens on, and a service that is waited for."""
    addresses = [
        *((name, url) for name in SERVICES for url in settings(name).values() if "://" in url),
        *((name, options(name).url) for name in SERVICES if options(name).command == "call"),
    ]
    assert len(addresses) == 3
    for name, url in addresses:
        address = urlsplit(url)
        assert address.hostname is not None
        if address.hostname == name:  # the gateway's own address, that the caller signs for
            assert url == options("caller").url == settings(name)[environment.PUBLIC_URL[0]]
            continue
        assert options(address.hostname).port == address.port
        assert options(address.hostname).host == "0.0.0.0"  # noqa: S104 -- every address of its container, by design
        assert SERVICES[name]["depends_on"][address.hostname]["condition"] == "service_healthy"


def settings(service: str) -> dict[str, str]:
    """Return the environment of a service."""
    found: dict[str, str] = SERVICES[service].get("environment", {})
    return found


def test_the_caller_signs_with_what_the_gateway_checks() -> None:
    """A gateway that checks every webhook takes this caller's."""
    signed = set(settings("caller").items())
    assert signed
    assert signed <= set(settings("demo-gateway").items())
    assert set(settings("caller")) <= PROVIDERS


def test_the_settings_are_ones_that_the_gateway_knows() -> None:
    """The environment's names, the mounted configuration, and what is mounted from here exists."""
    for service in SERVICES.values():
        assert NAMES.issuperset(service.get("environment", {}))
        for volume in service.get("volumes", []):
            here, there, *_ = volume.split(":")
            assert here == "./calls" or here in COMPOSE["volumes"] or (ROOT / here).exists()
            assert here != "./config" or there == f"{instruction('WORKDIR')[-1]}/config"
    assert all((ROOT / "gateway/sim/prompts/caller" / recording.name).exists() for recording in recordings())


def test_the_records_outlive_the_container() -> None:
    """The image's folder of data is a volume of the gateway; a demo leaves none behind."""
    (data,) = (arguments.partition("=")[2] for arguments in instruction("ENV") if arguments.startswith("GATEWAY_DATA="))
    assert f"data:{data}" in SERVICES["gateway"]["volumes"]
    assert any(data in shlex.split(arguments) for arguments in instruction("RUN"))
    assert settings("demo-gateway")["GATEWAY_DATA"].startswith("/tmp/")  # noqa: S108 -- of the container


def recordings() -> list[Path]:
    """Return the recordings that the caller plays."""
    found: list[Path] = options("caller").recordings
    return found


def test_the_image_is_made_of_what_the_context_holds() -> None:
    """Whatever COPY names exists and is let in by .dockerignore, which keeps everything else out."""
    rules = [rule for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if rule and rule[0] != "#"]
    assert rules[0] == "*"
    let_in = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [shlex.split(arguments)[:-1] for arguments in instruction("COPY") if not arguments.startswith("--from")]
    for source in {name for names in copied for name in names}:
        assert (ROOT / source).exists()
        assert any(fnmatch.fnmatch(source, pattern) for pattern in let_in)
    assert set(let_in) == {name for names in copied for name in names}


def test_the_image_runs_a_supported_python_without_rights() -> None:
    """Both stages have the same Python, which the package names as supported, and the last USER is not root."""
    (version,) = {arguments.split()[0] for arguments in instruction("FROM")}
    classifier = f"Programming Language :: Python :: {version.removeprefix('python:').removesuffix('-slim')}"
    assert classifier in (ROOT / "pyproject.toml").read_text("utf-8")
    assert instruction("USER")[-1] != "root"


async def test_the_demo_as_compose_runs_it(tmp_path: Path) -> None:
    """Emulator, gateway and caller find each other by the very commands, health checks and settings of the services.

    Only hosts, ports and folders are replaced. When the bot speaks, the provider says that the call is over.
    """
    async with AsyncExitStack() as started, asyncio.timeout(60):
        emulator = await started.enter_async_context(running("emulator", {}))
        port = int(await told(emulator, r"Voice Live emulator: http://[^:]+:(\d+)"))
        await is_healthy(SERVICES["emulator"]["healthcheck"]["test"][1:], options("emulator").port, port)
        here, private = free_port(), free_port()
        replaced = {"emulator:8090": f"127.0.0.1:{port}", "demo-gateway:8080": f"127.0.0.1:{here}"}
        local = {name: substituted(value, replaced) for name, value in settings("demo-gateway").items()}
        gateway = await started.enter_async_context(running("demo-gateway", local, here, private))
        port = int(await told(gateway, r'"port": (\d+)'))
        assert port == here
        check = json.loads(instruction("HEALTHCHECK")[0].partition(" CMD ")[2])
        await is_healthy(check, private_listener(options("gateway").private)[1], private)
        replaced |= {"/calls/": f"{tmp_path}/", "/recordings/": f"{ROOT}/gateway/sim/prompts/caller/"}
        call = [substituted(word, replaced) for word in words("caller")]
        caller = await python("-m", "gateway", *call, settings=settings("caller"))
        call_id = await told(gateway, r'^(?=.*"reply_heard").*"call": "(\w+)"')
        await over(settings("demo-gateway")["TWILIO_AUTH_TOKEN"], f"http://127.0.0.1:{here}/status/twilio", call_id)
        await caller.wait()
        gateway.terminate()
        await gateway.communicate()
    kept = json.loads((tmp_path / "compose" / "call.json").read_text("utf-8"))
    assert kept["complaints"] in ([], ["the bot never spoke"])  # a slow machine hears nothing before the end
    assert (gateway.returncode, caller.returncode) == (0, len(kept["complaints"]))
    heard = json.loads((tmp_path / "compose" / "call.json").read_text("utf-8"))
    assert heard["ended"]["by"] == "gateway"
    assert heard["phone"]["violations"] == []


async def over(token: str, url: str, call_id: str) -> None:
    """Report a call as over, as Twilio would."""
    form = {"CallSid": call_id, "CallStatus": "completed"}
    headers = {"X-Twilio-Signature": signature(token, url, form)}
    async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as said:
        assert said.status == 204


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def substituted(text: str, replaced: dict[str, str]) -> str:
    """The text with what stands for a container's address or folder replaced by this machine's."""
    return re.sub("|".join(replaced), lambda found: replaced[found[0]], text)


async def python(*arguments: str, settings: dict[str, str] | None = None, output: int = DEVNULL) -> Process:
    """A Python of this environment, in the root of the project, with no settings but these."""
    names = {*NAMES, *environment.API_VERSION, *environment.STREAM_KEY}
    clean = {name: value for name, value in os.environ.items() if name not in names}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=ROOT,
        env={**clean, **(settings or {})},
        stdin=DEVNULL,
        stdout=output,
        stderr=STDOUT if output == PIPE else DEVNULL,
    )


@asynccontextmanager
async def running(service: str, settings: dict[str, str], port: int = 0, private: int = 0) -> AsyncIterator[Process]:
    """A service's command, on 127.0.0.1 and these ports, or free ones."""
    local = [
        re.sub(r"^0\.0\.0\.0(:9090)?$", lambda found: f"127.0.0.1:{private}" if found[1] else "127.0.0.1", word)
        for word in words(service)
        if not word.startswith(("--host=", "--port="))
    ]
    where = ["--host=127.0.0.1", f"--port={port}"]
    process = await python("-m", "gateway", *local, *where, settings=settings, output=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def told(process: Process, pattern: str) -> str:
    """Read what the process writes until it has told this."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if found := re.search(pattern, line.decode()):
            return found[1]
    return pytest.fail(f"it ended before it told {pattern}")


async def is_healthy(check: list[str], there: int, here: int) -> None:
    """Run a health check against the port that stands for the container's."""
    assert check[:2] == ["python", "-c"]
    assert str(there) in check[2]
    checking = await python("-c", check[2].replace(str(there), str(here)))
    assert await checking.wait() == 0
