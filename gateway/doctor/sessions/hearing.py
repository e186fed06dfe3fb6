"""Plays a recording to a bot: the turn that it detects, the transcript, its answer."""

import asyncio
from collections.abc import Sequence
from difflib import SequenceMatcher

from gateway.audio.formats import PCMU, AudioFormat
from gateway.audio.g711 import decode, encode
from gateway.audio.resample import resample
from gateway.doctor.row import Row, failed, fine, reduced
from gateway.doctor.sessions.bots import Bot
from gateway.doctor.sessions.talk import Talk
from gateway.sim.prompts import caller_prompt, read_mulaw
from gateway.voice.commands import CommitTurn, CreateResponse, SendAudio
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ReplyAudio,
    ResponseEnded,
    ToolCalled,
    TranscriptionFailed,
    VoiceEvent,
)

RECORDING = "order_status"
FRAME_MS = 20
FRAME_S = FRAME_MS / 1000
SILENCE_LIMIT_S = 20.0
"""The silence after the recording in which the turn must end and the answer come."""
ALIKE = 0.6
"""A transcript with less in common is another text."""
STEPS = ("turn", "transcript", "answer")


async def hearing_rows(bot: Bot, talk: Talk) -> Sequence[Row]:
    """Return the rows of a bot that hears the recording in an open session."""
    prompt = caller_prompt(RECORDING)
    if prompt is None:
        raise RuntimeError(f"the recording {RECORDING} is not shipped")
    audio = _converted(read_mulaw(prompt.path), bot.audio_format)
    mark = len(talk.events)
    ended_at = await _play(bot, talk, audio, mark)
    events = talk.events[mark:]
    return [_turn(bot, events), _transcript(bot, events, prompt.text), _answer(bot, events, ended_at)]


async def _play(bot: Bot, talk: Talk, audio: bytes, mark: int) -> float:
    """Send the recording and then silence, in real time, until an answer has come; return when the speech ended."""
    loop = asyncio.get_running_loop()
    size = bot.audio_format.bytes_for(FRAME_MS)
    frames = [audio[start : start + size] for start in range(0, len(audio) - size + 1, size)]
    silence = bot.audio_format.silence(FRAME_MS)
    due = loop.time()
    ended_at = due
    for number in range(len(frames) + round(SILENCE_LIMIT_S / FRAME_S)):
        if number == len(frames):
            ended_at = loop.time()
            if bot.line.settings.turn_detection is None:
                talk.send(CommitTurn())
                talk.send(CreateResponse())
        talk.send(SendAudio(frames[number] if number < len(frames) else silence))
        if number >= len(frames) and _is_answered(bot, talk.events[mark:]):
            break
        due += FRAME_S
        await asyncio.sleep(max(0.0, due - loop.time()))
        if talk.closed is not None:
            break
    return ended_at


def _is_answered(bot: Bot, events: Sequence[tuple[float, VoiceEvent]]) -> bool:
    """Return ``True`` once all that is looked at has come."""
    kinds = {type(event) for _, event in events}
    is_written = bot.line.settings.transcription is None or bool(kinds & {CallerSaid, TranscriptionFailed})
    return ResponseEnded in kinds and is_written


def _turn(bot: Bot, events: Sequence[tuple[float, VoiceEvent]]) -> Row:
    if bot.line.settings.turn_detection is None:
        return fine("turn", "ended by hand: the line has no turn detection", bot.about)
    spoke = next((at for at, event in events if isinstance(event, CallerSpoke)), None)
    paused = next((at for at, event in events if isinstance(event, CallerPaused)), None)
    remedy = "use another turn_detection, or a lower threshold: callers are not heard"
    if spoke is None:
        return failed("turn", "the recording was not taken for speech", remedy, bot.about)
    if paused is None:
        return failed("turn", "the end of the turn was not found", remedy, bot.about)
    return fine("turn", f"{paused - spoke:.1f} s of speech", bot.about)


def _transcript(bot: Bot, events: Sequence[tuple[float, VoiceEvent]], words: str) -> Row:
    if bot.line.settings.transcription is None:
        return fine("transcript", "none, as the line has it", bot.about)
    remedy = "use another transcription model, or set the line's language"
    problem = next((event for _, event in events if isinstance(event, TranscriptionFailed)), None)
    if problem is not None:
        return reduced("transcript", f"it failed: {problem.detail or problem.code}", remedy, bot.about)
    said = next((event.text for _, event in events if isinstance(event, CallerSaid) and event.text.strip()), "")
    if not said:
        return reduced("transcript", "there was none", remedy, bot.about)
    if SequenceMatcher(None, said.casefold(), words.casefold()).ratio() < ALIKE:
        return reduced("transcript", f"{said!r}, where the recording says {words!r}", remedy, bot.about)
    return fine("transcript", f"{said!r}", bot.about)


def _answer(bot: Bot, events: Sequence[tuple[float, VoiceEvent]], ended_at: float) -> Row:
    called = next((event.name for _, event in events if isinstance(event, ToolCalled)), "")
    first = next((at for at, event in events if isinstance(event, ReplyAudio)), None)
    if first is not None:
        return fine("answer", f"{max(0.0, first - ended_at) * 1000:.0f} ms after the speech", bot.about)
    if called:
        return fine("answer", f"it calls {called}", bot.about)
    ended = next((event for _, event in events if isinstance(event, ResponseEnded)), None)
    reason = f"the response ended {ended.status} {ended.detail}".strip() if ended else "the service did not answer"
    return failed("answer", f"nothing was said: {reason}", "use another model or voice", bot.about)


def _converted(mulaw: bytes, audio_format: AudioFormat) -> bytes:
    if audio_format == PCMU:
        return mulaw
    samples = decode(mulaw, PCMU)
    if audio_format.rate_hz != PCMU.rate_hz:
        samples = resample(samples, PCMU.rate_hz, audio_format.rate_hz)
    return encode(samples, audio_format)
