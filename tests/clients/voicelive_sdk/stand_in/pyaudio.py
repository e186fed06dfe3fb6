"""A sound card for the SDK's samples: the microphone asks the question of the file ``QUESTION`` every 12 seconds.

It has what the samples use of PyAudio: streams that are read and written by blocks, or call back, at the pace of sound.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

paInt16, paContinue, paComplete = 8, 0, 1  # noqa: N816 -- PyAudio's names
EVERY_S = 12
_QUESTION = Path(os.environ["QUESTION"]).read_bytes()


def get_sample_size(_format: int) -> int:
    """Return the bytes of a sample."""
    return 2


class Stream:
    """One direction of the card."""

    def __init__(self, rate: int, block: int, callback: Callable[..., Any] | None, *, is_input: bool) -> None:
        self._rate, self._block, self._callback, self._is_input = rate, block, callback, is_input
        self._at = 0
        self._began = time.monotonic()
        self._open = True
        if callback is not None:
            threading.Thread(target=self._call_back, daemon=True).start()

    def start_stream(self) -> None:
        """Do nothing: the stream runs."""

    def stop_stream(self) -> None:
        """Stop the calls."""
        self._open = False

    close = stop_stream

    def is_active(self) -> bool:
        """Return whether it runs."""
        return self._open

    def read(self, frames: int, exception_on_overflow: bool = True) -> bytes:
        """Return so many samples, as soon as they have been said."""
        self._wait(frames)
        period = 2 * self._rate * EVERY_S
        start = 2 * (self._at - frames) % period
        return _QUESTION[start : start + 2 * frames].ljust(2 * frames, b"\0")

    def write(self, audio: bytes) -> None:
        """Wait until the audio has been played."""
        self._wait(len(audio) // 2)

    def _wait(self, frames: int) -> None:
        self._at += frames
        time.sleep(max(0.0, self._began + self._at / self._rate - time.monotonic()))

    def _call_back(self) -> None:
        assert self._callback is not None
        while self._open:
            if self._is_input:
                self._callback(self.read(self._block), self._block, {}, 0)
            else:
                self._wait(self._block)
                self._callback(None, self._block, {}, 0)


class PyAudio:
    """A machine with one microphone and one loudspeaker."""

    def open(
        self,
        *,
        rate: int,
        frames_per_buffer: int = 1024,
        input: bool = False,  # noqa: A002 -- PyAudio's name
        stream_callback: Callable[..., Any] | None = None,
        **_options: object,
    ) -> Stream:
        """Return a stream that runs."""
        return Stream(rate, frames_per_buffer, stream_callback, is_input=input)

    def get_device_count(self) -> int:
        """Return 1."""
        return 1

    def get_device_info_by_index(self, _index: int) -> dict[str, object]:
        """Return what the device can do."""
        return {"maxInputChannels": 1, "maxOutputChannels": 1}

    def terminate(self) -> None:
        """Do nothing."""
