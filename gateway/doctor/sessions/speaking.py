"""Lets a bot speak: its greeting word for word, the sizes and the pace of the audio, a cancel and a truncation."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from gateway.doctor.row import Row, failed, fine, reduced, skipped, unclear
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.talk import Talk
from gateway.voice.commands import CancelResponse, CreateResponse, SayText, TruncateReply
from gateway.voice.events import (
    ReplyAudio,
    ReplySaid,
    ResponseEnded,
    ResponseStatus,
    ServiceError,
    VoiceEvent,
)
from gateway.voice.texts import greeting_for, word_for_word

FIRST_LIMIT_S = 15.0
"""The limit from a request to its first audio."""
WHOLE_LIMIT_S = 30.0
ANSWER_LIMIT_S = 5.0
"""The limit of the answer to a cancel or a truncation."""
ABOUT_REAL_TIME = 1.5
"""Slower than this many times real time, a pause of the network is heard."""
STEPS = ("greeting", "pace", "cancel", "truncate")
_TEXT = "Hello. This is a test of the line."
_LONG = "Count aloud from one to fifty, slowly, one number after the other, and say nothing else."


class Spoken(Struct, frozen=True):
    """One answer of the bot: its words, and its audio as it came."""

    text: str
    item_id: str
    sizes_ms: Sequence[float]
    first_s: float
    """Seconds from the request to the first audio."""
    took_s: float
    """Seconds from the first to the last audio."""

    @property
    def length_ms(self) -> float:
        """The length of the audio."""
        return sum(self.sizes_ms)


async def speaking_rows(bot: Bot, talk: Talk) -> Sequence[Row]:
    """Return the rows of a bot that speaks in an open session."""
    about = bot.about
    wanted = greeting_for(bot.line, bot.facts)
    command = wanted if isinstance(wanted, SayText) else word_for_word(bot.line, _greeting(bot), bot.facts)
    words = command.text if isinstance(command, SayText) else _greeting(bot)
    begun = asyncio.get_running_loop().time()
    mark = len(talk.events)
    talk.send(command)
    ended = await talk.until(ResponseEnded, ServiceError, limit_s=WHOLE_LIMIT_S)
    spoken = _spoken(bot, talk.events[mark:], begun)
    if spoken is None:
        remedy = "use another voice or model; without a word from it callers hear nothing"
        return [
            failed("greeting", f"nothing was said: {_reason(ended)}", remedy, about),
            *(skipped(step, "greeting", about) for step in STEPS[1:]),
        ]
    rows = [_greeted(spoken, words, about), _paced(spoken, about)]
    return [*rows, await _cancelled(talk, about), await _truncated(talk, spoken, about)]


def _greeting(bot: Bot) -> str:
    greeting = bot.line.settings.greeting
    return greeting.say if greeting is not None and greeting.say else _TEXT


def _greeted(spoken: Spoken, words: str, about: str) -> Row:
    heard = f"{spoken.length_ms / 1000:.1f} s, first audio after {spoken.first_s * 1000:.0f} ms"
    if not spoken.text:
        return unclear("greeting", f"{heard}; its words were not told", "listen to it in a call", about)
    if _plain(spoken.text) == _plain(words):
        return fine("greeting", f"word for word, {heard}", about)
    remedy = "use an Azure voice, which says texts word for word; a model's own voice may change them"
    return reduced("greeting", f"{heard}, in other words: {spoken.text!r} instead of {words!r}", remedy, about)


def _paced(spoken: Spoken, about: str) -> Row:
    smallest, largest = min(spoken.sizes_ms), max(spoken.sizes_ms)
    sizes = f"{len(spoken.sizes_ms)} pieces of {smallest:.0f} to {largest:.0f} ms"
    if spoken.took_s <= 0:
        return fine("pace", f"{sizes}, all at once", about)
    pace = spoken.length_ms / 1000 / spoken.took_s
    if len(spoken.sizes_ms) > 1 and pace < ABOUT_REAL_TIME:
        remedy = "use a resource in a nearer region, or a quota with more room: replies may be interrupted by gaps"
        return reduced("pace", f"{sizes}, {pace:.1f} times real time: hardly faster than it is played", remedy, about)
    return fine("pace", f"{sizes}, {pace:.0f} times real time", about)


async def _cancelled(talk: Talk, about: str) -> Row:
    talk.send(CreateResponse(_LONG))
    audio = await talk.until(ReplyAudio, limit_s=FIRST_LIMIT_S)
    if not isinstance(audio, ReplyAudio):
        return unclear("cancel", "no long answer came that could be cancelled", "try again", about)
    talk.send(CancelResponse(audio.response_id))
    end = await talk.until(ResponseEnded, ServiceError, limit_s=ANSWER_LIMIT_S)
    if isinstance(end, ResponseEnded) and end.status is ResponseStatus.CANCELLED:
        return fine("cancel", "an answer that was cancelled ended", about)
    if isinstance(end, ResponseEnded) or (isinstance(end, ServiceError) and end.code == "response_cancel_not_active"):
        return unclear("cancel", "the answer was complete before it could be cancelled", "try again", about)
    remedy = "callers who interrupt hear no more of it, and the model goes on: use another model"
    return reduced("cancel", f"an answer could not be cancelled: {_reason(end)}", remedy, about)


async def _truncated(talk: Talk, spoken: Spoken, about: str) -> Row:
    mark = len(talk.events)
    talk.send(TruncateReply(spoken.item_id, int(spoken.length_ms / 2)))
    if await talk.until_message("conversation.item.truncated", ANSWER_LIMIT_S):
        return fine("truncate", f"the greeting was cut to {spoken.length_ms / 2000:.1f} s in the conversation", about)
    refusal = next((event for _, event in talk.events[mark:] if isinstance(event, ServiceError)), None)
    remedy = "after an interruption the model believes that all was heard: use another model"
    return reduced("truncate", f"the greeting could not be truncated: {_reason(refusal)}", remedy, about)


def _spoken(bot: Bot, events: Sequence[tuple[float, VoiceEvent]], begun: float) -> Spoken | None:
    """Return the first item of these events that has audio."""
    audio = [(at, event) for at, event in events if isinstance(event, ReplyAudio)]
    if not audio:
        return None
    item_id = audio[0][1].item_id
    pieces = [(at, event) for at, event in audio if event.item_id == item_id]
    said = next((event.text for _, event in events if isinstance(event, ReplySaid) and event.item_id == item_id), "")
    return Spoken(
        text=said,
        item_id=item_id,
        sizes_ms=[bot.audio_format.duration_ms(len(event.audio)) for _, event in pieces],
        first_s=pieces[0][0] - begun,
        took_s=pieces[-1][0] - pieces[0][0],
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _reason(end: Any) -> str:
    match end:
        case ResponseEnded(status=status, detail=detail):
            return f"the response ended {status}{f', {detail}' if detail else ''}"
        case ServiceError(code=code, message=message):
            return f"{message} ({code})"
    return "the service did not answer in time"
