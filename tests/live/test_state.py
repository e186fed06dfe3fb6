"""The state of a process, as it is shown."""

from pathlib import Path

from gateway.console.state import console_for
from tests.e2e.rig import configuration, instant, load, rig


async def test_a_gateway_shows_its_endpoints_and_providers(tmp_path: Path) -> None:
    """By the names of the deployment, with its capacity."""
    file = configuration(tmp_path)
    deployment, _ = load(file)
    live = tmp_path / "live"
    live.mkdir()
    async with rig(file, instant(), live=live), console_for(deployment, live).watch.running() as watch, watch.looking():
        (about,) = watch.about
    assert (about.status, about.in_use, about.limit) == ("ready", 0, 200)
    assert [one.circuit for one in about.endpoints] == ["closed"]
    assert "twilio" in [one.name for one in about.providers]
