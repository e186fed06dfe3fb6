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
    """Discard all further text of a stream, and the content of its buffer."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def is_unread(error: OSError) -> bool:
    """Return whether nobody will ever read what could not be written."""
    return error.errno in _NOBODY_READS


class Outlet:
    """A stream that still accepts text when nobody reads any more, as in ``gateway schema | head``.

    Printed text holds words of peers: characters that would act on a terminal are replaced, unless it is ``styled``.
    """

    def __init__(self, stream: TextIO, *, is_styled: bool = False, plain: "Outlet | None" = None) -> None:
        """Report failures to ``plain`` too, an outlet to the same stream."""
        self._stream = stream
        self._plain = plain
        self._is_styled = is_styled
        self.failure = ""
        """The reason why text was lost that has a reader, such as a full disk."""

    def write(self, text: str) -> int:
        """Write or lose the text; a character that the stream's encoding lacks becomes a question mark."""
        try:
            return self._stream.write(text if self._is_styled else printable(text))
        except UnicodeEncodeError as error:
            return self.write(text.encode(error.encoding, "replace").decode(error.encoding))
        except OSError as error:
            self._lose(error)
            return len(text)

    def styled(self) -> "Outlet":
        """Return an outlet to the same stream for code that prints in colours, and replaces such characters itself."""
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
        with suppress(OSError):  # no file at all, as in a test
            lead_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def styled_output() -> TextIO:
    """Return the stream for text with colours: standard output, which otherwise replaces their characters."""
    return cast(TextIO, sys.stdout.styled()) if isinstance(sys.stdout, Outlet) else sys.stdout


@contextmanager
def outlets() -> Iterator[list[Outlet]]:
    """Make both streams outlets until the block ends; then all that they still hold has been written or lost."""
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

    Text printed there is lost, and code that prints finds a stream.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
