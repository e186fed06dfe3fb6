"""A service of events, whose model answers by what stands in its session, for calls that are cut."""

from typing import Any

from gateway.call.recovery.sessions import BACK, CUT_OFF
from gateway.voice.commands import (
    AddMessage,
    CancelResponse,
    CreateResponse,
    ReturnToolOutput,
    SayText,
    SeedCall,
    SeedMessage,
    SeedOutput,
    SendAudio,
)
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ReplyComplete,
    ReplySaid,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ToolCalled,
    TurnCommitted,
    VoiceEvent,
)

TICK_S = 0.02
SILENCE = b"\xff" * 160
FACT, BYE = "My order is 4711.", "That is all, goodbye."
GREETING, RESULT, FAREWELL = "Thank you for calling Contoso.", "It arrives on Friday.", "Goodbye then."
REST, HERE, WHAT = "and that was all of it.", "I am here again.", "What can I do for you?"
SECONDS = {GREETING: 2.0, RESULT: 2.5, FAREWELL: 1.2, REST: 0.8, HERE: 0.8, WHAT: 0.8}
DETECT_S, END_S, TRANSCRIPT_S, FIRST_AUDIO_S, FUNCTION_S = 0.3, 0.5, 0.2, 0.45, 1.5
PHRASE = b"\x22" * 8000
OUTPUT = '{"day":"Friday"}'


class Session:
    """One session of a service whose model answers by what stands in it."""

    def __init__(self, call: Any, number: int) -> None:
        self._call, self.number, self.is_open = call, number, True
        self.items: list[object] = []
        self.seeded = 0
        self._heard = self._silent = 0.0
        self._turn = ""
        self._answering = False
        self._cancelled: set[str] = set()

    def tell(self, after_s: float, event: VoiceEvent) -> None:
        """Report an event after a while, unless the session is closed by then."""
        self._call.later(after_s, lambda: self._call.hear(self.number, event))

    def take(self, command: object) -> None:
        """Take a command of the conversation."""
        match command:
            case SendAudio(audio=audio):
                for at in range(0, len(audio), 160):
                    self._listen(audio[at : at + 160])
            case SeedMessage() | SeedCall() | SeedOutput():
                self.items.append(command)
                self.seeded += 1
            case AddMessage():
                self.items.append(command)
            case ReturnToolOutput(call_id=call_id, output=output):
                self.items.append(SeedOutput(call_id, output))
            case SayText() | CreateResponse():
                self._respond(command.text if isinstance(command, SayText) else "", command.request_id)
            case CancelResponse(response_id=response_id):
                self._cancelled.add(response_id)
                self.tell(0.02, ResponseEnded(response_id, ResponseStatus.CANCELLED))

    def _listen(self, frame: bytes) -> None:
        """Detect speech: of each turn every byte is its number."""
        words = {1: FACT, 2: BYE}.get(frame[0])
        if words:
            self._heard += TICK_S
            self._silent = 0.0
            if not self._turn and self._heard >= DETECT_S:
                self._turn = f"{self.number}-{words}"
                self._call.turns += 1
                self.tell(0.0, CallerSpoke(self._turn))
        elif self._heard:
            self._silent += TICK_S
            if self._silent >= END_S:
                if self._turn:
                    self._commit(self._turn)
                self._heard, self._turn = 0.0, ""

    def _commit(self, turn: str) -> None:
        words = turn.partition("-")[2]
        self.items.append(SeedMessage("user", words))
        self.tell(0.0, CallerPaused(turn))
        self.tell(0.01, TurnCommitted(turn))
        self.tell(TRANSCRIPT_S, CallerSaid(turn, words))
        self._call.later(0.03, lambda: self._respond("", ""))

    def _respond(self, text: str, request_id: str) -> None:
        if not self.is_open:
            return
        response = f"r{next(self._call.ids)}"
        words, tool = (text, "") if text else self._answer()
        self._call.log.append((round(self._call.now, 2), "generates", words, tool))
        self.tell(0.06, ResponseStarted(response, request_id))
        if words:
            self._speak(response, words)
        done_s = FIRST_AUDIO_S + SECONDS.get(words, 0.0) / 5 + 0.05 if words else 0.3
        if tool:
            name, _, arguments = tool.partition(" ")
            call_id = f"c{next(self._call.ids)}"
            self.items.append(SeedCall(call_id, name, arguments or "{}"))
            self.tell(done_s - 0.02, ToolCalled(response, call_id, name, arguments or "{}"))
        self.tell(done_s, ResponseEnded(response, ResponseStatus.COMPLETED))

    def _speak(self, response: str, words: str) -> None:
        """Speak five times as fast as real time, in pieces of 200 ms."""
        item = f"i{next(self._call.ids)}"
        pieces = round(SECONDS[words] * 5)
        self._call.texts[item] = words
        for piece in range(pieces):
            audio = bytes([16 + piece % 16]) * 1600
            self.tell(FIRST_AUDIO_S + 0.04 * piece, ReplyAudio(response, item, audio))
        self.tell(FIRST_AUDIO_S, ReplySaid(response, item, words))
        end_s = FIRST_AUDIO_S + 0.04 * pieces
        self.tell(end_s, ReplyComplete(response, item))
        self._call.later(end_s, lambda: self.items.append(SeedMessage("assistant", words)))

    def _answer(self) -> tuple[str, str]:
        """Decide as a model would, by what stands in the session: words, and a tool."""
        last = next((item for item in reversed(self.items) if isinstance(item, AddMessage)), None)
        if self.items and self.items[-1] == CUT_OFF and last == CUT_OFF:
            return REST, self._leaving_tool() if self._said(FAREWELL) else ""
        if self.items and self.items[-1] == BACK:
            return HERE, ""
        called = [item for item in self.items if isinstance(item, SeedCall) and item.name == "look"]
        outputs = {item.call_id for item in self.items if isinstance(item, SeedOutput)}
        if self._said(BYE, "user"):
            return (WHAT, "end_call") if self._said(FAREWELL) else (FAREWELL, self._leaving_tool())
        if called and called[-1].call_id in outputs:
            return (RESULT, "") if not self._said(RESULT) else (WHAT, "")
        if self._said(FACT, "user") and not called:
            return "", "look"
        return WHAT, ""

    def _said(self, text: str, role: str = "assistant") -> bool:
        said = (item for item in self.items if isinstance(item, SeedMessage) and item.role == role)
        return any(item.text and (item.text in text or text in item.text) for item in said)

    def _leaving_tool(self) -> str:
        return 'transfer_call {"target":"desk"}' if self._call.transfers else "end_call"
