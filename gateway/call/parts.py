"""The parts of a call, and what they ask for. Pure."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from gateway.call import notes
from gateway.call.bad_messages import BadMessage, BadMessages
from gateway.call.barge_in.held_speech import HeldSpeech
from gateway.call.caller_audio import CallerStream
from gateway.call.ending import EndCall, EndReason, LoseVoice, Order, ShutDown
from gateway.call.errands import TransferEnded
from gateway.call.history.glance import Glance
from gateway.call.history.history import History
from gateway.call.keypad import Keypad
from gateway.call.leaving import LeaveCall, Leaving, PutOffLeaving
from gateway.call.messages import NOTHING, Carried, Commands
from gateway.call.settings import CallSettings
from gateway.call.silence import SilenceTimer
from gateway.call.speaking.bot import Bot
from gateway.call.speaking.recording import GoOnWith, Recording
from gateway.call.speaking.responses import Request
from gateway.call.state import CONNECTING, ENDED, LEAVING, RECOVERING, TALKING, TRANSFERRING, State
from gateway.call.tools.tools import CancelHeldResponse, ToolEvent, Tools
from gateway.call.transcripts import Transcripts
from gateway.phone.events import CallStarted
from gateway.voice.commands import CreateResponse, SayText, SeedItem

Wish = Carried | EndCall | LoseVoice | LeaveCall | PutOffLeaving | CancelHeldResponse | GoOnWith
"""Anything that a part may ask for. A request is a response that is wanted, without an id, and waits for its turn."""


class Timed(Protocol):
    """A part that has something to do at its time."""

    def next_deadline(self) -> float | None:
        """Return when that is; ``None`` if nothing is due."""


class Parts:
    """The parts of one call. They know nothing of one another: each returns what it asks for, which is done here.

    Commands are collected in ``asked`` while an event or a deadline is handled. Times are in seconds.
    """

    def __init__(self, started: CallStarted, settings: CallSettings, now: float) -> None:
        self.bot = Bot(settings, started.audio_format, started.playout)
        self.leaving = Leaving(settings)
        self._parting = settings.parting
        self.targets = settings.targets
        self.tools = Tools(settings)
        self.held_speech = HeldSpeech(settings.barge_in_rules)
        self.keypad = Keypad(settings)
        self.recording = Recording(settings.recording)
        self.transcripts = Transcripts()
        keeps_turns = settings.trouble.tries > 0
        limits_s = settings.stream_silence_limit_s, settings.no_audio_limit_s
        self.caller_audio = CallerStream(started.audio_format, now, *limits_s, keeps_turns=keeps_turns)
        self.silence = SilenceTimer(settings)
        self.bad_messages = BadMessages(now)
        self.history = History()
        self.timed: list[Timed] = [
            self.bot,
            self.tools,
            self.keypad,
            self.silence,
            self.leaving,
            self.held_speech,
            self.recording,
        ]
        """The parts that have deadlines."""
        self.connected = False
        """``True`` once the session is ready."""
        self.recovering = False
        """``True`` while there is no session, and another one is sought."""
        self.ended = False
        self.lose: Callable[[LoseVoice, float], None] = lambda lost, now: self.end(lost.end, now)
        """Goes on without the session in use."""
        self.asked = NOTHING

    @property
    def state(self) -> State:
        """The state of the call."""
        if self.ended:
            return ENDED
        if self.recovering:
            return RECOVERING
        if not self.connected:
            return CONNECTING
        if self.leaving.transferring:
            return TRANSFERRING
        return LEAVING if self.leaving.planned else TALKING

    @property
    def is_in_session(self) -> bool:
        """``True`` if a session hears the caller, who has not been transferred."""
        return self.state in (TALKING, LEAVING)

    def next_deadline(self) -> float:
        """Return when the first part has something due, but for audio: the caller's, and what is played to them."""
        due = math.inf
        for part in self.timed:
            at = part.next_deadline()
            if at is not None and at < due:
                due = at
        return due

    def carry_out(self, wishes: Iterable[Wish], now: float) -> None:
        """Do what a part asks for, in order, up to the end of the call."""
        for wish in wishes:
            grant = self.WISHES.get(type(wish))
            if grant is None:
                self.add((wish,))  # type: ignore[arg-type]  # whatever is no wish in the table is carried out as it is
            else:
                grant(self, wish, now)
                if self.ended:
                    return

    def add(self, commands: Sequence[Carried]) -> None:
        """Collect commands."""
        if commands:
            if self.asked is NOTHING:
                self.asked = Commands()
            self.asked.add(commands)

    def want(self, request: Request, now: float) -> None:
        """Ask for a response, now or in its turn."""
        self.add(self.bot.want(request, now))

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Silence the bot for speech of the caller, now or once the line's rules let it be interrupted."""
        bot = self.bot
        if self.held_speech.begin(item_id, now, bot.reply_began(now), speaks=not bot.says_nothing):
            self.interrupt(now, by_speech=True)

    def press(self, digit: str, now: float) -> None:
        """Take a key of the caller's: for a secret entry, for a question, or for the line's keys."""
        self.silence.caller_pressed()
        if self.tools.private(now):
            if self.tools.counts(digit):
                self.interrupt(now)
            self.carry_out(self.tools.key(digit, now), now)
            return
        acts = self.connected and not self.leaving.transferring
        if acts and self.recording.takes_keys:
            self.add([notes.DigitPressed(digit), *self.bot.interrupt(now, by_speech=False)])
            self.carry_out(self.recording.press(digit), now)
            return
        means_something = self.tools.asks_for_key or self.keypad.interrupts(digit)
        if acts and means_something:
            self.interrupt(now)
        self.add([notes.DigitPressed(digit)])
        if acts and not means_something and not self.keypad.finishes(digit):
            self.add([notes.DigitIgnored(digit)])
        if acts:
            self.carry_out(self.tools.answer_by_key(digit, now) or self.keypad.press(digit, now), now)

    def interrupt(self, now: float, *, by_speech: bool = False) -> None:
        """Silence the bot, but for a greeting that must be heard; what it was about to leave for is called off."""
        if self.bot.is_protected or self.leaving.transferring:
            return
        self.tools.unsaid()
        self.add(self.bot.interrupt(now, by_speech=by_speech))
        self.add(self.leaving.call_off())

    def tool_event(self, event: ToolEvent, now: float) -> None:
        """Do what follows from an event of a tool."""
        self.carry_out(self.tools.handle(event, now), now)

    def transfer_ended(self, ended: TransferEnded, now: float) -> None:
        """Go on with the caller, or leave: the transfer has ended."""
        self.carry_out(self.leaving.transfer_ended(ended.failure, now), now)

    def bad_message(self, message: BadMessage, now: float) -> None:
        """Note a message of a peer that could not be used; too many of them end the call."""
        self.carry_out(self.bad_messages.handle(message, now), now)

    def end(self, end: EndCall, now: float) -> None:
        """End the call, with all that belongs to it."""
        self.ended = True
        self.silence.interrupted()
        was_heard = self.bot.greeting.was_heard
        self.add([*self.bot.end(now), *self.tools.abandon()])
        self.add(self.recording.abandon(was_heard=was_heard or self.bot.greeting.was_heard))
        if self.asked is NOTHING:
            self.asked = Commands()
        self.asked.end = end

    def shut_down(self, event: ShutDown, now: float) -> None:
        """Let the caller hear why, and leave; end the call at once where nothing may or can be said any more."""
        parting = self._parting
        if parting is None or event.at_once or self.recovering or not self.connected:
            self.end(EndCall(EndReason.SHUT_DOWN, "gateway"), now)
        elif self.leaving.part(parting, now):
            self.tools.unsaid()
            target = parting.target.name if parting.target else None
            self.add([notes.ShutDownAnnounced(parting.words is not None, target)])
            self.add(self.bot.say_last(parting.words, now))

    def order(self, order: Order, now: float) -> None:
        """Do what an operator says: end the call now, or silence the bot and transfer the caller."""
        target = self.targets.get(order.target)
        if order.target and (target is None or not self.is_in_session):
            return
        self.add([notes.OperatorActed(order.target or None)])
        if target is None:
            self.end(EndCall(EndReason.ENDED_BY_OPERATOR, "operator"), now)
            return
        self.tools.unsaid()
        self.add(self.bot.interrupt(now, by_speech=False))
        self.carry_out(self.leaving.order(target), now)

    def glance(self) -> Glance:
        """Return what the call looks like now."""
        state = self.state
        return Glance(
            state=state.name.lower(),
            speaker="caller" if self.bot.caller_speaks else "" if self.bot.is_silent else "bot",
            last=self.history.last_words(self.bot.being_said()),
            targets=tuple(self.targets) if self.is_in_session else (),
        )

    def hand_over(self) -> Commands:
        """Return the commands collected so far, and collect anew."""
        asked, self.asked = self.asked, NOTHING
        if asked.notes or asked.voice:
            self.history.follow(asked)
        return asked

    def seed(self, limit_chars: int) -> list[SeedItem]:
        """Return the items with which a new session takes the call over; what waits to be played counts as heard."""
        return self.history.seed(limit_chars, self.bot.being_said())

    WISHES: ClassVar[Mapping[type, Callable[..., None]]] = {}

    @classmethod
    def wishes(cls) -> Mapping[type, Callable[..., None]]:
        """Return what grants each wish, by its type."""
        return {
            CreateResponse: cls.want,
            SayText: cls.want,
            GoOnWith: lambda self, step, now: self.add(self.bot.go_on_with(step.words, now)),
            CancelHeldResponse: lambda self, *_: self.add(self.bot.cancel()),
            LeaveCall: lambda self, leave, now: self.leaving.plan(leave, now),
            PutOffLeaving: lambda self, *_: self.add(self.leaving.put_off()),
            EndCall: cls.end,
            LoseVoice: lambda self, lost, now: self.lose(lost, now),
        }


Parts.WISHES = Parts.wishes()
