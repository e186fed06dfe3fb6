"""How well the echo gate knows an echo of the bot from the caller, over the recorded prompts. Seeded; no network.

A scene is a moment at which the service reports speech while a prompt of the bot is played: because its echo comes
back, or because a caller begins to speak, with or without that echo beside. The echo goes through a filter of its own,
in half of the scenes through a loudspeaker that distorts, comes with noise, and through the codec of the line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.call.barge_in.hearing import ECHO_LIKENESS, WINDOW_MS, Hearing
from gateway.call.speaking.kept_playback import Played
from gateway.sim.prompts import Prompt, bot_prompts, caller_prompts, read_mulaw

SEED, SCENES = 13, 200
LEVELS_DB: tuple[float | None, ...] = (-6, -12, -20, -30)
DELAYS_MS = (20, 60, 150, 300, 500, 700)
NOISE_RMS = 30.0
"""-61 dBFS, as on a line without comfort noise."""
ONSET_MS = (200, 500)
"""The bounds of the time for which somebody has spoken when the service reports it."""
QUIETER_DB = 6.0
LATER_MS = 400
"""The gate compares anew every 200 ms: this is its verdict after two of them."""
RATE_HZ, MS = PCMU.rate_hz, PCMU.rate_hz // 1000
BOT_SPEAKS_S = 4.0

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """The shares of wrong verdicts at one level of the echo; ``level_db`` is ``None`` where there is no echo."""

    level_db: float | None
    missed: float
    """Echoes that are taken for the caller; 0 where there is none."""
    taken: float
    """Callers who are taken for an echo when the service reports them."""
    taken_later: float
    """Callers who are still taken for one ``LATER_MS`` later."""
    quiet_taken: float
    quiet_taken_later: float
    """The same of callers who are quieter than the bot, by ``QUIETER_DB``."""


def measure(scenes: int = SCENES, levels_db: Sequence[float | None] = (None, *LEVELS_DB)) -> list[Row]:
    """Judge ``scenes`` moments of each kind at each level."""
    chance = np.random.default_rng(SEED)
    studio = _Studio(chance)
    return [
        Row(
            level,
            0.0 if level is None else 1 - _share(studio.echo(level) for _ in range(scenes)),
            *_shares(studio.caller(level) for _ in range(scenes)),
            *_shares(studio.caller(level, QUIETER_DB) for _ in range(scenes)),
        )
        for level in levels_db
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the figures as Markdown."""
    lines = [
        f"| echo | taken for the caller | caller taken for an echo, and {LATER_MS} ms later | "
        f"the same, {QUIETER_DB:g} dB quieter |",
        "|---|---|---|---|",
    ]
    for row in rows:
        level, missed = ("none", "–") if row.level_db is None else (f"{row.level_db:g} dB", f"{row.missed:.1%}")
        equal = f"{row.taken:.1%}, {row.taken_later:.1%}"
        lines.append(f"| {level} | {missed} | {equal} | {row.quiet_taken:.1%}, {row.quiet_taken_later:.1%} |")
    return "\n".join(lines)


def _shares(verdicts: Iterable[tuple[bool, bool]]) -> list[float]:
    return [_share(each) for each in zip(*verdicts, strict=True)]


def _share(verdicts: Iterable[bool]) -> float:
    return float(np.mean(list(verdicts)))


class _Studio:
    """Makes scenes of the recorded prompts, and asks the gate about them."""

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance = chance
        self._bot = [_speech(prompt) for prompt in bot_prompts().values()]
        self._callers = [_speech(prompt) for prompt in caller_prompts()]

    def echo(self, level_db: float) -> bool:
        """Return the verdict about an echo: ``True`` where it is known as one."""
        played, delay = self._played(), self._delay()
        begins = self._chance.random() < 0.5  # the first words of a reply, or any later ones
        if begins:
            at = WINDOW_MS * MS + delay + self._onset()
        else:
            at = int(self._chance.uniform(WINDOW_MS * MS + RATE_HZ, played.size - RATE_HZ))
        return self._verdict(played, self._echo_of(played, level_db, delay), at)

    def caller(self, level_db: float | None, quieter_db: float = 0.0) -> tuple[bool, bool]:
        """Return the verdicts about a caller who speaks over the bot, at the report and later."""
        played = self._played()
        line = np.zeros(played.size) if level_db is None else self._echo_of(played, level_db, self._delay())
        at = int(self._chance.uniform(WINDOW_MS * MS + RATE_HZ, played.size - RATE_HZ))
        speech = self._callers[self._chance.integers(len(self._callers))] * 10 ** (-quieter_db / 20)
        begins = at - self._onset()
        said = speech[: played.size - begins]
        line[begins : begins + said.size] += said
        return self._verdict(played, line, at), self._verdict(played, line, at + LATER_MS * MS)

    def _verdict(self, played: Signal, line: Signal, at: int) -> bool:
        """Return ``True`` where the gate takes what the line carries just before ``at`` for an echo."""
        ledger = Played(PCMU)
        ledger.add(0.0, _encoded(played))
        hearing = Hearing(PCMU, ledger)
        heard = line[at - WINDOW_MS * MS : at]
        hearing.take(_encoded(heard + self._chance.normal(size=heard.size) * NOISE_RMS), at / RATE_HZ)
        return hearing.likeness() > ECHO_LIKENESS

    def _played(self) -> Signal:
        """Return a reply of some seconds after a silence."""
        pieces: list[Signal] = [np.zeros(WINDOW_MS * MS)]
        while sum(map(len, pieces)) < (BOT_SPEAKS_S + WINDOW_MS / 1000) * RATE_HZ:
            pieces.append(self._bot[self._chance.integers(len(self._bot))])
            pieces.append(np.zeros(int(self._chance.uniform(0.1, 0.4) * RATE_HZ)))
        return np.concatenate(pieces)

    def _echo_of(self, played: Signal, level_db: float, delay: int) -> Signal:
        sound = played
        if self._chance.random() < 0.5:
            peak = np.abs(sound).max()
            sound = np.tanh(2 * sound / peak) * peak / 2
        taps = int(self._chance.integers(1, 30 * MS))
        room = self._chance.normal(size=taps) * np.exp(-np.arange(taps) / self._chance.uniform(5, 60))
        room[0] += 2
        sound = np.convolve(sound, room)[: played.size]
        sound *= np.sqrt(np.mean(played**2) / np.mean(sound**2)) * 10 ** (level_db / 20)
        delayed: Signal = np.concatenate([np.zeros(delay), sound])[: played.size]
        return delayed

    def _delay(self) -> int:
        return int(self._chance.choice(DELAYS_MS)) * MS

    def _onset(self) -> int:
        return int(self._chance.uniform(*ONSET_MS)) * MS


def _speech(prompt: Prompt) -> Signal:
    """Return a recording without the silence around it."""
    samples = g711.decode(read_mulaw(prompt.path), PCMU).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[loud[0] : loud[-1]]


def _encoded(sound: Signal) -> bytes:
    return g711.encode(np.clip(sound, -32768, 32767).astype(np.int16), PCMU)
