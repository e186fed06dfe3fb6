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


async def test_a_check_goes_on_with_the_doctor(stage: Stage) -> None:
    """After what each line will do; the code is the doctor's, and for a script its object is ``online``."""
    async with Emulator(scripted({"say": "A"}), api_key="another") as emulator:
        stage.write("gateway.yaml", "")
        stage.set(AZURE_COGNITIVE_SERVICES_ENDPOINT=emulator.endpoint, AZURE_COGNITIVE_SERVICES_KEY=KEY)
        code, told, _ = await stage.run("check", "--online")
        other_code, out, _ = await stage.run("check", "--online", "--json")
    for_scripts = json.loads(out)
    assert (code, other_code) == (1, 1)
    assert told.index("sales: +14255550100") < told.index("handshake: ") < told.index("begin with handshake")
    assert for_scripts["errors"] == []
    assert (for_scripts["online"]["exit"], for_scripts["online"]["begin_with"]["name"]) == (1, "handshake")
    assert KEY not in told


async def test_a_check_of_single_files_stays_offline(stage: Stage) -> None:
    """They are not what calls meet."""
    stage.write("gateway.yaml", "")
    code, _, err = await stage.run("check", "--online", "x.yaml")
    assert code == 2
    assert "--online: takes no FILE" in err
