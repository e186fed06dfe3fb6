"""Speech without a network: recorded prompts, espeak-ng where there is one, else babble of the right length."""

import asyncio
import ctypes
import shutil
import subprocess
import threading
from functools import cache, lru_cache

import numpy as np
import structlog

from gateway.audio.formats import PCMU, AudioFormat
from gateway.audio.g711 import Samples, decode, encode
from gateway.audio.resample import resample
from gateway.sim.prompts import bot_prompts, read_mulaw

_ESPEAK_RATE_HZ = 22_050
_WAV_HEADER_BYTES = 44
_BABBLE_MS_PER_CHARACTER = 65
_BABBLE_RATE_HZ = 8000

log = structlog.get_logger()


def speak(text: str, audio_format: AudioFormat, *, language: str = "en") -> bytes:
    """Return ``text`` as audio; blocks for some 10 ms to synthesise it, and answers at once the second time.

    A recorded prompt with exactly these words comes first, then the espeak-ng program, then the library that the
    package ``espeakng-loader`` carries, then babble: syllables without words, 65 ms a character.
    """
    return _spoken(" ".join(text.split()), audio_format, language.partition("-")[0].lower() or "en")


async def spoken(text: str, audio_format: AudioFormat, *, language: str = "en") -> bytes:
    """Run :func:`speak` for an event loop: what has no recording is made in a thread."""
    if text in bot_prompts():
        return speak(text, audio_format, language=language)
    return await asyncio.to_thread(speak, text, audio_format, language=language)


@lru_cache(maxsize=512)
def _spoken(text: str, audio_format: AudioFormat, language: str) -> bytes:
    prompt = bot_prompts().get(text)
    if prompt is not None:
        mulaw = read_mulaw(prompt.path)
        if audio_format == PCMU:
            return mulaw
        samples, rate_hz = decode(mulaw, PCMU), PCMU.rate_hz
    else:
        samples, rate_hz = _synthesised(text, language)
    if rate_hz != audio_format.rate_hz:
        samples = resample(samples, rate_hz, audio_format.rate_hz)
    return encode(samples, audio_format)


def _synthesised(text: str, language: str) -> tuple[Samples, int]:
    if not text:
        return np.zeros(0, np.int16), _BABBLE_RATE_HZ
    voice = f"{'en-us' if language == 'en' else language}+f3"
    if (program := _espeak_program()) is not None:
        return _from_program(program, text, voice), _ESPEAK_RATE_HZ
    if (library := _espeak_library()) is not None:
        return library.speak(text, voice), library.rate_hz
    return babble(text), _BABBLE_RATE_HZ


def babble(text: str) -> Samples:
    """Return babble for a text that nothing here can say, 8 kHz: a syllable per vowel group, word gaps."""
    _say_once_that_it_babbles()
    rng = np.random.default_rng(sum(text.encode()))
    gap = np.zeros(_BABBLE_RATE_HZ * _BABBLE_MS_PER_CHARACTER // 1000)
    pieces = [piece for word in text.split() for piece in (_syllables(len(word), rng), gap)]
    samples: Samples = np.rint(np.concatenate(pieces)).astype(np.int16)
    return samples


def _syllables(characters: int, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    count = max(1, round(characters / 3))
    size = _BABBLE_RATE_HZ * _BABBLE_MS_PER_CHARACTER * characters // 1000 // count
    clock = np.arange(size) / _BABBLE_RATE_HZ
    made = []
    for _ in range(count):
        pitch_hz = rng.uniform(170, 230) * (1 - 0.15 * clock / clock[-1])
        phase = 2 * np.pi * np.cumsum(pitch_hz) / _BABBLE_RATE_HZ
        formant_hz = rng.uniform(400, 900)
        voice = sum(np.sin(order * phase) / (1 + (abs(order * 200 - formant_hz) / 300) ** 2) for order in range(1, 16))
        made.append(5000 * voice * np.sin(np.pi * np.arange(size) / size) ** 0.5)
    return np.concatenate(made)


@cache
def _say_once_that_it_babbles() -> None:
    detail = "no recorded prompt has this text; install espeak-ng or the extra 'espeak' to hear words"
    log.warning("speech_is_babble", detail=detail)


@cache
def _espeak_program() -> str | None:
    return shutil.which("espeak-ng")


def _from_program(program: str, text: str, voice: str) -> Samples:
    command = [program, "--stdout", "-v", voice, "-s", "165", "--stdin"]
    ran = subprocess.run(command, input=text.encode(), capture_output=True, check=True)  # noqa: S603 -- fixed command
    return np.frombuffer(ran.stdout[_WAV_HEADER_BYTES : len(ran.stdout) & ~1], dtype="<i2")


@cache
def _espeak_library() -> "EspeakLibrary | None":
    try:
        import espeakng_loader  # noqa: PLC0415 -- an optional package
    except ImportError:
        return None
    return EspeakLibrary(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


class EspeakLibrary:
    """libespeak-ng through its C interface (``speak_lib.h``); one utterance at a time, it keeps global state."""

    _SYNCHRONOUS = 2
    _UTF8 = 1
    _RATE_PARAMETER = 1

    def __init__(self, library_path: str, data_path: str) -> None:
        self._library = ctypes.CDLL(library_path)
        self._lock = threading.Lock()
        self._pieces: list[bytes] = []
        self.rate_hz: int = self._library.espeak_Initialize(self._SYNCHRONOUS, 0, data_path.encode(), 0)
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = callback_type(self._take)  # kept: the library holds a bare pointer to it
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetParameter(self._RATE_PARAMETER, 165, 0)

    def speak(self, text: str, voice: str) -> Samples:
        """Speak ``text`` in a voice such as ``de+f3``, at :attr:`rate_hz`."""
        data = text.encode() + b"\0"
        with self._lock:
            self._pieces.clear()
            self._library.espeak_SetVoiceByName(voice.encode())
            self._library.espeak_Synth(
                data, ctypes.c_size_t(len(data)), ctypes.c_uint(0), 1, ctypes.c_uint(0), self._UTF8, None, None
            )
            self._library.espeak_Synchronize()
            return np.frombuffer(b"".join(self._pieces), dtype="<i2")

    def _take(self, wave: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
        if count > 0:  # the last call of an utterance comes with a null pointer and none
            self._pieces.append(ctypes.string_at(wave, 2 * count))
        return 0
