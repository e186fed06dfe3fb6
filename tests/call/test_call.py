"""A call between two legs that the test holds in its hands."""

import asyncio

import pytest

from gateway.call import conversation, notes
from gateway.call.call import Call
from gateway.call.caller_clock import AHEAD_LIMIT_S
from gateway.call.conversation import Conversation
from gateway.call.ending import EndCall, EndReason
from gateway.call.errands import FunctionReturned, RunFunction, TransferCaller
from gateway.call.messages import Commands
from gateway.call.record import CallIdentity, CallRecord, TimedNote
from gateway.call.settings import CallSettings, FunctionRule, KeyAction, Recorded, Target
from gateway.phone.commands import PhoneCommand, PlayAudio, StopPlayback
from gateway.phone.events import CallerAudio, DigitPressed, PhoneClosed, PhoneEnd
from gateway.voice.commands import CancelResponse, ReturnToolOutput, SayText, SendAudio, VoiceCommand
from gateway.voice.events import (
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    SessionReady,
    ToolCalled,
)
from tests.as_source import needs_source
from tests.fakes import FakeErrands, FakePhone, FakeVoice
from tests.story import SILENCE, STARTED
from tests.virtual_time import virtual_time


class Rig:
    """A call and its two fakes."""

    def __init__(self, settings: CallSettings | None = None) -> None:
        self.phone, self.voice, self.errands = FakePhone(), FakeVoice(), FakeErrands()
        self.notes: list[TimedNote] = []
        self.record = CallRecord(
            CallIdentity("CA1", "twilio", "support", "", "", "pcmu/8000", 0.0),
            (lambda _, note: self.notes.append(note),),
        )
        clock = asyncio.get_running_loop().time
        self.conversation = Conversation(STARTED, settings or CallSettings(), clock())
        self.call = Call(self.phone, self.voice, self.conversation, self.record, self.errands, clock=clock)

    async def until_asked(self, kind: type[VoiceCommand]) -> None:
        """Wait until the voice leg was asked for this."""
        async with asyncio.timeout(5):
            while not any(isinstance(command, kind) for command in self.voice.sent):
                self.voice.asked.clear()
                await self.voice.asked.wait()


async def test_audio_goes_both_ways_and_the_end_closes_both_legs() -> None:
    """Caller to service, service to caller, and nothing left after the hang-up."""
    rig = Rig(CallSettings(greeting=SayText("Hello.")))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        await rig.until_asked(SayText)
        rig.phone.tell(CallerAudio(b"caller"))
        await rig.until_asked(SendAudio)
        rig.voice.tell(ResponseStarted("r"))
        rig.voice.tell(ReplyAudio("r", "i", b"b" * 1600))
        rig.voice.tell(CallerSpoke("u"))
        await rig.until_asked(SendAudio)
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert running.result() == EndCall(EndReason.CALLER_HUNG_UP, "caller")
    assert rig.phone.closed
    assert rig.voice.closed
    assert SendAudio(b"caller") in rig.voice.sent
    assert any(isinstance(command, PlayAudio) for command in rig.phone.sent)
    assert StopPlayback() in rig.phone.sent
    kinds = [note.note.event for note in rig.notes]
    assert {"session_ready", "reply_started", "barge_in", "playback_stopped"} <= set(kinds)


async def test_a_stop_that_no_message_carried_is_not_measured() -> None:
    """The wire has no word for it, or the connection is gone: nothing was stopped."""
    rig = Rig()
    rig.phone.writes = False
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        rig.voice.tell(ResponseStarted("r"))
        rig.voice.tell(ReplyAudio("r", "i", b"b" * 1600))
        rig.voice.tell(CallerSpoke("u"))
        await rig.until_asked(CancelResponse)
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert running.result().reason is EndReason.CALLER_HUNG_UP
    assert StopPlayback() in rig.phone.sent
    assert "playback_stopped" not in [note.note.event for note in rig.notes]


async def test_playback_goes_on_without_events() -> None:
    """The call's one timer tops up the phone's lead by itself."""
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        rig.voice.tell(ResponseStarted("r"))
        rig.voice.tell(ReplyAudio("r", "i", b"b" * 8000))
        async with asyncio.timeout(5):
            while sum(len(c.audio) for c in rig.phone.sent if isinstance(c, PlayAudio)) < 8000:
                rig.phone.asked.clear()
                await rig.phone.asked.wait()
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))


async def test_the_end_is_told_before_the_legs_are_closed() -> None:
    """Once: the provider asks what follows as soon as the stream is closed."""
    rig, told = Rig(), list[tuple[EndCall, bool, bool]]()
    call = Call(
        rig.phone,
        rig.voice,
        rig.conversation,
        rig.record,
        rig.errands,
        lambda end: told.append((end, rig.phone.closed, rig.voice.closed)),
    )
    rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    end = await call.run()
    assert told == [(end, False, False)]
    assert rig.phone.closed
    assert rig.voice.closed


async def test_shut_down_ends_the_call() -> None:
    """A call that is told to end says why."""
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        await asyncio.sleep(0)
        rig.call.shut_down()
    assert running.result() == EndCall(EndReason.SHUT_DOWN, "gateway")


@pytest.mark.parametrize(("leg", "reason"), [("voice", EndReason.VOICE_STALLED), ("phone", EndReason.STREAM_STALLED)])
async def test_a_peer_that_does_not_read_ends_the_call(leg: str, reason: EndReason) -> None:
    """An outbox that overflows is an end with a reason, on either side."""
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        if leg == "voice":
            rig.voice.full = True
            async with asyncio.timeout(5):
                while not running.done():
                    rig.phone.tell(CallerAudio(b"x"))
                    await asyncio.sleep(0)
        else:
            rig.phone.full = True
            rig.voice.tell(ResponseStarted("r"))
            rig.voice.tell(ReplyAudio("r", "i", b"b" * 1600))
    assert running.result().reason is reason
    assert "262144" in running.result().detail


async def test_a_flood_of_audio_ends_the_call() -> None:
    """More than anybody says ends it, and the service is given ten seconds more than real time, and no more."""
    rig, clock = Rig(), asyncio.get_running_loop().time
    began = clock()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        rig.phone.tell(CallerAudio(b"\x01" * 160))
        await rig.until_asked(SendAudio)
        for _ in range(200):
            rig.phone.tell(CallerAudio(b"\x01" * 8000))
    assert running.result().reason is EndReason.STREAM_BROKEN
    given = sum(len(command.audio) for command in rig.voice.sent if isinstance(command, SendAudio))
    elapsed = max(clock() - began, 0.02)  # the first frame is 20 ms of speech, however soon it comes
    assert 8000 * (AHEAD_LIMIT_S - 1) < given <= 8000 * (AHEAD_LIMIT_S + elapsed)


@virtual_time
async def test_the_timer_is_set_to_what_is_due_first() -> None:
    """Whatever it was set to before: a reply is played in its time, though only the caller's frames come meanwhile."""
    rig, loop = Rig(CallSettings(greeting=SayText("Hello."))), asyncio.get_running_loop()
    played: list[tuple[float, int]] = []
    send = rig.phone.send

    def noted(*commands: PhoneCommand) -> None:
        played.extend((loop.time(), len(command.audio)) for command in commands if isinstance(command, PlayAudio))
        send(*commands)

    async def listen(frames: int) -> None:
        for _ in range(frames):
            rig.phone.tell(CallerAudio(SILENCE))
            await asyncio.sleep(0.02)

    rig.phone.send = noted  # type: ignore[method-assign]  # with the time at which it comes
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        await rig.until_asked(SayText)
        await listen(42)  # then the timer stands later than the first deadline of the reply
        began = loop.time()
        rig.voice.tell(ResponseStarted("r"))
        rig.voice.tell(ReplyAudio("r", "i", b"b" * 16_000))
        await listen(100)
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert sum(size for _, size in played) == 16_000
    due = [0.0, 0.0, *(0.2 * step for step in range(1, 8))]
    assert [at - began for at, _ in played] == pytest.approx(due, abs=0.02)
    assert all(at - began >= when - 1e-6 for (at, _), when in zip(played, due, strict=True)), "nothing is done early"
    assert rig.conversation.late_frames == 0


@needs_source(conversation)
async def test_a_bug_ends_the_call_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the conversation is raised, with both legs closed."""
    rig = Rig()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.conversation, "handle", broken)
    rig.phone.tell(DigitPressed("1"))
    with pytest.raises(ExceptionGroup) as caught:
        await rig.call.run()
    assert caught.group_contains(ZeroDivisionError)
    assert rig.phone.closed
    assert rig.voice.closed


@needs_source(conversation)
@pytest.mark.parametrize("moment", ["receive_audio", "on_deadline"])
async def test_a_bug_outside_of_any_task_ends_the_call(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """What fails where a frame is read or the timer fires is raised by the call all the same, and closes both legs."""
    rig = Rig()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.conversation, moment, broken)
    monkeypatch.setattr(rig.conversation, "next_deadline", lambda: 0.0)
    if moment == "receive_audio":
        monkeypatch.setattr(rig.conversation, "on_deadline", lambda _: Commands())
        rig.phone.tell(CallerAudio(b"x"))
    with pytest.raises(ExceptionGroup) as caught:
        await rig.call.run()
    assert caught.group_contains(ZeroDivisionError)
    assert rig.phone.closed
    assert rig.voice.closed


async def test_cancelling_the_call_closes_both_legs() -> None:
    """A server that cancels its handler leaves no session behind."""
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        await asyncio.sleep(0)
        running.cancel()
    assert rig.phone.closed
    assert rig.voice.closed


async def test_a_leg_that_will_not_close_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing is bounded, and the record says that it was needed."""
    monkeypatch.setattr("gateway.call.call.CLOSE_LIMIT_S", 0.01)
    rig = Rig()
    rig.voice.close_hangs = True
    rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert (await rig.call.run()).reason is EndReason.CALLER_HUNG_UP
    assert [note.note.event for note in rig.notes][-1] == "close_timed_out"


FUNCTIONS = CallSettings(functions={"status": FunctionRule()})


async def until_at_work(rig: Rig) -> None:
    """The model calls the function, and its errand has begun."""
    rig.voice.tell(SessionReady("s", "m"))
    rig.voice.tell(ResponseStarted("r"))
    rig.voice.tell(ToolCalled("r", "c", "status", "{}"))
    async with asyncio.timeout(5):
        await rig.errands.asked.wait()


async def test_an_errand_runs_beside_the_audio() -> None:
    """A function at work delays no audio; its output goes to the model when it is there."""
    rig = Rig(FUNCTIONS)
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.call.run())
        await until_at_work(rig)
        rig.phone.tell(CallerAudio(b"caller"))
        await rig.until_asked(SendAudio)
        rig.errands.answer(FunctionReturned("c", "{}"))
        await rig.until_asked(ReturnToolOutput)
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert rig.errands.sent == [RunFunction("c", "status", "{}")]
    assert rig.errands.cancelled == 0


async def test_a_hang_up_ends_what_is_at_work() -> None:
    """An errand does not outlive its call."""
    rig = Rig(FUNCTIONS)
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.call.run())
        await until_at_work(rig)
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
    assert rig.errands.cancelled == 1


@virtual_time
async def test_a_hang_up_during_a_transfer_closes_the_session_at_once() -> None:
    """Though the provider has not answered whether it took the call."""
    desk = Target("desk", "+14255550199", SayText("One moment."))
    rig, loop = Rig(CallSettings(on_key={"0": KeyAction(transfer=desk)})), asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        rig.voice.tell(SessionReady("s", "m"))
        await asyncio.sleep(1)
        rig.phone.tell(DigitPressed("0"))
        await rig.until_asked(SayText)
        rig.voice.tell(ResponseStarted("r"))
        rig.voice.tell(ResponseEnded("r", ResponseStatus.COMPLETED))
        await rig.errands.asked.wait()
        assert rig.errands.sent == [TransferCaller("desk", "+14255550199")]
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))
        began = loop.time()
        await running
        assert loop.time() - began < 1.0
    assert rig.voice.closed
    assert rig.errands.cancelled == 1


async def test_a_recorded_greeting_needs_no_session() -> None:
    """It is on its way to the phone before the service has said a word."""
    rig = Rig(CallSettings(greeting=Recorded(b"\x10" * 800)))
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.call.run())
        async with asyncio.timeout(5):
            await rig.phone.asked.wait()
        assert any(isinstance(command, PlayAudio) for command in rig.phone.sent)
        rig.phone.tell(PhoneClosed(PhoneEnd.HUNG_UP))


async def test_a_call_that_is_shut_down_before_it_runs_is_not_begun() -> None:
    """The process stops while the stream's start is read: nobody is greeted, and both legs are closed."""
    rig = Rig(CallSettings(greeting=Recorded(b"\x10" * 800)))
    rig.call.shut_down()
    assert await rig.call.run() == EndCall(EndReason.SHUT_DOWN, "gateway")
    assert rig.phone.sent == []
    assert rig.voice.closed


async def test_nothing_is_begun_behind_an_end() -> None:
    """A leg that overflows ends the call in the middle of a list of commands: the errand behind it is not begun."""
    rig = Rig()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.call.run())
        await asyncio.sleep(0)
        rig.phone.full = True
        transfer = TransferCaller("desk", "+1")
        rig.call._perform(Commands([PlayAudio(b"b"), PlayAudio(b"c")], [], [transfer], [notes.DigitsSent()]))
        rig.call._arm()
    assert running.result().reason is EndReason.STREAM_STALLED
    assert rig.errands.sent == []
    assert [note.note.event for note in rig.notes][-1] == "digits_sent"
