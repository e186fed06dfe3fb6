"""The figures of a call: who spoke when, how long the bot took to answer and to fall silent.

All times are milliseconds from the start of the stream, to one frame of 20 ms.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audio import g711
from gateway.audio.formats import AudioFormat
from gateway.report.turns import BargeIn, Latency
from gateway.sim.caller.recording import FRAME_MS, Span, frame_levels, spans_of

AUDIBLE_LEVEL = 60.0
"""Level (RMS of 16-bit samples, -55 dBFS) from which on a frame of the bot is heard as sound."""
TURN_GAP_MS = 600
"""A pause of the bot shorter than this is part of its turn."""


@dataclass(frozen=True)
class Measures:
    """Figures of one call; ``greeting_ms`` is ``None`` where the bot did not speak before the caller.

    ``latencies`` are answers to what the caller said. Answers to keys are in ``keyed``, counted from the last key: a
    caller who keys takes time, and the gateway may wait for more keys, so that their times do not measure the bot.
    """

    bot: tuple[Span, ...]
    greeting_ms: int | None
    latencies: tuple[Latency, ...]
    barge_ins: tuple[BargeIn, ...]
    keyed: tuple[Latency, ...] = ()


def measure(
    bot_audio: bytes,
    audio_format: AudioFormat,
    caller: Sequence[Span],
    clears_ms: Sequence[int],
    keys_ms: Sequence[int] = (),
) -> Measures:
    """Compute the figures from the bot's audio, the caller's speech and keys, and the clears of the buffer."""
    levels = frame_levels(g711.decode(bot_audio, audio_format), audio_format.rate_hz)
    audible = [bool(level >= AUDIBLE_LEVEL) for level in levels]
    bot = _bot_turns(audible, caller, clears_ms)
    first_words = min((span.start_ms for span in caller), default=None)
    greeted = bool(bot) and (first_words is None or bot[0].start_ms < first_words)
    latencies, keyed = _latencies(bot, caller, keys_ms)
    return Measures(
        bot=bot,
        greeting_ms=bot[0].start_ms if greeted else None,
        latencies=latencies,
        barge_ins=_barge_ins(bot, audible, caller, clears_ms),
        keyed=keyed,
    )


def is_audible(frame: bytes, audio_format: AudioFormat) -> bool:
    """Return whether a frame is more than silence."""
    return float(frame_levels(g711.decode(frame, audio_format), audio_format.rate_hz).max()) >= AUDIBLE_LEVEL


def _bot_turns(audible: list[bool], caller: Sequence[Span], clears_ms: Sequence[int]) -> tuple[Span, ...]:
    """Find runs of sound, short pauses bridged; a clear ends a turn, and so does a caller who spoke in the pause."""
    cuts = {0, len(audible)}
    cuts.update(min(-(-clear // FRAME_MS), len(audible)) for clear in clears_ms)
    for span in caller:
        start, end = span.start_ms // FRAME_MS, -(-span.end_ms // FRAME_MS)
        if end <= len(audible) and not any(audible[start:end]):
            cuts.add(end)
    return tuple(
        Span(span.start_ms + start * FRAME_MS, span.end_ms + start * FRAME_MS)
        for start, end in itertools.pairwise(sorted(cuts))
        for span in spans_of(audible[start:end], pause_ms=TURN_GAP_MS)
    )


def _latencies(
    bot: Sequence[Span], caller: Sequence[Span], keys_ms: Sequence[int]
) -> tuple[tuple[Latency, ...], tuple[Latency, ...]]:
    """Return one for each turn of the bot that answers, to words and to keys.

    The caller had spoken or keyed since the last turn, and was silent by then.
    """
    to_words, to_keys = [], []
    previous_ms = -1
    for turn in bot:
        spoke_ms = max((span.end_ms for span in caller if span.start_ms <= turn.start_ms), default=-1)
        keyed_ms = max((at_ms for at_ms in keys_ms if at_ms <= turn.start_ms), default=-1)
        if keyed_ms > max(previous_ms, spoke_ms):
            to_keys.append(Latency(keyed_ms, turn.start_ms - keyed_ms))
        elif previous_ms < spoke_ms <= turn.start_ms:
            to_words.append(Latency(spoke_ms, turn.start_ms - spoke_ms))
        previous_ms = turn.start_ms
    return tuple(to_words), tuple(to_keys)


def _barge_ins(
    bot: Sequence[Span], audible: Sequence[bool], caller: Sequence[Span], clears_ms: Sequence[int]
) -> tuple[BargeIn, ...]:
    """Find one barge-in for each turn of the bot over which the caller began to speak."""
    found = []
    for turn in bot:
        over = next((span for span in caller if turn.start_ms < span.start_ms < turn.end_ms), None)
        if over is not None:
            silent_ms = _silent_from(audible, over)
            cleared = any(over.start_ms <= clear <= silent_ms + TURN_GAP_MS for clear in clears_ms)
            found.append(BargeIn(over.start_ms, silent_ms - over.start_ms if cleared else None))
    return tuple(found)


def _silent_from(audible: Sequence[bool], over: Span) -> int:
    """Find the end of the bot's last sound that the caller spoke ``over``, whenever the gateway ordered the stop.

    A short pause is no end while the caller speaks; after that, what follows a pause answers the caller.
    """
    start, spoken = over.start_ms // FRAME_MS, -(-over.end_ms // FRAME_MS)
    last = start
    for index in range(start, len(audible)):
        if audible[index]:
            last = index + 1
        elif index >= spoken or (index + 1 - last) * FRAME_MS >= TURN_GAP_MS:
            break
    return last * FRAME_MS
