"""A call that leaves its stream, with a document whose rest is for failures."""

from pathlib import Path

import pytest

from gateway.call.ending import EndCall, EndReason
from gateway.routes import media_stream
from tests.e2e.rig import LINE
from tests.routes.stage import API, PUBLIC, Run, Stage, redirected, stand_in


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """How the calls of this test go."""
    run = Run()
    monkeypatch.setattr(media_stream, "Call", stand_in(run))
    return run


@pytest.mark.parametrize(
    ("end", "made"),
    [
        (EndReason.BOT_HUNG_UP, [("POST", f"{API}/CA1/redirect", f"{PUBLIC}/answer/twilio/support?stream=ended")]),
        (EndReason.LINE_CLOSED, [("DELETE", f"{API}/CA1", "")]),
        (EndReason.VOICE_LOST, []),
        (EndReason.CALLER_HUNG_UP, []),
        (EndReason.TRANSFERRED, []),
    ],
)
async def test_a_call_leaves_a_document_that_is_for_failures(
    tmp_path: Path, run: Run, end: EndReason, made: list[tuple[str, str, str]]
) -> None:
    """A call that outlives it is asked about, or ended. A failure goes on by itself; who is gone is left alone."""
    stage = Stage(tmp_path)
    stage.provider.commands.redirect = redirected
    await stage.stream("start")
    stage.control.made.clear()
    await run.leaves[0](EndCall(end, "bot"))
    assert [(request.method, request.url, request.body.decode()) for request in stage.control.made] == made


async def test_a_call_whose_document_has_nothing_for_a_failure_leaves_nothing(tmp_path: Path, run: Run) -> None:
    """The provider asks by itself what follows."""
    stage = Stage(tmp_path, {"support": LINE + "after: {say: Goodbye.}\n"})
    stage.provider.commands.redirect = redirected
    await stage.stream("start")
    stage.control.made.clear()
    await run.leaves[0](EndCall(EndReason.BOT_HUNG_UP, "bot"))
    assert stage.control.made == []
