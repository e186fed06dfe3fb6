"""A card number that a caller keys in: it reaches the function, and stands nowhere else."""

import json
from pathlib import Path

import pytest
import structlog

from gateway.cli.call import _call
from gateway.cli.starting.commands import command_line
from gateway.records.call_folder import read_folder
from gateway.records.explain.explaining import explain
from gateway.records.explain.page import page_of
from gateway.records.explain.stored import of_stored
from gateway.records.explain.terminal import as_text as explained
from gateway.sim.emulator import Emulator, Session
from gateway.text import json_bytes
from tests.e2e.rig import LINE, configuration, noise
from tests.e2e.tool_server import tool_server
from tests.virtual_time import virtual_time

CARD = "4929130088167354"
PIECE = 10
"""So many of its digits in a row are not to be found either; fewer turn up by chance among so many figures."""


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions of every emulator that a command starts, in the order of opening."""
    opened: list[Session] = []
    enter = Emulator.__aenter__

    async def entered(self: Emulator) -> Emulator:
        self.sessions = opened
        return await enter(self)

    monkeypatch.setattr(Emulator, "__aenter__", entered)
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    return opened


def traces(text: str) -> list[str]:
    """Pieces of the card number in a text, also where something stands between the digits."""
    squeezed = "".join(sign for sign in text if sign.isdigit())
    return [piece for start in range(len(CARD) - PIECE + 1) if (piece := CARD[start : start + PIECE]) in squeezed]


@virtual_time
async def test_a_keyed_card_number_stands_nowhere(
    tmp_path: Path, sessions: list[Session], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not in the call's folder or its explanation, not in the logs, not on the screen, not in what Voice Live got.

    The server that the function asks gets it, and says it back, as servers do.
    """
    async with tool_server() as server:
        tool = {
            "name": "pay",
            "description": "Takes a payment.",
            "parameters": {
                "amount": "number",
                "card": {"secret": "digits", "prompt": "200 ms your card", "length": 16},
            },
            "http": {"url": f"{server.url}/echoes"},
        }
        line = LINE.replace("Hello.", "100 ms") + f"tools: {json.dumps([tool])}\n"
        script = {
            "turns": [{"call": {"name": "pay", "arguments": {"amount": 5}}, "after_call": "200 ms of thanks"}],
            "greeting": "100 ms",
        }
        (tmp_path / "script.yaml").write_text(json.dumps(script), "utf-8")
        file = configuration(tmp_path, {"shop": line}, "providers: {twilio: {}}\n")
        goodbye = Path(__file__).parents[2] / "gateway" / "sim" / "prompts" / "caller" / "goodbye.wav"
        out = tmp_path / "call"
        words = ["call", goodbye, "--press", CARD, "--config", file, "--script", tmp_path / "script.yaml", "--out", out]
        code = await _call(command_line().parse_args([str(word) for word in words]))
        structlog.reset_defaults()
        assert code == 0
        (asked,) = server.asked
        assert asked["arguments"] == {"amount": 5, "card": CARD}

    subject, events = of_stored(read_folder(out))
    explanation = explain(subject, events)
    assert "Findings" in (out / "report.html").read_text("utf-8")
    (out / "why.txt").write_text(explained(explanation), "utf-8")
    (out / "why.json").write_bytes(json_bytes(explanation))
    (out / "why.html").write_text(page_of(subject, events, explanation), "utf-8")
    printed = capsys.readouterr()
    assert "keys in card, unseen" in printed.out
    (session,) = sessions
    received = [record.event for record in session.received]
    items = [event["item"] for event in received if "item" in event]
    (output,) = (item["output"] for item in items if item["type"] == "function_call_output")
    assert json.loads(output)["card"] == "entered"
    assert json.loads(output)["result"]["arguments"]["card"] == "entered", "the server said it back"
    found = {
        "screen": traces(printed.out + printed.err),
        "received": traces(json.dumps(received)),
        "sent": traces(json.dumps([record.event for record in session.sent], default=str)),
        **{path.name: traces(text_of(path)) for path in out.iterdir()},
    }
    assert {where: pieces for where, pieces in found.items() if pieces} == {}
    assert {"call.json", "call.wav", "events.jsonl", "report.html", "why.html"} <= found.keys()
    kept = json.loads((out / "call.json").read_text("utf-8"))
    assert [key["digit"] for key in kept["keys"]] == [None] * len(CARD)


def text_of(path: Path) -> str:
    """A file as text; of a page, what a person can read, without the audio in it."""
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".wav":
        return "".join(sign if sign.isascii() else " " for sign in text)
    while (start := text.find("base64,")) >= 0:
        end = text.find('"', start)
        text = text[:start] + text[end:]
    return text


def test_the_search_finds_what_it_looks_for() -> None:
    """A number with spaces or commas between its digits is found too."""
    assert traces(f"card {CARD}")
    assert traces(", ".join(CARD))
    assert not traces("1234567890")
