"""A pytest plug-in: each of the SDK's live tests has an emulator of its own, and fails where it would be hollow.

A test is hollow where it passes although the service answered with an error that the test did not ask for.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.sim.emulator import Emulator
from tests.clients.voicelive_sdk.scripts import script_for

ASKED_FOR = {"test_realtime_service_tool_call": "conversation_already_has_active_response"}
"""Tests that ask for an error: this one asks for a response beside the one that voice activity detection makes."""
_ERRORS = pytest.StashKey[list[str]]()


@pytest_asyncio.fixture(autouse=True)
async def emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """The service of one test; its errors are kept for the test's report."""
    test = request.node.originalname
    async with Emulator(script_for(test)) as emulator:
        monkeypatch.setenv("VOICELIVE_OPENAI_ENDPOINT", emulator.endpoint)
        monkeypatch.setenv("VOICELIVE_OPENAI_API_KEY", "any")
        yield emulator
        request.node.stash[_ERRORS] = [
            json.dumps(record.event["error"])
            for session in emulator.sessions
            for record in session.sent
            if record.type == "error" and record.event["error"]["code"] != ASKED_FOR.get(test)
        ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Fail a test that passed beside an error of the service."""
    report: Any = yield
    errors = item.stash.get(_ERRORS, [])
    if report.when == "teardown" and errors:
        report.sections.append(("errors of the service", "\n".join(errors)))
        if report.passed:
            report.outcome, report.longrepr = "failed", f"hollow: the service answered {errors[0]}"
    return report  # type: ignore[no-any-return] # pytest's own object
