"""Standard output and standard error, which may go away while they are written to."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from gateway.text import printable

_NOBODY_READS = frozenset({errno.EIO, errno.EPIPE, errno.ENXIO})
"""A terminal that is gone, a pipe without a reader, a device that is gone."""


def lead_nowhere(stream: TextIO) -> None:
    """Let what is still written to a stream be lost, also what its buffer holds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def is_unread(error: OSError) -> bool:
    """Tell whether nobody will ever read what could not be written."""
    return error.errno in _NOBODY_READS


class Outlet:
    """A stream to which anybody may go on writing when nobody reads any more, as in ``gateway schema | head``.

    What is printed holds words of peers: characters that would act on a terminal are replaced, unless it is ``styled``.
    """

    def __init__(self, stream: TextIO, *, is_styled: bool = False, plain: "Outlet | None" = None) -> None:
        """``plain`` is the outlet to the same stream that is to know of failures too."""
        self._stream = stream
        self._plain = plain
        self._is_styled = is_styled
        self.failure = ""
        """Why something was lost that somebody waits for, such as a full disk."""

    def write(self, text: str) -> int:
        """Write, or lose the text; a sign that the stream's encoding does not know becomes a question mark."""
        try:
            return self._stream.write(text if self._is_styled else printable(text))
        except UnicodeEncodeError as error:
            return self.write(text.encode(error.encoding, "replace").decode(error.encoding))
        except OSError as error:
            self._lose(error)
            return len(text)

    def styled(self) -> "Outlet":
        """Return an outlet to the same stream for whoever prints in colours, and replaces such characters itself."""
        return Outlet(self._stream, is_styled=True, plain=self)

    def flush(self) -> None:
        """Flush, or lose what was to be flushed."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if not is_unread(error):
            self.failure = error.strerror or str(error)
            if self._plain is not None:
                self._plain.failure = self.failure
        with suppress(OSError):  # not of a file at all, as in a test
            lead_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def styled_output() -> TextIO:
    """Return where to print what has colours: standard output, without its protection from them."""
    return cast(TextIO, sys.stdout.styled()) if isinstance(sys.stdout, Outlet) else sys.stdout


@contextmanager
def outlets() -> Iterator[list[Outlet]]:
    """Let both streams be outlets until the block ends; then what they still hold has been written, or lost."""
    _fill_gaps()
    kept = sys.stdout, sys.stderr
    made = {id(stream): Outlet(stream) for stream in kept}
    sys.stdout, sys.stderr = (cast(TextIO, made[id(stream)]) for stream in kept)
    try:
        yield list(made.values())
    finally:
        for outlet in made.values():
            outlet.flush()
        sys.stdout, sys.stderr = kept


def _fill_gaps() -> None:
    """Open what was closed before we began (``2>&-``): a socket with such a number makes libuv abort.

    What is printed there is lost, and whoever prints finds a stream.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
