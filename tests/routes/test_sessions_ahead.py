"""Sessions that are opened ahead: for whom, how many, and who may have them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.audio.formats import PCMA, PCMU, AudioFormat
from gateway.call.metrics import Metrics
from gateway.call.recovery.legs import Voice
from gateway.call.settings import CallSettings, Recorded
from gateway.config import Line, Lines, load_deployment
from gateway.phone.events import CallStarted, Playout
from gateway.phone.webhook import IncomingCall
from gateway.routes.sessions_ahead import UNCLAIMED_S, Outcome, SessionsAhead
from gateway.voice.commands import CreateResponse, SayText, SeedMessage
from gateway.voice.events import VoiceClosed, VoiceEnd
from gateway.voice.leg import NoVoice, VoiceLeg
from gateway.voice.opening import Opened
from gateway.voice.service import VoiceLive
from tests.e2e.rig import LINE, configuration
from tests.virtual_time import virtual_time

KEY = ("twilio", "CA1")
CALL = IncomingCall("CA1", "+14155550123", "+14255550100")
STARTED = CallStarted("CA1", "MZ1", PCMU, Playout(), CALL.caller, CALL.called)


class Leg(VoiceLeg):
    """A leg whose session is open when its test says so."""

    def __init__(self) -> None:
        super().__init__(VoiceLive("wss://voice.example.com", "key"), ())
        self.ready: asyncio.Future[VoiceClosed] = asyncio.get_running_loop().create_future()
        self.lost = self.closed = False
        self.asked: CreateResponse | SayText | None = None

    async def open(
        self, ask: CreateResponse | SayText | None = None, before: Sequence[SeedMessage] = ()
    ) -> Opened | VoiceClosed:
        self.asked = ask
        return await self.ready

    @property
    def is_lost(self) -> bool:
        return self.lost

    async def close(self) -> None:
        self.closed = True
        await super().close()


class Place:
    """The sessions of a process, and what was made for them."""

    def __init__(self, folder: Path, *, limit: int = 2, more: str = "", settings: CallSettings | None = None) -> None:
        self.line = next(iter(Lines(load_deployment(configuration(folder, {"support": LINE + more}), {}))))
        self.metrics = Metrics()
        self.legs: list[Leg] = []
        self.prepared: list[CallStarted] = []
        self.settings = settings or CallSettings(greeting=SayText("Hello."))
        self.voice: Voice | None = None
        self.ahead = SessionsAhead(self._prepare, limit, self.metrics)

    def _prepare(self, line: Line, started: CallStarted) -> tuple[CallSettings, Voice]:
        self.prepared.append(started)
        if self.voice is not None:
            return self.settings, self.voice
        self.legs.append(Leg())
        return self.settings, self.legs[-1]

    def open(self, call_id: str = "CA1", answered: AudioFormat | None = PCMU) -> None:
        """A webhook announces a call."""
        self.ahead.open(("twilio", call_id), self.line, CALL, "", answered)

    def outcomes(self) -> Sequence[str]:
        """What has become of sessions, in alphabetical order."""
        value = self.metrics.registry.get_sample_value
        counted = [(one.value, value("gateway_sessions_ahead_total", {"outcome": one.value}) or 0) for one in Outcome]
        return [name for name, count in counted for _ in range(int(count))]


@virtual_time
async def test_the_call_s_own_stream_claims_its_session(tmp_path: Path) -> None:
    """Settings and session as the webhook had them made; once."""
    place = Place(tmp_path)
    async with place.ahead as ahead:
        with capture_logs() as logs:
            place.open()
            await asyncio.sleep(0.3)
            assert len(ahead) == 1
            assert ahead.claim(KEY, place.line, STARTED) == (place.settings, place.legs[0])
        assert ahead.claim(KEY, place.line, STARTED) is None
        assert place.legs[0].asked == SayText("Hello.", "request-1")
        assert [entry for entry in logs if entry["event"] == "session_ahead"] == [
            {
                "event": "session_ahead",
                "call": "CA1",
                "line": "support",
                "outcome": "claimed",
                "waited_ms": 300,
                "log_level": "info",
            }
        ]
        await asyncio.sleep(2 * UNCLAIMED_S)
        assert not place.legs[0].closed
        place.legs[0].ready.set_result(VoiceClosed(VoiceEnd.CLOSED))
    assert place.outcomes() == ["claimed"]


@pytest.mark.parametrize(
    ("key", "started", "outcome"),
    [
        (("twilio", "CA2"), STARTED, []),
        (("telnyx", "CA1"), STARTED, []),
        (("twilio", ""), STARTED, []),
        (KEY, msgspec.structs.replace(STARTED, audio_format=PCMA), ["discarded"]),
        (KEY, msgspec.structs.replace(STARTED, caller="+14155550199"), ["discarded"]),
        (KEY, msgspec.structs.replace(STARTED, called="+14255550199"), ["discarded"]),
    ],
)
def test_no_other_stream_does(
    tmp_path: Path, key: tuple[str, str], started: CallStarted, outcome: Sequence[str]
) -> None:
    """Another call's, another provider's, one without a token; and a call that is not as it was announced."""

    @virtual_time
    async def run() -> None:
        place = Place(tmp_path)
        async with place.ahead as ahead:
            place.open()
            await asyncio.sleep(0.1)
            assert ahead.claim(key, place.line, started) is None
            await asyncio.sleep(0)
            assert place.outcomes() == outcome
            assert place.legs[0].closed == bool(outcome)

    run()


@virtual_time
async def test_a_line_that_was_changed_meanwhile_is_not_what_was_opened(tmp_path: Path) -> None:
    """The call that comes has the line as it is now."""
    place = Place(tmp_path)
    async with place.ahead as ahead:
        place.open()
        assert ahead.claim(KEY, replace(place.line), STARTED) is None
    assert place.outcomes() == ["discarded"]


@virtual_time
async def test_what_is_not_claimed_is_closed_after_a_while(tmp_path: Path) -> None:
    """And its task with it."""
    place = Place(tmp_path)
    async with place.ahead as ahead:
        place.open()
        await asyncio.sleep(UNCLAIMED_S - 0.1)
        assert (len(ahead), place.legs[0].closed) == (1, False)
        await asyncio.sleep(0.2)
        assert (len(ahead), place.legs[0].closed) == (0, True)
        assert place.legs[0].ready.cancelled()
    assert place.outcomes() == ["unclaimed"]


@virtual_time
async def test_no_more_wait_than_may(tmp_path: Path) -> None:
    """The rest is counted, and a place is free again once one was taken."""
    place = Place(tmp_path, limit=2)
    async with place.ahead as ahead:
        for number in range(4):
            place.open(f"CA{number}")
        assert (len(ahead), len(place.legs)) == (2, 2)
        assert place.outcomes() == ["full", "full"]
        assert ahead.claim(KEY, place.line, STARTED)
        place.open("CA5")
        assert len(ahead) == 2
        for leg in place.legs:
            leg.ready.cancel()


@virtual_time
async def test_a_repeated_webhook_opens_one_session(tmp_path: Path) -> None:
    """The same call is announced twice."""
    place = Place(tmp_path)
    async with place.ahead:
        place.open()
        place.open()
        assert len(place.legs) == 1


@pytest.mark.parametrize("end", ["lost", "refused", "bug"])
@virtual_time
async def test_a_session_that_has_ended_is_not_given_away(tmp_path: Path, end: str) -> None:
    """Its connection has broken, it was refused, or a bug has ended it, which is logged and ends nothing else."""
    place = Place(tmp_path)
    async with place.ahead as ahead:
        place.open()
        await asyncio.sleep(0)
        (leg,) = place.legs
        with capture_logs() as logs:
            if end == "lost":
                leg.lost = True
            elif end == "refused":
                leg.ready.set_result(VoiceClosed(VoiceEnd.REFUSED))
            else:
                leg.ready.set_exception(ValueError("a bug"))
            await asyncio.sleep(0.1)
            assert ahead.claim(KEY, place.line, STARTED) is None
        assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == (
            ["session_ahead_failed"] if end == "bug" else []
        )
    assert place.outcomes() == ["lost"]


@pytest.mark.parametrize(
    ("more", "answered", "limit"),
    [("", None, 2), ("parameters: [queue]\n", PCMU, 2), ("", PCMU, 0)],
    ids=["no format", "parameters", "off"],
)
@virtual_time
async def test_nothing_is_opened_where_it_could_not_be_right(
    tmp_path: Path, more: str, answered: AudioFormat | None, limit: int
) -> None:
    """The format is not known; the stream brings what the texts need; it is switched off."""
    place = Place(tmp_path, limit=limit, more=more)
    async with place.ahead:
        place.open(answered=answered)
    assert (place.prepared, place.outcomes()) == ([], [])


@virtual_time
async def test_a_line_that_needs_no_session_opens_none(tmp_path: Path) -> None:
    """Such as a closed one whose words are recorded."""
    place = Place(tmp_path)
    place.voice = NoVoice()
    async with place.ahead as ahead:
        place.open()
        assert len(ahead) == 0


@virtual_time
async def test_a_recorded_greeting_is_not_asked_for(tmp_path: Path) -> None:
    """The session alone is opened."""
    place = Place(tmp_path, settings=CallSettings(greeting=Recorded(b"\xff")))
    async with place.ahead:
        place.open()
        await asyncio.sleep(0)
        assert place.legs[0].asked is None


@virtual_time
async def test_the_format_of_a_provider_s_last_stream_is_expected(tmp_path: Path) -> None:
    """Whatever its answer asks for, or does not say."""
    place = Place(tmp_path)
    async with place.ahead as ahead:
        ahead.claim(KEY, place.line, msgspec.structs.replace(STARTED, audio_format=PCMA))
        place.open(answered=PCMU)
        place.open("CA2", answered=None)
    assert [started.audio_format for started in place.prepared] == [PCMA, PCMA]
