"""What the doctor prints for a script, and for one line alone."""

import json

from gateway.sim.emulator import Emulator
from tests.doctor.stage import KEY, Stage
from tests.sim.emulator.wire import scripted


async def test_a_script_gets_rows(stage: Stage) -> None:
    """Each with its members, the one to begin with, and the exit code; no secret is in it."""
    async with Emulator(scripted({"say": "A"}), api_key="another") as emulator:
        stage.write("gateway.yaml", "")
        stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT=emulator.endpoint, AZURE_COGNITIVE_SERVICES_KEY=KEY)
        found = await stage.examined("--json")
    told = json.loads(found.told)
    assert (found.code, told["exit"], told["begin_with"]["name"]) == (1, 1, "handshake")
    assert set(told["rows"][0]) == {"about", "name", "outcome", "detail", "remedy"}
    assert [row["name"] for row in told["rows"]] == [row.name for row in found.rows]
    assert KEY not in found.told


async def test_one_line_alone(stage: Stage) -> None:
    """The others are not tried."""
    async with Emulator(scripted({"say": "A"})) as emulator:
        stage.write("gateway.yaml", "")
        stage.write("lines/other.yaml", 'numbers: ["*"]\ninstructions: x\nmodel: gpt-5\n')
        stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT=emulator.endpoint, AZURE_COGNITIVE_SERVICES_KEY=KEY)
        found = await stage.examined("--line", "other")
        assert [session.model for session in emulator.sessions] == ["gpt-5"]
    assert found.code == 0
