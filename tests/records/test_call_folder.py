"""The folder of a simulated call is the same record as that of a real one."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gateway.audio.formats import PCMU
from gateway.call.record import CallIdentity, TimedNote
from gateway.cli.calling.narrator import Narrator
from gateway.cli.calling.own_gateway import own_gateway
from gateway.cli.calling.placing import Keeping, _keep
from gateway.config.records.prices import Prices
from gateway.errors import InputError
from gateway.records.call_folder import is_folder, read_folder
from gateway.records.call_rows import CallRows
from gateway.records.pricing import Pricing
from gateway.records.rows import Row
from gateway.records.search import read_call
from gateway.records.store.database import Database
from gateway.records.stored_call import StoredCall, document
from gateway.sim.caller.call import CallPlan, CallResult, place_call
from gateway.sim.caller.caller import Utterance
from gateway.sim.caller.recording import load_recording
from gateway.sim.emulator import Script
from gateway.sim.prompts import caller_prompt
from tests.e2e.rig import NUMBER, configuration, load
from tests.records.kept import NINE, keep
from tests.virtual_time import in_virtual_time

PRICED = Pricing(
    [
        Prices.model_validate(
            {
                "models": {
                    "gpt-4.1": dict.fromkeys(
                        (
                            "input_text",
                            "cached_text",
                            "output_text",
                            "input_audio",
                            "cached_audio",
                            "output_audio",
                            "output_audio_azure",
                        ),
                        5,
                    )
                }
            }
        )
    ]
)


def simulated(folder: Path, name: str = "order_status") -> tuple[list[Row], CallResult]:
    """Make a call in virtual time and keep its folder; its rows as the gateway made them, and what the phone saw."""
    rows: list[Row] = []
    held: list[CallRows] = []

    def tell(identity: CallIdentity, note: TimedNote) -> None:
        if not held:
            held.append(CallRows(identity, NINE, key="k1", priced=PRICED))
        rows.extend(held[0].add(note))

    async def run() -> CallResult:
        deployment, lines = load(configuration(folder / "config"))
        prompts = [prompt for prompt in (caller_prompt(one) for one in (name, "goodbye")) if prompt]
        plan = CallPlan([Utterance(load_recording(one.path, PCMU)) for one in prompts], to=NUMBER, from_="+14155550100")
        script = Script.answering([one.text for one in prompts])
        async with own_gateway(deployment, lines, "twilio", tell, script) as stream:
            asked = replace(plan, answer_url=stream.answer_url, status_url=stream.status_url, secrets=stream.secrets)
            result = await place_call(asked, api=stream.api)
            await stream.ended.wait()
            narrator = Narrator(quiet=True)
            narrator.line, narrator.generation = "support", ""
            _keep(result, stream, narrator, Keeping(out=folder / "call"), [], None)
        return result

    result = in_virtual_time(run)
    return rows, result


def shifted(stored: StoredCall, key: str) -> StoredCall:
    """The same with another key, begun at nine, and without what only one of the two has."""
    by = NINE - stored.call.started
    call = msgspec.structs.replace(
        stored.call,
        started=NINE,
        answered=stored.call.answered and stored.call.answered + by,
        ended=stored.call.ended and stored.call.ended + by,
    )
    text = msgspec.json.encode(msgspec.structs.replace(stored, call=call, recordings=())).decode()  # noqa: TID251 -- plain words
    return msgspec.json.decode(
        text.replace(f'"call_key":"{stored.call.call_key}"', f'"call_key":"{key}"'), type=StoredCall
    )


def test_the_folder_and_the_database_have_the_same_call(database_url: str, tmp_path: Path) -> None:
    """Turns, words, events, times, tokens, cost: whatever is read of one is read of the other."""
    rows, _ = simulated(tmp_path)

    async def stored() -> StoredCall:
        async with Database(database_url) as database:
            await database.migrate()
            await keep(database, rows)
            return await read_call(database, "k1")

    of_database = asyncio.run(stored())
    of_folder = read_folder(tmp_path / "call", PRICED)
    assert shifted(of_folder, "k1") == shifted(of_database, "k1")
    assert of_folder.usage
    assert of_folder.call.cost_nanos
    (recording,) = of_folder.recordings
    assert Path(recording.url).name == "call.wav"


def test_the_record_says_what_the_phone_heard(tmp_path: Path) -> None:
    """Turns, words and the end, against what the phone knows of them by itself."""
    _, result = simulated(tmp_path)
    stored = read_folder(tmp_path / "call")
    spoken = [turn for turn in stored.turns if turn.who == "caller"]
    assert len(spoken) == len(result.spoken)
    for turn, truth in zip(spoken, result.spoken, strict=True):
        prompt = caller_prompt(truth.name.removesuffix(".wav"))
        assert prompt is not None
        assert turn.words == prompt.text
    heard = [turn for turn in stored.turns if turn.who == "bot"]
    assert len(heard) == len(result.measures.bot)
    for turn, span in zip(heard, result.measures.bot, strict=True):
        assert abs((turn.heard_ms or 0) - (span.end_ms - span.start_ms)) < 1000
    assert stored.call.state == "ended"
    assert (stored.call.by, result.ended_by) == ("caller", "caller")


def test_the_files_of_a_folder_and_the_document_of_a_record_have_the_same_names(tmp_path: Path) -> None:
    """Those that both have, at least: a phone knows more, and less."""
    simulated(tmp_path)
    told = json.loads((tmp_path / "call" / "call.json").read_text("utf-8"))
    made = document(read_folder(tmp_path / "call"))
    both = told.keys() & made.keys()
    assert {"call_id", "line", "provider", "caller", "called", "audio_format", "started", "turns", "tools"} <= both
    assert made["turns"][0].keys() <= told["turns"][0].keys()
    for name in ("call_id", "line", "provider", "caller", "called", "audio_format"):
        assert made[name] == told[name]


def test_a_folder_of_a_call_to_a_gateway_elsewhere_has_the_phone_s_account(tmp_path: Path) -> None:
    """Its turns and its end, without what only the gateway knows."""
    simulated(tmp_path)
    summary = tmp_path / "call" / "call.json"
    told = json.loads(summary.read_text("utf-8"))
    del told["gateway_started_ms"]
    summary.write_text(json.dumps(told), "utf-8")
    stored = read_folder(tmp_path / "call")
    assert [turn.who for turn in stored.turns] == [turn["speaker"] for turn in told["turns"]]
    assert (stored.call.call_id, stored.call.reason) == (told["call_id"], told["ended"]["gateway"]["reason"])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"gateway_started_ms": 1}'])
def test_what_is_no_folder_of_a_call_is_told(tmp_path: Path, text: str) -> None:
    """By its name; a folder without the files, or with others."""
    assert not is_folder(str(tmp_path))
    if text:
        (tmp_path / "call.json").write_text(text, "utf-8")
        (tmp_path / "events.jsonl").write_text("", "utf-8")
        assert is_folder(str(tmp_path))
    with pytest.raises(InputError, match=tmp_path.name):
        read_folder(tmp_path)
