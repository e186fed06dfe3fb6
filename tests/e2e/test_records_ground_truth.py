"""Two hundred calls at once, of four providers: what remains of each, against what phone and caller had of it."""

import asyncio
import gc
import random
import resource
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gateway.audio.formats import AudioFormat
from gateway.sim.phone.phone import SimulatedPhone
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.rig import instant, noise
from tests.records.conftest import database_url  # noqa: F401 -- the fixture
from tests.virtual_time import in_virtual_time

PROVIDERS = ("twilio", "telnyx", "plivo", "vonage")
"""mu-law in JSON by three protocols, and 16 kHz linear in binary."""
CALLS = 200
FRAME_MS = 20
FATES = ("hears all", "interrupts", "leaves")
ANSWER = "1507 ms of an answer that not everybody hears to its end"
LINES = {
    f"{PROVIDERS[number % 4]}-{number}": f'numbers: ["+1425555{number:04}"]\ninstructions: Talk.\nmodel: gpt-4.1\n'
    f"voice: en-US-AvaNeural\ngreeting: {400 + number} ms for {number}\nrecording: true\n"
    for number in range(CALLS)
}
GATEWAY = f"limits: {{calls: {CALLS}, watched_calls: 0}}\nrecords: {{url: '${{DATABASE}}'}}\n"


class Caller:
    """A caller, the phone, and what is true of the call."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.provider, number = line.split("-")
        self.number = int(number)
        self.fate = FATES[self.number % 3]
        self.question = f"Question of caller {self.number}."
        self.phone: SimulatedPhone

    @property
    def greeting(self) -> str:
        """The words of the greeting, which everybody hears."""
        return f"{400 + self.number} ms for {self.number}"

    async def call(self, held: Exchange) -> None:
        """Hear the greeting, ask, and do with the answer what this caller does."""
        to, from_ = f"+1425555{self.number:04}", f"+1415555{self.number:04}"
        async with held.call(self.provider, to, from_=from_) as self.phone:
            session = await held.session_of(self.line)
            self.phone.say(speech(self.line, self.phone.audio_format))
            await held.told(self.line, "reply_heard")
            await session.speech_started()
            await session.speech_stopped(self.question)
            if self.fate == "hears all":
                await held.told(self.line, "reply_heard", 2)
                return
            await asyncio.sleep(0.8)
            if self.fate == "interrupts":
                await session.speech_started()
                await asyncio.sleep(0.5)
        await held.told(self.line, "call_ended")

    @property
    def heard_ms(self) -> float:
        """The length of the answer that the phone played."""
        played: float = self.phone.bot_format.duration_ms(self.phone.playout.played_bytes)
        return played - (400 + self.number)


def speech(line: str, audio_format: AudioFormat) -> bytes:
    """The sound of a caller, of which no frame is anybody else's."""
    return random.Random(line).randbytes(audio_format.bytes_for(300)).replace(b"\xff", b"\x7f")


async def made(folder: Path, url: str) -> list[Caller]:
    """Make all calls at once."""
    callers = [Caller(line) for line in LINES]
    gc.collect()
    async with exchange(
        folder,
        PROVIDERS,
        LINES,
        instant({"say": ANSWER}),
        gateway_yaml=GATEWAY,
        environ={"DATABASE": url},
        limit_s=300,
        keep_records=True,
    ) as held:
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(caller.call(held))
                await asyncio.sleep(0.0071)  # so that the phones' frames do not come all at once
        for caller in callers:
            await held.told(caller.line, "call_ended")
    return callers


@pytest.mark.timeout(300)
def test_what_remains_is_what_was(
    tmp_path: Path,
    database_url: str,  # noqa: F811 -- the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each call's reason, turns and words, and its recording, which is the phone's own to a frame."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], min(limits[1], 8192)), limits[1]))
    callers = in_virtual_time(lambda: made(tmp_path, database_url))
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    kept = rows_of(database_url)
    assert len(kept) == CALLS
    for caller in callers:
        record_is_true(kept[caller.line], caller)
        path = next(tmp_path.glob(f"data/recordings/*/*/*/*/{kept[caller.line]['call_key']}.wav"))
        recording_is_true(path, caller.phone)
    assert len(list(tmp_path.glob("data/recordings/2*/*/*/*/*.wav"))) == CALLS
    assert list((tmp_path / "data" / "recordings" / "pending").iterdir()) == []


def record_is_true(row: dict[str, Any], caller: Caller) -> None:
    """Fail unless the record of a call is what its caller knows."""
    assert (row["state"], row["reason"], row["ended_by"]) == ("ended", "caller_hung_up", "caller"), caller.line
    assert (row["recording"], row["provider"]) == ("stored", caller.provider)
    greeting, question, answer = row["turns"][:3]
    assert (greeting["who"], greeting["words"], greeting["unheard"]) == ("bot", caller.greeting, "")
    assert (question["who"], question["words"]) == ("caller", caller.question)
    assert answer["who"] == "bot"
    assert f"{answer['words']} {answer['unheard']}".split() == ANSWER.split()
    assert (not answer["unheard"]) == (caller.fate == "hears all")
    assert abs(answer["heard_ms"] - min(caller.heard_ms, 1507)) <= 3 * FRAME_MS, caller.line


def recording_is_true(path: Path, phone: SimulatedPhone) -> None:
    """Fail unless each side is the phone's own, and stands where it does to a frame."""
    content = path.read_bytes()
    samples = content[content.index(b"data") + 8 :]
    kind = np.dtype("<i2" if phone.audio_format.sample_bytes == 2 else "u1")
    sides: npt.NDArray[Any] = np.frombuffer(samples, kind).reshape(-1, 2)
    size, rate = phone.audio_format.sample_bytes, phone.audio_format.rate_hz
    for side, truth in ((sides[:, 0].tobytes(), phone.caller_audio), (sides[:, 1].tobytes(), phone.bot_audio)):
        silent = phone.audio_format.silence(FRAME_MS)[:size]
        start = first_sound(bytes(truth), silent, size) + 40 * size
        piece = bytes(truth)[start : start + rate * size // 10]
        assert piece in side, path
        assert abs(side.index(piece) - start) <= rate * size * FRAME_MS // 1000, path


def first_sound(audio: bytes, silent: bytes, size: int) -> int:
    """Return where the first sample stands that is not silent."""
    return next(at for at in range(0, len(audio), size) if audio[at : at + size] != silent)


def rows_of(url: str) -> dict[str, dict[str, Any]]:
    """Return the records by their lines, read by the database's own means."""
    calls, turns = asyncio.run(_of_server(url)) if url.startswith("postgres") else _of_file(url)
    found = {row["line"]: {**row, "turns": []} for row in calls}
    by_key = {row["call_key"]: row for row in found.values()}
    for turn in turns:
        by_key[turn["call_key"]]["turns"].append(turn)
    return found


CALL_ROWS = (
    'SELECT c.call_key, c.line, c.provider, c.state, c.reason, c."by" AS ended_by, r.state AS recording'
    " FROM calls c JOIN recordings r ON r.call_key = c.call_key"
)
TURN_ROWS = "SELECT call_key, who, words, unheard, heard_ms FROM turns ORDER BY call_key, n"


def _of_file(url: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.row_factory = sqlite3.Row
    try:
        calls, turns = ([dict(row) for row in connection.execute(query)] for query in (CALL_ROWS, TURN_ROWS))
    finally:
        connection.close()
    return calls, turns


async def _of_server(url: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    import asyncpg  # noqa: PLC0415 -- where there is a server alone

    connection = await asyncpg.connect(url)
    try:
        calls, turns = [[dict(row) for row in await connection.fetch(query)] for query in (CALL_ROWS, TURN_ROWS)]
    finally:
        await connection.close()
    return calls, turns
