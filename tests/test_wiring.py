"""The parts of a gateway before they run: each is there where the deployment wants it, and has what it needs."""

import time
from pathlib import Path

import pytest

from gateway.audio.formats import PCMU
from gateway.call.refusal import Refusal
from gateway.phone.events import CallStarted, Playout
from gateway.routes.refusing.refusals import Refused
from gateway.served import providers_of
from gateway.tape.service import TapedVoiceLive
from gateway.tape.tapes import Wanted
from gateway.voice.endpoints.making import in_place
from gateway.wiring import (
    Ground,
    VoiceSide,
    Witnesses,
    access_of,
    ground_of,
    reception_of,
    tapes_of,
    voice_side_of,
    witnesses_of,
)
from tests.e2e.rig import GATEWAY, LINE, NUMBER, configuration, load

ENDPOINT = "http://127.0.0.1:1"
RECORDED = f"{LINE}recording: {{announce: {{say: This call is recorded.}}}}\n"


def ground(folder: Path, more: str = "", line: str = LINE) -> Ground:
    """The ground of a process with this configuration."""
    deployment, lines = load(configuration(folder, {"support": line}, gateway=GATEWAY + more))
    return ground_of(deployment, lines, providers_of(deployment), None, time.monotonic)


def voice_side(on: Ground, *, taped: bool = False) -> VoiceSide:
    """Voice Live, which is not reached."""
    return voice_side_of(on, [in_place(on.deployment, ENDPOINT, "any")], None, taped=taped)


def witnesses(on: Ground, voice: VoiceSide, *, records: bool = False, recordings: Path | None = None) -> Witnesses:
    """Tapes, records and recordings, as far as they are wanted."""
    return witnesses_of(on, voice, None, None, records, recordings, lambda _: None)


@pytest.mark.parametrize(("limits", "measures"), [("{calls: 7}", False), ("{calls: auto}", True)])
async def test_calls_are_limited_by_number_or_by_load(tmp_path: Path, limits: str, measures: bool) -> None:
    """The metric has the limit of either; only the second one is measured."""
    on = ground(tmp_path, f"limits: {limits}\n")
    assert on.metrics.registry.get_sample_value("gateway_calls_limit") == on.calls.limit
    assert (on.load is not None) is measures
    assert on.calls.room is on.load


def test_a_process_without_a_key_for_streams_makes_one(tmp_path: Path) -> None:
    """Another one each time; none is shown."""
    first, second = ground(tmp_path), ground(tmp_path)
    assert first.stream_keys != second.stream_keys
    assert first.stream_keys[0] not in repr(first)


async def test_what_is_not_wanted_is_not_there(tmp_path: Path) -> None:
    """A call that nobody keeps is told to nobody."""
    on = ground(tmp_path)
    kept = witnesses(on, voice_side(on))
    assert kept == Witnesses(None, None, None, None, None)
    assert list(kept.observers()) == []
    assert kept.traces is None


async def test_records_are_told_of_calls(tmp_path: Path) -> None:
    """Those in progress, and those for which there was no room."""
    on = ground(tmp_path)
    kept = witnesses(on, voice_side(on), records=True)
    assert kept.store is not None
    assert list(kept.observers()) == [kept.store.intake.observe]
    assert kept.turned_away == kept.store.intake.turned_away
    assert kept.storage is not None
    assert kept.recorder is not None


@pytest.mark.parametrize("folder", [None, "recordings"])
async def test_a_call_is_recorded_where_recordings_are_kept(tmp_path: Path, folder: str | None) -> None:
    """A folder is enough; without one, and without records, its line's rule leads to nothing."""
    on = ground(tmp_path, line=RECORDED)
    voice = voice_side(on)
    kept = witnesses(on, voice, recordings=tmp_path / folder if folder else None)
    (line,) = on.lines
    started = CallStarted("CA1", "MZ1", PCMU, Playout(), called=NUMBER)
    settings, _ = reception_of(on, voice, kept).prepare(line, started)
    assert (settings.recording is not None) is (folder is not None)
    assert kept.storage is None


async def test_a_taped_call_opens_its_own_session(tmp_path: Path) -> None:
    """One that was opened ahead would begin before its tape."""
    on = ground(tmp_path, "voice_live: {open_ahead: 3}\n")
    tapes = tapes_of(on, Wanted(tmp_path / "tapes", "+14155550123"), [in_place(on.deployment, ENDPOINT, "any")])
    voice = voice_side(on, taped=True)
    assert isinstance(voice.voice_live.first, TapedVoiceLive)
    reception_of(on, voice, Witnesses(tapes, None, None, None, None))
    ahead = "gateway_sessions_ahead_total"
    assert on.metrics.registry.get_sample_value(ahead, {"outcome": "claimed"}) is None
    reception_of(on, voice, Witnesses(None, None, None, None, None))
    assert on.metrics.registry.get_sample_value(ahead, {"outcome": "claimed"}) == 0


async def test_refusals_are_told_to_who_asks(tmp_path: Path) -> None:
    """With what to do about them."""
    told: list[tuple[Refused, str]] = []
    access = access_of(ground(tmp_path), None, lambda refused, hint: told.append((refused, hint)))
    refused = Refused(Refusal.FULL, hint="Wait.")
    access.refusals.note("stream", refused)
    assert told == [(refused, "Wait.")]
