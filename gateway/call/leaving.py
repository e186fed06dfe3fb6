"""Leaving a call: the last words are heard to their end, then comes the hang-up or the transfer. Pure."""

from msgspec import Struct

from gateway.call import notes
from gateway.call.ending import PHONE_ENDS, EndCall, EndReason, LoseVoice
from gateway.call.errands import TransferCaller
from gateway.call.notes import Note
from gateway.call.settings import PARTING_LIMIT_S, TRANSFER_GRACE_S, CallSettings, Parting, Target
from gateway.call.speaking.responses import ANSWER, Request
from gateway.phone.events import PhoneClosed, PhoneEnd
from gateway.voice.commands import AddMessage, CreateResponse

GOODBYE = CreateResponse("Say goodbye to the caller in one short sentence.")
CALL_GOES_ON = AddMessage("system", "The caller spoke before the call was over: it goes on.")
RESULTS_FIRST = AddMessage("system", "The call goes on until the caller has the results of the other tools.")


class LeaveCall(Struct, frozen=True):
    """Ask to leave the call for ``target``, or to hang up, once the last words have been heard.

    ``words`` are said where the response that is running says nothing itself.
    """

    target: Target | None
    words: Request | None = None
    by_model: bool = False


class PutOffLeaving(Struct, frozen=True):
    """Ask to stay where the model wanted to leave: it has called something else whose result must be said."""


class Leaving:
    """Follows a call from the plan to leave to its hang-up or transfer. Times are in seconds."""

    def __init__(self, settings: CallSettings) -> None:
        self._limit_s = settings.farewell_limit_s
        self._line_closed = settings.closed
        self.planned = False
        """The call leaves as soon as what is being said has been heard."""
        self.transferring = False
        """The provider has been asked to connect the caller with somebody else."""
        self.parting = False
        """``True`` if the call leaves because the gateway stops."""
        self._is_final = False
        """``True`` if neither the caller nor the model calls it off."""
        self._is_unsaid = False
        """``True`` if nothing has been heard of the words that a gateway that stops has for the caller."""
        self._by_model = False
        self._target: Target | None = None
        self._words: Request | None = None
        self._by: float | None = None
        self._voice_lost: LoseVoice | None = None

    def plan(self, leave: LeaveCall, now: float, *, recorded_s: float = 0.0) -> None:
        """Plan to leave; what is planned already stays, where the model asks.

        The limit counts from the end of a recording of ``recorded_s`` that is being played.
        """
        if self._is_final or (leave.by_model and self.planned):
            return
        self.planned, self._by_model = True, leave.by_model
        self._target, self._words = leave.target, leave.words
        self._by = now + recorded_s + self._limit_s

    def part(self, parting: Parting, now: float) -> bool:
        """Leave because the gateway stops, once its words have been heard; ``False`` where the call leaves already."""
        was_leaving, self._is_final = self.planned or self.transferring, True
        if was_leaving:
            return False
        self.planned = self.parting = True
        self._target, self._words, self._is_unsaid = parting.target, None, parting.words is not None
        self._by = now + PARTING_LIMIT_S
        return True

    def order(self, target: Target) -> list[TransferCaller | EndCall | Note]:
        """Transfer the caller now, because an operator says so."""
        self._target, self._words = target, None
        return self.leave()

    @property
    def is_deaf(self) -> bool:
        """``True`` if what the caller says has no effect any more."""
        return self.transferring or self.parting

    def put_off(self) -> list[AddMessage | Note]:
        """Stay where the model wanted to leave; what a key began goes on."""
        if not self.planned or not self._by_model or self._is_final:
            return []
        return [self._stay(), RESULTS_FIRST]

    def call_off(self) -> list[AddMessage | Note]:
        """Stay, because the caller speaks; a message tells the model, which believes that the call is over."""
        if not self.planned or self._line_closed or self._is_final:
            return []
        return [self._stay(), CALL_GOES_ON]

    def _stay(self) -> Note:
        self.planned, self._by = False, None
        target = self._target.name if self._target is not None else None
        return notes.HangUpCancelled(target, "model" if self._by_model else "key")

    def spoken(self) -> None:
        """Note that last words are being said, so that no others are needed."""
        self._words, self._is_unsaid = None, False

    def take_words(self) -> Request | None:
        """Return the last words if they are still to be asked for; once."""
        words, self._words = self._words, None
        return words if self.planned else None

    def next_deadline(self) -> float | None:
        """Return when to leave, heard or not; or when to close the stream of a caller who was transferred."""
        return self._by

    def on_deadline(self, now: float) -> list[TransferCaller | EndCall | Note]:
        """Leave if that time has come."""
        if self._by is None or now < self._by:
            return []
        return self.leave("the last words were not confirmed as heard")

    def leave(self, detail: str = "") -> list[TransferCaller | EndCall | Note]:
        """Hang up, or ask for the transfer: nothing is left to be heard, or the deadline has come."""
        self.planned, self._by = False, None
        if self.transferring:
            return [EndCall(EndReason.TRANSFERRED, "bot")]
        if self._target is None:
            return [self._end(detail)]
        self.transferring = True
        target = self._target
        return [notes.TransferStarted(target.name), TransferCaller(target.name, target.to)]

    def transfer_ended(self, failure: str, now: float) -> list[AddMessage | EndCall | LoseVoice | Request | Note]:
        """Wait for the end of the stream of a caller who was transferred, or go on with the call after a failure.

        A closed line has nothing to go on with.
        """
        if not self.transferring:
            return []
        name = self._name
        if not failure:
            self._by = now + TRANSFER_GRACE_S
            return [notes.Transferred(name)]
        self.transferring, self._by = False, None
        failed = notes.TransferFailed(name, failure)
        lost, self._voice_lost = self._voice_lost, None
        if self._is_final:
            return [failed, EndCall(EndReason.SHUT_DOWN, "gateway", failure)]
        if self._line_closed:
            return [failed, lost.end if lost else EndCall(EndReason.LINE_CLOSED, "bot", failure)]
        instruction = f"The caller could not be connected with {name}: that failed. Say so, and go on with the call."
        return [failed, *([lost] if lost else []), AddMessage("system", instruction), ANSWER]

    def voice_lost(self, lost: LoseVoice) -> None:
        """Note that the session is lost during a transfer: it is not needed any more, unless the transfer fails."""
        self._voice_lost = lost

    def phone_closed(self, event: PhoneClosed) -> list[EndCall | Note]:
        """End the call, because the stream has ended.

        During a transfer the provider may end the stream before it answers us.
        """
        has_answered = self.transferring and self._by is not None
        end = EndCall(EndReason.TRANSFERRED, "bot")
        if has_answered:
            return [end]
        if self.transferring and event.end is PhoneEnd.HUNG_UP:
            return [notes.Transferred(self._name), end]
        return [EndCall(*PHONE_ENDS[event.end], event.detail)]

    def _end(self, detail: str) -> EndCall:
        """Return the end of a call that goes nowhere else; ``detail`` says that its last words may not be heard."""
        if self.parting:
            was_heard = not detail and not self._is_unsaid
            return EndCall(EndReason.SHUT_DOWN_ANNOUNCED if was_heard else EndReason.SHUT_DOWN, "gateway", detail)
        return EndCall(EndReason.LINE_CLOSED if self._line_closed else EndReason.BOT_HUNG_UP, "bot", detail)

    @property
    def _name(self) -> str:
        return self._target.name if self._target is not None else ""
