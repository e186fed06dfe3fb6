"""Runs the live tests of the SDK that the gateway is built on."""

import os
import subprocess
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as Xml

from tests.clients import environments
from tests.clients.table import Row
from tests.clients.voicelive_sdk import recordings

ROOT = Path(__file__).parents[3]
PACKAGE = "azure-ai-voicelive"
AT_ONCE = 12
"""Tests at once: nearly all that they do is to wait for ten seconds."""
LIMIT_S = 1_200


def run() -> Row:
    """Return what came of the tests."""
    known = version(PACKAGE)
    python = environment(known)
    source = environments.source_of(python, PACKAGE, known)
    tests = source / "live_tests"  # as a package named tests it would be taken for ours
    if not tests.exists():
        (source / "tests").rename(tests)
    recordings.write(tests / "asset")
    report = environments.cache() / "voicelive-sdk.xml"
    report.unlink(missing_ok=True)
    stand_in = Path(__file__).parent / "stand_in"
    command = [str(python), "-m", "pytest", "live", "-q", "-p", "tests.clients.voicelive_sdk.plugin"]
    command += ["-o", "asyncio_mode=auto", "--rootdir", ".", "-W", "ignore", "--tb=line", f"--junitxml={report}"]
    command += ["-n", str(AT_ONCE), "--timeout", "120", "-r", "fE"]
    path = os.pathsep.join([str(ROOT), str(stand_in)])
    environ = {**os.environ, "PYTHONPATH": path}
    subprocess.run(command, cwd=tests, env=environ, check=False, timeout=LIMIT_S)  # noqa: S603 -- words of ours
    return _counted(report, known)


def environment(known: str) -> Path:
    """Return the interpreter of an environment with this version of the SDK, the gateway and what the tests need."""
    requirements = ["-c", str(ROOT / "constraints.txt"), "--editable", str(ROOT), f"{PACKAGE}=={known}"]
    needed = ["pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "azure-core-tracing-opentelemetry"]
    return environments.virtual_environment("voicelive-sdk", [*requirements, *needed, "opentelemetry-sdk"])


def _counted(report: Path, known: str) -> Row:
    if not report.exists():
        return Row(f"`{PACKAGE}` (Python SDK)", known, "its live tests", "could not be run", good=False)
    cases: dict[str, set[str]] = {}
    for case in Xml.parse(report).iter("testcase"):  # noqa: S314 -- pytest's own
        cases.setdefault(f"{case.get('classname')} {case.get('name')}", set()).update(child.tag for child in case)
    bad = [name for name, found in cases.items() if found & {"failure", "error"}]
    skipped = [name for name, found in cases.items() if "skipped" in found and name not in bad]
    passed = len(cases) - len(bad) - len(skipped)
    result = f"{passed} pass, {len(skipped)} skip themselves, {len(bad)} fail or pass beside an error"
    what = f"its {len(cases)} live tests, from its source distribution"
    return Row(f"`{PACKAGE}` (Python SDK)", known, what, result, good=bool(cases) and not bad)
