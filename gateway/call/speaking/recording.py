"""The recording of a call: what the caller is told and asked before the greeting, and when it is recorded. Pure.

First comes the announcement, then the question, then the greeting. Until the greeting nobody listens to the caller: a
turn would be answered in between. The recording itself is made elsewhere, by the notes that are made here.
"""

import enum
import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from gateway.call import notes
from gateway.call.notes import Note
from gateway.call.settings import RecordingRule
from gateway.call.speaking.responses import Request


class GoOnWith(Struct, frozen=True):
    """Ask for the next of the first words: the question, or without ``words`` the greeting."""

    words: Request | None = None


class _Step(enum.IntEnum):
    ANNOUNCING = enum.auto()
    ASKING = enum.auto()
    WAITING = enum.auto()
    """The question was heard, and the key may come."""
    OVER = enum.auto()


_ANNOUNCING, _ASKING, _WAITING, _OVER = _Step
Declined = Literal["key", "no answer", "not asked"]
RecordingCommand = Note | GoOnWith


class Recording:
    """Follows the recording of one call; with no rule, there is none. Times are in seconds."""

    def __init__(self, rule: RecordingRule | None) -> None:
        self._rule = rule or RecordingRule()
        self._is_wanted = rule is not None
        consent = self._rule.consent
        self._step = _ANNOUNCING if self._rule.announce is not None else _ASKING if consent is not None else _OVER
        self._by = math.inf
        self._resumes_at: float | None = None
        self.is_on = False
        """``True`` while the call is recorded, a pause included."""

    @property
    def is_opening(self) -> bool:
        """``True`` until the greeting may be said."""
        return self._step is not _OVER

    @property
    def takes_keys(self) -> bool:
        """``True`` if a key answers the question."""
        return self._step in (_ASKING, _WAITING)

    def begin(self) -> Sequence[Note]:
        """Begin to record at once, where nobody is asked."""
        if not self._is_wanted or self._rule.consent is not None:
            return ()
        self.is_on = True
        return (notes.RecordingStarted(consented=False),)

    def said(self, now: float, *, was_heard: bool) -> Sequence[RecordingCommand]:
        """Go on, because nobody speaks any more; ``was_heard``: the words of this step were heard to their end."""
        consent = self._rule.consent
        if self._step is _WAITING:
            return ()
        if not was_heard:
            return self._unheard()
        if consent is None:
            return self._greet()
        if self._step is _ANNOUNCING:
            self._step = _ASKING
            return (GoOnWith(consent.ask),)
        self._step, self._by = _WAITING, now + consent.wait_s
        return ()

    def press(self, digit: str) -> Sequence[RecordingCommand]:
        """Take the key that answers the question."""
        if self._rule.consent is None or digit != self._rule.consent.key:
            return self._decline("key")
        self.is_on = True
        return (notes.RecordingStarted(consented=True), *self._greet())

    def next_deadline(self) -> float | None:
        """Return when ``on_deadline`` is due; ``None`` if nothing is."""
        if self._step is _WAITING:
            return self._by
        return self._resumes_at if self._resumes_at is not None and self._resumes_at < math.inf else None

    def on_deadline(self, now: float) -> Sequence[RecordingCommand]:
        """Go on without the recording, where the key has not come in time."""
        return self._decline("no answer") if self._step is _WAITING and now >= self._by else ()

    def follow(self, private_until: float, now: float) -> Sequence[Note]:
        """Pause while keys are private, and go on afterwards."""
        if not self._rule.pauses:
            return ()
        if now < private_until:
            was_paused, self._resumes_at = self._resumes_at is not None, private_until
            return () if was_paused else (notes.RecordingPaused("secret"),)
        if self._resumes_at is None:
            return ()
        self._resumes_at = None
        return (notes.RecordingContinued(),)

    def abandon(self, *, was_heard: bool) -> Sequence[Note]:
        """Give the question up, because the call ends; ``was_heard``: the words of this step were heard."""
        if self._step is _OVER or (self._step is _ANNOUNCING and was_heard and self._rule.consent is None):
            return ()
        if self._step is _ANNOUNCING:
            return [note for note in self._unheard() if isinstance(note, Note)]
        self._step = _OVER
        return (notes.RecordingDeclined("no answer"),)

    def _unheard(self) -> Sequence[RecordingCommand]:
        """Go on without the recording: the caller does not know of it."""
        if self._rule.consent is not None:
            return self._decline("not asked")
        self.is_on, self._resumes_at = False, None
        return (notes.RecordingDiscarded("not announced"), *self._greet())

    def _decline(self, how: Declined) -> Sequence[RecordingCommand]:
        return (notes.RecordingDeclined(how), *self._greet())

    def _greet(self) -> Sequence[GoOnWith]:
        self._step, self._by = _OVER, math.inf
        return (GoOnWith(),)
