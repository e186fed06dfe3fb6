"""Keeps 16-bit audio in whole samples where a provider cuts it in the middle of one. Pure."""


class WholeSamples:
    """Carries half a sample over to the next piece of one stream.

    A half that is passed on shifts every byte after it, which is noise; the service refuses it as well.
    """

    def __init__(self) -> None:
        self.rest = b""
        """The half sample that waits; empty where the last piece was whole."""

    def join(self, audio: bytes) -> bytes:
        """Return the whole samples of the audio so far; half a sample at the end waits for the next piece."""
        if self.rest:
            audio = self.rest + audio
        whole = len(audio) & ~1
        self.rest = audio[whole:]
        return audio[:whole]
