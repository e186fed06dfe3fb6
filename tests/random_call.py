"""A conversation at random, and what must hold; ``python -m tests.random_call 0 100000`` tells a seed that fails."""

import random
import sys
from collections.abc import Callable, Sequence

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU
from gateway.call.barge_in.listening import conversation_for
from gateway.call.ending import EndCall, Order, ShutDown
from gateway.call.errands import (
    DialDigits,
    DigitsDialled,
    FunctionReturned,
    RunFunction,
    TransferCaller,
    TransferEnded,
)
from gateway.call.messages import Command, Event
from gateway.call.notes import Note
from gateway.call.recovery.commands import FIRST, CloseVoice, OpenVoice, UseVoice, VoiceFailed, VoiceOpened
from gateway.call.settings import (
    Approval,
    BargeInRules,
    CallSettings,
    Consent,
    Digits,
    FunctionRule,
    KeyAction,
    Recorded,
    RecordingRule,
    Secret,
    Silence,
    Target,
    Trouble,
    Waiting,
)
from gateway.call.speaking.responses import ALREADY_ACTIVE
from gateway.call.state import State
from gateway.function import SecretDigits
from gateway.phone.commands import PlayAudio, SendMark, StopPlayback
from gateway.phone.events import (
    CallerAudio,
    CallStarted,
    DigitPressed,
    MalformedMessage,
    MarkReturned,
    OddMessage,
    PhoneClosed,
    PhoneEnd,
    PlaybackStopped,
    Playout,
    SignOfLife,
    UnknownMessage,
)
from gateway.phone.providers.asterisk import wire as asterisk_wire
from gateway.phone.providers.exotel import provider as exotel
from gateway.phone.providers.genesys import wire as genesys_wire
from gateway.phone.providers.jambonz import wire as jambonz_wire
from gateway.voice.commands import AnswerApproval, CreateResponse, SayText, VoiceCommand
from gateway.voice.events import (
    ApprovalRequested,
    CallerPartlySaid,
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    MalformedEvent,
    McpCalled,
    McpReturned,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    ServiceWarning,
    SessionReady,
    ToolCalled,
    ToolsListed,
    ToolsRequested,
    TranscriptionFailed,
    TurnCommitted,
    UnknownEvent,
    VoiceClosed,
    VoiceEnd,
    WordSpoken,
)
from tests.notes import check_note
from tests.story import check, meet, told

EVENTS, SHOWN = 100, 200
"""Most characters shown of each event that led to a failure: audio is long."""
PLAYOUTS = (
    Playout(),
    Playout(returns_marks=False, marks_return_at_once=False),
    Playout(clears=False),
    Playout(lead_ms=200, refill_ms=20),
    asterisk_wire.PLAYOUT,
    asterisk_wire.MARKS_ON_TRIAL,
    genesys_wire.PLAYOUT,
    jambonz_wire.PLAYOUT,
    exotel.playout_of(PCMU),
    exotel.playout_of(L16_8K),
)
FORMATS = (PCMU, PCMA, L16_8K, L16_16K, L16_24K)
SAY = SayText("Words.")
TARGET = Target("desk", "+14255550199", CreateResponse("Announce it."))
SECRET = SecretDigits("pin", length=4)
RECORDINGS = (RecordingRule(SAY), RecordingRule(None, Consent(SAY)), RecordingRule(Recorded(b""), Consent(SAY)))


class RandomCall:
    """One call; every choice in it comes from its seed."""

    def __init__(self, seed: int) -> None:
        self._chance = chance = random.Random(seed)
        self._now = chance.choice((0.0, 1000.0, 1_234_567.891))
        self._format = chance.choice(FORMATS)
        self.log: list[tuple[float, object]] = []
        """The events and commands of the call, to find the reason of a failure."""
        started = CallStarted("CA1", "MZ1", self._format, chance.choice(PLAYOUTS))
        self._conversation = conversation_for(started, self._settings(), self._now)
        self._ready = False
        self._end: EndCall | None = None
        self._serial = 0
        self._marks: list[str] = []
        self._requests: list[str] = []
        self._responses: list[str] = []
        self._items: list[str] = []
        self._turns: list[str] = []
        self._functions: list[str] = []
        self._dialled: list[str] = []
        self._mcp: list[str] = []
        self._approvals: list[str] = []
        self._transferring = 0
        self._leg, self._opening = FIRST, list[int]()

    def run(self) -> None:
        """Run the call from its start to its end, and past it; raise where a rule is broken."""
        self._check(told(self._conversation.begin(self._now)))
        for _ in range(EVENTS):
            self._wait(self._pause())
            event = self._event()
            self.log.append((self._now, event))
            if isinstance(event, SessionReady):
                self._ready = True
            self._check(told(self._conversation.handle(event, self._now)))
            if self._chance.random() < 0.1:
                self._check(told(self._conversation.on_deadline(self._now)))
        self._wait(4000.0)
        assert self._end is not None, "a call without an end"
        assert self._conversation.state is State.ENDED

    def _settings(self) -> CallSettings:
        chance = self._chance
        tries = chance.choice((0, 0, 1, 4))
        self._losses = 0.03 if tries else 0.0
        maybe: Callable[[], bool] = lambda: chance.random() < 0.5  # noqa: E731 -- said often
        waiting = Waiting(SAY, chance.choice((0.0, 1.5)))
        greetings = (
            None,
            SAY,
            CreateResponse("Greet."),
            *(Recorded(self._format.silence(chance.randrange(900))), Recorded(b"")),
        )
        return CallSettings(
            greeting=chance.choice(greetings),
            interruptible=maybe(),
            closed=chance.random() < 0.1,
            closed_to=TARGET if maybe() else None,
            barge_in=chance.random() < 0.8,
            barge_in_rules=BargeInRules(chance.choice((0, 500)), chance.choice((0, 300)), maybe()),
            watches_speech=maybe(),
            commit_on=chance.choice(("", "", "#")),
            digits=Digits(chance.choice(("#", "")), chance.choice((0.1, 2.0))) if maybe() else None,
            on_key={"0": KeyAction(transfer=TARGET), "9": KeyAction(say=SAY), "8": KeyAction()} if maybe() else {},
            silence=Silence(chance.choice((0.5, 5.0)), SAY, 2) if maybe() else None,
            trouble=Trouble(tries, chance.choice((1.0, 20.0)), seed=chance.randrange(99)),
            session_limit_s=chance.choice((0.0, 0.0, 30.0)),
            built_in=frozenset({"end_call", "transfer_call", "send_digits"}),
            functions={
                "look": FunctionRule(waiting=waiting if maybe() else None),
                "pay": FunctionRule((Secret(SECRET, SAY if maybe() else None), Secret(SECRET))),
            },
            targets={"desk": TARGET},
            approvals={"shop": Approval(SAY, chance.choice(("", "1")), chance.choice(((), ("yes",))))},
            mcp_waiting={"shop": waiting} if maybe() else {},
            duration_limit_s=chance.choice((30.0, 3600.0)),
            stream_silence_limit_s=15.0,
            tool_calls_limit=chance.choice((1, 100)),
            secret_attempts_limit=chance.choice((1, 5)),
            recording=chance.choice((None, None, None, *RECORDINGS)),
        )

    def _pause(self) -> float:
        kind = self._chance.random()
        if kind < 0.4:
            return 0.0
        return self._chance.random() * (0.02 if kind < 0.7 else 0.5 if kind < 0.95 else 12.0)

    def _wait(self, seconds: float) -> None:
        until = self._now + seconds
        while (due := self._conversation.next_deadline()) <= until:
            late = self._chance.choice((0.0, 0.0, 0.001, 0.3))
            self._now = max(self._now, min(due + late, until))
            done = meet(self._conversation, self._now)
            if done:
                self.log.append((self._now, done))
            self._check(done)
        self._now = until

    def _check(self, commands: Sequence[Command]) -> None:
        for command in commands:
            check(command)
            assert self._end is None, f"{command} behind the end of the call"
            if isinstance(command, Note):
                check_note(command)
            if isinstance(command, EndCall):
                self._end = command
            elif isinstance(command, VoiceCommand) and self._leg:
                assert self._ready, f"{command} before the session is ready"
            self._keep(command)
        if self._end is not None:
            assert self._conversation.next_deadline() == float("inf")

    def _keep(self, command: Command) -> None:
        """Remember the ids in a command, to which later events may refer."""
        match command:
            case SendMark(name=name):
                self._marks.append(name)
            case StopPlayback() | PlayAudio() | Note():
                pass
            case CreateResponse(request_id=request) | SayText(request_id=request):
                self._requests.append(request)
            case RunFunction(call_id=call_id):
                self._functions.append(call_id)
            case DialDigits(call_id=call_id):
                self._dialled.append(call_id)
            case TransferCaller():
                self._transferring += 1
            case AnswerApproval(approved=True):
                self._approvals.append("shop")
            case OpenVoice(leg=leg):
                self._opening.append(leg)
            case UseVoice(leg=leg):
                self._leg, self._ready = leg, True
            case CloseVoice(leg=leg):
                self._leg = 0 if leg == self._leg else self._leg

    # What may happen

    def _event(self) -> Event:
        chance = self._chance
        if self._opening and chance.random() < 0.2:
            return self._of_another_leg(self._opening.pop(0))
        if not self._ready and chance.random() < 0.3:
            return SessionReady("s", "m", chance.choice((0.0, 0.0, 5.0, 60.0)), chance.choice(("", "conv")))
        if self._leg and chance.random() < self._losses:
            return self._voice_closed()
        kinds: Sequence[Callable[[], Event]] = (self._caller, self._phone, self._speech, self._response, self._tool)
        if chance.random() < 0.004:
            ends = (ShutDown(), Order(), PhoneClosed(chance.choice(list(PhoneEnd))), self._voice_closed())
            return chance.choice(ends)
        return chance.choices(kinds, (3, 2, 2, 8, 3))[0]()

    def _voice_closed(self) -> VoiceClosed:
        self._leg = 0
        return VoiceClosed(self._chance.choice(list(VoiceEnd)), "gone", passes=self._chance.random() < 0.5)

    def _of_another_leg(self, leg: int) -> Event:
        if self._chance.random() < 0.3:
            return VoiceFailed(leg, VoiceClosed(VoiceEnd.REFUSED, "429"))
        return VoiceOpened(leg, SessionReady(f"s{leg}", "m", self._chance.choice((0.0, 5.0, 60.0))))

    def _new(self, kept: list[str], prefix: str) -> str:
        self._serial += 1
        kept.append(f"{prefix}{self._serial}")
        return kept[-1]

    def _one_of(self, kept: Sequence[str]) -> str:
        """Return mostly the last one, sometimes another, rarely an unknown one."""
        kind = self._chance.random()
        if not kept or kind < 0.03:
            return "unheard-of"
        return kept[-1] if kind < 0.7 else self._chance.choice(kept)

    def _caller(self) -> Event:
        size = self._chance.choice((0, 20, 20, 20, 20, 20, 20, 100, 100, 3000))
        return CallerAudio(self._format.silence(size))

    def _phone(self) -> Event:
        kind = self._chance.random()
        if kind < 0.6 and self._marks:
            return MarkReturned(self._marks.pop(0))
        if kind < 0.9:
            return DigitPressed(self._chance.choice("0123456789*#"))
        return self._chance.choice(
            (
                MarkReturned("g0-1"),
                PlaybackStopped(),
                SignOfLife(),
                UnknownMessage("new"),
                MalformedMessage("bad"),
                OddMessage("odd"),
                UnknownEvent("new"),
            )
        )

    def _speech(self) -> Event:
        kind = self._chance.random()
        if kind < 0.35:
            return CallerSpoke(self._new(self._turns, "turn"))
        turn = self._one_of(self._turns)
        if kind < 0.6:
            return CallerPaused(turn)
        if kind < 0.8:
            return TurnCommitted(turn)
        if kind < 0.82:
            return CallerPartlySaid(turn, "ye")
        if kind < 0.95:
            return CallerSaid(turn, self._chance.choice(("", "yes", "no, thanks")))
        return TranscriptionFailed(turn)

    def _response(self) -> Event:
        chance, kind = self._chance, self._chance.random()
        if kind < 0.15 or not self._responses:
            request = self._requests.pop(0) if self._requests and chance.random() < 0.7 else ""
            return ResponseStarted(self._new(self._responses, "resp"), request)
        response = self._one_of(self._responses)
        if kind < 0.65:
            item = self._new(self._items, "item") if chance.random() < 0.3 else self._one_of(self._items)
            size = chance.choice((0, 1, 5, 80, 160, 500, 3281, 16000))
            return ReplyAudio(response, item, b"\x10" * size)
        if kind < 0.75:
            return ReplyComplete(response, self._one_of(self._items))
        if kind < 0.8:
            item = self._one_of(self._items)
            words = (ReplyText(response, item, "A few "), WordSpoken(response, item, "few", chance.randrange(2000)))
            return chance.choice((*words, ReplySaid(response, item, "A few words.")))
        if kind < 0.93:
            return ResponseEnded(response, chance.choice(list(ResponseStatus)))
        code = chance.choice((ALREADY_ACTIVE, "response_cancel_not_active", "server_error"))
        errors = (
            ServiceError(code, "no", self._one_of(self._requests)),
            ServiceWarning("w", "w"),
            MalformedEvent("bad"),
        )
        return chance.choices(errors, (6, 1, 1))[0]

    def _tool(self) -> Event:
        chance, kind = self._chance, self._chance.random()
        if kind < 0.35:
            names = ("look", "look", "pay", "end_call", "transfer_call", "send_digits", "no_such")
            arguments = chance.choice(('{"target":"desk","digits":"12#"}', "{}", "no JSON"))
            self._serial += 1
            return ToolCalled(self._one_of(self._responses), f"call{self._serial}", chance.choice(names), arguments)
        if kind < 0.5 and self._functions:
            outcome = chance.choice(("ok", "error", "timeout"))
            return FunctionReturned(self._functions.pop(0), '{"result":1}', outcome)
        if kind < 0.6 and self._dialled:
            return DigitsDialled(self._dialled.pop(0), chance.choice(("", "busy")))
        if kind < 0.7 and self._transferring:
            self._transferring -= 1
            return TransferEnded(chance.choice(("", "busy")))
        if kind < 0.8:
            return ApprovalRequested(self._new([], "approval"), chance.choice(("shop", "other")), "buy")
        if kind < 0.9:
            return McpCalled(self._new(self._mcp, "mcp"), chance.choice(("shop", "other")), "buy")
        if kind < 0.97:
            return McpReturned(self._one_of(self._mcp), failed=chance.random() < 0.3)
        return chance.choice((ToolsRequested("list1", "shop"), ToolsListed("list1")))


def run(seed: int) -> None:
    """Run the call of a seed; raise what it broke, with the seed and the events before it."""
    call = RandomCall(seed)
    try:
        call.run()
    except Exception as error:
        led = [f"{at:.6f} {what}"[:SHOWN] for at, what in call.log[-40:]]
        raise AssertionError("\n".join([f"seed {seed}: {error!r}", *led])) from error


def main(first: int, last: int) -> None:
    """Run all seeds from ``first`` up to ``last``, and report what each of them broke."""
    failed = 0
    for seed in range(first, last):
        try:
            run(seed)
        except AssertionError as error:
            failed += 1
            print(str(error).splitlines()[0], flush=True)  # noqa: T201 -- a program
    print(f"{last - first} calls, {failed} broke a rule")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
