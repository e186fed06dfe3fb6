"""``python -m gateway.sim.prompts``: makes the recordings again from the index, with the espeak-ng program."""

import subprocess
import sys

import numpy as np

from gateway.audio.formats import PCMU
from gateway.audio.g711 import Samples, encode
from gateway.audio.resample import resample
from gateway.sim.prompts import prompts, write_mulaw

SPEECH_RMS = 32768 * 10 ** (-20 / 20)
"""Level of the parts that are speech: -20 dBFS, about what a telephone network delivers."""
PEAK = 32768 * 10 ** (-1 / 20)
ESPEAK_RATE_HZ = 22_050
WAV_HEADER_BYTES = 44
EDGE_MS = 60
CALLER_SILENCE_MS = 300


def main() -> int:
    """Makes every recording; exit code 1 where espeak-ng is missing."""
    try:
        for prompt in prompts():
            samples = levelled(trimmed(resample(espeak(prompt.text, prompt.voice), ESPEAK_RATE_HZ, PCMU.rate_hz)))
            if prompt.file.startswith("caller/"):
                pad = np.zeros(CALLER_SILENCE_MS * PCMU.rate_hz // 1000, np.int16)
                samples = np.concatenate([pad, samples, pad])
            write_mulaw(prompt.path, encode(samples, PCMU))
            sys.stdout.write(f"{prompt.file}: {len(samples) / PCMU.rate_hz:.1f} s\n")
    except FileNotFoundError as missing:
        sys.stderr.write(f"{missing.filename}: not found; install espeak-ng\n")
        return 1
    return 0


def espeak(text: str, voice: str) -> Samples:
    """``text`` in an espeak-ng voice, 22.05 kHz."""
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", "165", "--", text]
    wav = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603 -- our own index
    return np.frombuffer(wav[WAV_HEADER_BYTES : len(wav) & ~1], dtype="<i2")


def trimmed(samples: Samples) -> Samples:
    """Without the silence around the speech, but for a short edge."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 150)
    edge = EDGE_MS * PCMU.rate_hz // 1000
    return samples[max(0, loud[0] - edge) : loud[-1] + edge]


def levelled(samples: Samples) -> Samples:
    """At :data:`SPEECH_RMS` over the 20 ms frames that are speech, never above :data:`PEAK`."""
    wave = samples.astype(np.float64)
    frame = PCMU.rate_hz // 50
    energy = np.square(wave[: len(wave) // frame * frame]).reshape(-1, frame).mean(axis=1)
    speech_rms = np.sqrt(energy[energy > energy.max() / 1000].mean())
    gain = min(SPEECH_RMS / speech_rms, PEAK / np.abs(wave).max())
    made: Samples = np.rint(wave * gain).astype(np.int16)
    return made


if __name__ == "__main__":
    sys.exit(main())
