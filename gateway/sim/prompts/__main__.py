"""``python -m gateway.sim.prompts``: make the recordings anew from the index, with the programs flite and espeak-ng.

Flite's voices (cmu_us_slt, cmu_us_rms) are small statistical models of people who read the CMU Arctic sentences, under
CMU's permissive licence; they speak English. espeak-ng speaks the other languages. Both are packages of Debian.
"""

import io
import subprocess
import sys

import numpy as np
import soundfile

from gateway.audio.formats import PCMU
from gateway.audio.g711 import Samples, encode
from gateway.audio.resample import resample
from gateway.audio.wav_chunks import with_true_sizes
from gateway.sim.prompts import Prompt, prompts, write_mulaw

SPEECH_RMS = 32768 * 10 ** (-20 / 20)
"""Level of the parts that are speech: -20 dBFS, about what a telephone network delivers."""
PEAK = 32768 * 10 ** (-1 / 20)
FLITE_VOICES = ("slt", "rms")
EDGE_MS = 60
CALLER_SILENCE_MS = 300


def main() -> int:
    """Make every recording; exit code 1 where a program is missing."""
    try:
        for prompt in prompts():
            samples = levelled(trimmed(spoken(prompt)))
            if prompt.file.startswith("caller/"):
                pad = np.zeros(CALLER_SILENCE_MS * PCMU.rate_hz // 1000, np.int16)
                samples = np.concatenate([pad, samples, pad])
            write_mulaw(prompt.path, encode(samples, PCMU))
            sys.stdout.write(f"{prompt.file}: {len(samples) / PCMU.rate_hz:.1f} s\n")
    except FileNotFoundError as missing:
        sys.stderr.write(f"{missing.filename}: not found; install flite and espeak-ng\n")
        return 1
    return 0


def spoken(prompt: Prompt) -> Samples:
    """Return the words of a prompt in its voice, at 8 kHz."""
    if prompt.voice in FLITE_VOICES:
        command = ["flite", "-voice", prompt.voice, "-t", prompt.text, "-o", "/dev/stdout"]
    else:
        command = ["espeak-ng", "--stdout", "-v", prompt.voice, "-s", "165", "--", prompt.text]
    wav = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603 -- our own index
    samples, rate_hz = soundfile.read(io.BytesIO(with_true_sizes(wav)), dtype="int16")
    return resample(samples, rate_hz, PCMU.rate_hz)


def trimmed(samples: Samples) -> Samples:
    """Cut off the silence around the speech, but for a short edge."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 150)
    edge = EDGE_MS * PCMU.rate_hz // 1000
    return samples[max(0, loud[0] - edge) : loud[-1] + edge]


def levelled(samples: Samples) -> Samples:
    """Set the level to :data:`SPEECH_RMS` over the 20 ms frames that are speech, never above :data:`PEAK`."""
    wave = samples.astype(np.float64)
    frame = PCMU.rate_hz // 50
    energy = np.square(wave[: len(wave) // frame * frame]).reshape(-1, frame).mean(axis=1)
    speech_rms = np.sqrt(energy[energy > energy.max() / 1000].mean())
    gain = min(SPEECH_RMS / speech_rms, PEAK / np.abs(wave).max())
    made: Samples = np.rint(wave * gain).astype(np.int16)
    return made


if __name__ == "__main__":
    sys.exit(main())
