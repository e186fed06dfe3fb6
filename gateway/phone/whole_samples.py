"""Keeps 16-bit audio in whole samples where a provider cuts it in the middle of one. Pure."""


class WholeSamples:
    """Carries half a sample over to the next piece of one stream.

    A half that is passed on shifts every byte behind it, which is noise; the service refuses it as well.
    """

    def __init__(self) -> None:
        self._rest = b""

    @property
    def was_cut(self) -> bool:
        """Whether the last piece ended in half a sample."""
        return bool(self._rest)

    def join(self, audio: bytes) -> bytes:
        """Return the whole samples of what came so far; a half at the end waits for the next piece."""
        if self._rest:
            audio = self._rest + audio
        whole = len(audio) & ~1
        self._rest = audio[whole:]
        return audio[:whole]
