"""The files of ``deploy/`` are valid, and agree with the command line, the routes and each other."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from gateway.cli.starting.commands import command_line
from gateway.cli.workers import END_LIMIT_S
from gateway.config.urls import private_listener
from tests.documents import ROOT

KUBERNETES = "1.31"
MANIFESTS: list[dict[str, Any]] = list(
    YAML(typ="safe").load_all((ROOT / "deploy" / "kubernetes" / "gateway.yaml").read_text("utf-8"))
)
POD: dict[str, Any] = MANIFESTS[0]["spec"]["template"]["spec"]
SYSTEMD_ANALYZE = shutil.which("systemd-analyze")
UNIT = ROOT / "deploy" / "systemd" / "voice-line-gateway.service"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: str(manifest["kind"]))
def test_a_manifest_is_what_kubernetes_takes(manifest: dict[str, Any]) -> None:
    """Every key is one of its API, with a value of its type."""
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_pod_runs_a_command_of_ours_for_as_long_as_it_drains() -> None:
    """Kubernetes kills a pod no earlier than a minute after its calls had their time."""
    (container,) = POD["containers"]
    options = command_line().parse_args(container["args"])
    assert options.command == "serve"
    assert POD["terminationGracePeriodSeconds"] >= options.drain + 60 > options.drain + END_LIMIT_S
    assert container["ports"][0]["containerPort"] == options.port
    assert container["ports"][1]["containerPort"] == private_listener(options.private)[1]


def test_the_probes_ask_what_they_should() -> None:
    """Alive is not ready: a draining gateway is taken out of the service and not restarted."""
    (container,) = POD["containers"]
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    ports = {container[f"{probe}Probe"]["httpGet"]["port"] for probe in paths}
    assert ports == {"private"}
    assert [port["targetPort"] for port in MANIFESTS[1]["spec"]["ports"]] == ["http"]


def test_the_unit_runs_a_command_of_ours_for_as_long_as_it_drains() -> None:
    """systemd kills it no earlier than a minute after its calls had their time."""
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case of keys
    unit.read(UNIT, "utf-8")
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    options = command_line().parse_args(words)
    assert Path(program).name == "gateway"
    assert options.command == "serve"
    assert int(service["TimeoutStopSec"]) >= options.drain + 60 > options.drain + END_LIMIT_S


@pytest.mark.skipif(SYSTEMD_ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """With a program, a folder and a user that exist in place of ours, it has nothing to object to."""
    there = {"/srv/gateway/.venv/bin/gateway": "/bin/true", "/srv/gateway": str(tmp_path), "User=gateway": "User=root"}
    unit = re.sub("|".join(there), lambda found: there[found[0]], UNIT.read_text("utf-8"))
    (tmp_path / UNIT.name).write_text(unit, "utf-8")
    command = [str(SYSTEMD_ANALYZE), "verify", str(tmp_path / UNIT.name)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 -- our own unit
    complaints = [line for line in said.stderr.splitlines() if UNIT.name in line]
    assert complaints == []
