"""Reads and checks one line's file."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.audio.formats import L16_8K, L16_16K, L16_24K, PCMA, PCMU
from gateway.audio.sound import Sound
from gateway.config.checks.leaks import leak_in, leaks
from gateway.config.checks.service import findings_of_all
from gateway.config.line.line import Line, Settings
from gateway.config.line.models import models_of
from gateway.config.line.placeholders import OF_THE_CALL, Mistake, mistakes
from gateway.config.line.texts import filled_texts
from gateway.config.line.trouble import OnTrouble
from gateway.config.line_functions import functions_of
from gateway.config.reading.document import read_document
from gateway.config.reading.position import position_in
from gateway.config.reading.problems import KeyPath, dotted
from gateway.config.reading.text_file import (
    UnreadableError,
    UnreadError,
    is_of_the_system,
    read_text,
    require_ordinary,
    unfit_at,
)
from gateway.config.reading.validation import validate
from gateway.errors import ConfigError, RecordingError
from gateway.logs.redaction import secrets_in

MAX_SOUND_S = 60
"""Seconds of a recording that a line may play."""
_PLAYED: tuple[KeyPath, ...] = (
    ("greeting", "play"),
    ("hours", "closed", "play"),
    ("on_trouble", "play"),
    ("recording", "announce", "play"),
)
"""The keys that name a recording."""

GENERATION_LENGTH = 8
Stamp = tuple[int, int, int] | None
"""Modification time, size and inode of a file; ``None`` where there is none."""


_UNREAD: Stamp = (-1, -1, -1)
"""The stamp of a file that exists but could not be read: it differs from every version."""


def stamp(file: Path) -> Stamp:
    """Return what distinguishes a file's versions without reading them."""
    try:
        found = file.stat()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class LineFile:
    """The result of reading a line's file once: the ``line``, or ``None`` and the ``errors``.

    ``stamps`` holds those of every file that was read, each taken before the reading, so that no change is missed.
    """

    def __init__(
        self,
        file: Path,
        model: str | tuple[str, ...],
        environ: Mapping[str, str],
        *,
        folder: Path | None = None,
        region: str = "",
        copies: Mapping[Path, Path] | None = None,
        trouble: OnTrouble | None = None,
    ) -> None:
        """Read the file; Python tools may also be in ``folder``.

        ``model`` (or several), ``region`` and ``trouble`` are defaults.

        ``copies`` maps files to the copies that are read in their place.
        """
        self.stamps = {file: stamp(file)}
        self.line: Line | None = None
        self._copies = copies or {}
        self._trouble = trouble or OnTrouble()
        self._secrets = secrets_in(environ)
        self._document = document = read_document(file, environ, copy=self._copies.get(file))
        self._note_unread(file, document.errors)
        self._content = hashlib.sha256(document.source.encode(errors="replace"))
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", file.stem):
            message = f"{file.stem!r} cannot name a line, expected letters, digits, '.', '_' and '-'"
            document.errors.append(ConfigError(message, file=file))
        if not document.is_broken(()):
            self._check_instructions()
            self._check_leaks()
            self._check_placeholders()
        settings = validate(Settings, document, context=region)
        instructions = self._read_instructions(file)
        if settings:
            self._finish(settings, file, instructions, models_of(model), folder or file.parent)

    def _finish(self, settings: Settings, file: Path, instructions: str, models: tuple[str, ...], folder: Path) -> None:
        """Check the settings together, read the files that the line names, and make the line if nothing is wrong."""
        first, *others = ("",) if settings.agent else models_of(settings.model) or models
        for key, message in findings_of_all(settings, (first, *others)):
            self._refuse(key, message)
        functions, problems = functions_of(settings, folder)
        for key, message in problems:
            self._refuse(key, message)
        sounds = self._read_sounds(settings, file)
        if not self.errors:
            text = settings.instructions or instructions
            self.line = Line(
                file.stem,
                file,
                settings,
                text,
                first,
                tuple(functions.values()),
                sounds,
                generation=self.generation,
                fallbacks=tuple(others),
                trouble=settings.on_trouble or self._trouble,
            )

    def _refuse(self, key: KeyPath, message: str) -> None:
        if not self._document.is_broken(key):
            self._document.refuse(key, message)

    @property
    def generation(self) -> str:
        """A short hash of what was read: of the file, its instructions and its recordings, not of the environment."""
        return self._content.hexdigest()[:GENERATION_LENGTH] if self._document.source else ""

    @property
    def errors(self) -> list[ConfigError]:
        """The mistakes of the file, in the file's order."""
        return sorted(self._document.errors, key=lambda error: (error.file, error.line, error.column))

    def number_error(self, index: int, number: str, owner: Path) -> ConfigError:
        """Return the error that ``number``, at ``index`` of the line's numbers, belongs to the line in ``owner``."""
        key = ("numbers", index)
        return self._document.error(key, f"{number} is also a number of {owner}, expected it in one line only")

    def _note_unread(self, file: Path, errors: Sequence[ConfigError]) -> None:
        if any(isinstance(error, UnreadError) for error in errors):
            self._read_again(file)

    def _read_again(self, file: Path) -> None:
        """Let the next look read an existing file again, even if it has not changed by then."""
        if self.stamps[file] is not None:
            self.stamps[file] = _UNREAD

    def _check_instructions(self) -> None:
        written = [key for key in ("instructions", "instructions_file") if key in self._document.data]
        if "agent" in self._document.data:
            for key in written:
                self._document.refuse((key,), "belongs to the agent, expected no such key beside agent")
        elif len(written) == 2:
            self._document.refuse(("instructions_file",), "stands beside instructions, expected one of them")
        elif not written:
            message = "is missing, expected the bot's instructions, or instructions_file, or agent"
            self._document.refuse(("instructions",), message)

    def _check_leaks(self) -> None:
        for key, message in leaks(self._document.data, self._secrets):
            self._refuse(key, message)

    def _check_placeholders(self) -> None:
        for key, text in filled_texts(self._document.data):
            for mistake in [] if self._document.is_broken(key) else self._mistakes(text):
                at = self._document.locate(key, mistake.piece, mistake.nth)
                self._document.refuse(key, mistake.message, at)

    def _mistakes(self, text: str) -> list[Mistake]:
        """Return the placeholders that have no value; none while the variables or parameters are invalid."""
        variables = self._document.data.get("variables", {})
        parameters = self._document.data.get("parameters", [])
        if not isinstance(variables, dict) or not isinstance(parameters, list):
            return []
        return mistakes(text, (*OF_THE_CALL, *variables, *(name for name in parameters if isinstance(name, str))))

    def _read_sounds(self, settings: Settings, line_file: Path) -> dict[str, Sound]:
        """Return the recordings that the line plays, already encoded, because a call has no time for that."""
        greeting, hours = settings.greeting, settings.hours
        trouble = settings.on_trouble or self._trouble
        told = settings.recording.announce if settings.recording else None
        closed = hours.closed.play if hours else None
        named = (greeting.play if greeting else None, closed, trouble.play, told.play if told else None)
        sounds: dict[str, Sound] = {}
        for key, name in zip(_PLAYED, named, strict=True):
            if not name:
                continue
            file = line_file.parent / name
            self.stamps[file] = stamp(file)
            try:
                sound = _read_sound(self._copies.get(file, file))
            except (RecordingError, UnreadableError, ValueError) as error:  # ValueError: a name that no file can have
                self._refuse(key, str(error))
                if is_of_the_system(error):
                    self._read_again(file)
                continue
            if sound.duration_ms > MAX_SOUND_S * 1000:
                lasts = f"{sound.duration_ms / 1000:.0f} s"
                self._refuse(key, f"{file} lasts {lasts}, expected at most {MAX_SOUND_S} s")
                continue
            for audio_format in (PCMU, PCMA, L16_8K, L16_16K, L16_24K):
                sound.encoded(audio_format)
            self._content.update(b"\0" + sound.encoded(PCMU))
            sounds[name] = sound
        return sounds

    def _read_instructions(self, line_file: Path) -> str:
        key: KeyPath = ("instructions_file",)
        name = self._document.data.get("instructions_file")
        if not isinstance(name, str) or self._document.is_broken(key):
            return ""
        file = line_file.parent / name
        self.stamps[file] = stamp(file)
        unreadable: list[ConfigError] = []
        text = read_text(self._copies.get(file, file), unreadable)
        self._note_unread(file, unreadable)
        for error in unreadable:
            self._document.refuse(key, str(error))
        if text is None:
            return ""
        self._content.update(b"\0" + text.encode())
        if not text.strip():
            self._document.refuse(key, f"{file} is empty, expected instructions")
        if leak := leak_in(text, self._secrets):
            self._document.refuse(key, f"{file} {leak}")
        if unfit := unfit_at(text, file, dotted(key)):
            self._document.errors.append(unfit)
        for mistake in self._mistakes(text):
            line, column = position_in(text, mistake.index)
            error = ConfigError(mistake.message, file=file, line=line, column=column, key=dotted(key))
            self._document.errors.append(error)
        return text


def _read_sound(file: Path) -> Sound:
    with suppress(OSError):  # reported by the reader, in its own words
        require_ordinary(file)
    return Sound.read(file)
