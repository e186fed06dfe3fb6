"""A conversation that also listens to the caller itself: for echoes, and for speech that the service does not report.

The lines and calls that want neither have a ``Conversation`` as it is, and pay nothing for this. Pure.
"""

import math
from collections.abc import Mapping
from typing import Any

from gateway.call import notes
from gateway.call.barge_in.echo_gate import EchoGate
from gateway.call.barge_in.hearing import Hearing
from gateway.call.barge_in.speech_watch import ECHO_REST_S, EVERY_S, FRAME_MS, SpeechWatch
from gateway.call.conversation import Conversation
from gateway.call.messages import Commands
from gateway.call.parts import Parts
from gateway.call.reactions import Reactions
from gateway.call.recovery.commands import VoiceOpened
from gateway.call.recovery.sessions import Sessions
from gateway.call.settings import CallSettings
from gateway.call.speaking.kept_playback import Played
from gateway.phone.events import CallStarted
from gateway.voice.commands import SendAudio, SetTurnDetection
from gateway.voice.events import (
    CallerPaused,
    CallerSaid,
    CallerSpoke,
    ResponseStarted,
    SessionReady,
    TranscriptionFailed,
    TurnCommitted,
)


def conversation_for(started: CallStarted, settings: CallSettings, now: float) -> Conversation:
    """Return the conversation of a call, which listens itself only where its settings want that."""
    return (ListeningConversation if settings.listens else Conversation)(started, settings, now)


class ListeningConversation(Conversation):
    """A ``Conversation`` behind an echo gate, under a speech watch, or both."""

    def __init__(self, started: CallStarted, settings: CallSettings, now: float) -> None:
        super().__init__(started, settings, now)
        played = self._bot.played or Played(started.audio_format)
        self._hearing = Hearing(started.audio_format, played)
        self._gate = EchoGate(self._hearing) if settings.barge_in_rules.echo_gate else None
        if self._gate is not None:
            self._parts.timed.append(self._gate)
        self._watch = SpeechWatch(started.audio_format) if settings.watches_speech else None
        self._looked_at = started.audio_format.bytes_for(FRAME_MS)
        self._look_at = -math.inf
        self._keeps = self._gate is not None
        """``True`` while the caller's audio is kept: for the echo gate, or because the bot speaks."""
        self._listening = ListeningReactions(self._parts, self._sessions, settings, self._gate, self._watch)
        self._reactions = self._listening

    def receive_audio(self, audio: bytes, now: float) -> bytes | Commands | None:
        """Do as ``Conversation`` does, and keep the audio over which the bot speaks; ten times a second, look at it."""
        made = Conversation.receive_audio(self, audio, now)
        if self._keeps:
            self._hearing.take(audio, now)
        watch = self._watch
        if watch is None or now < self._look_at or not isinstance(made, bytes):
            return made
        return self._look(watch, made, audio, now)

    def _look(self, watch: SpeechWatch, made: bytes, audio: bytes, now: float) -> bytes | Commands:
        """Look at the newest audio; silence the bot if it speaks over a caller whom the service does not hear."""
        self._look_at = now + EVERY_S
        is_over = self._is_over_the_bot
        if is_over and not self._keeps:
            self._hearing.take(audio, now)
        self._keeps = is_over or self._gate is not None
        if not is_over:
            watch.forget()
            return made
        newest = audio[-self._looked_at :] if len(audio) >= self._looked_at else self._hearing.newest(FRAME_MS)
        if not watch.look(newest):
            return made
        watch.forget()
        if self._hearing.is_echo():
            self._look_at = now + ECHO_REST_S
            return made
        watch.alarmed()
        self._parts.add((SendAudio(made), *self._unheard()))
        self._parts.interrupt(now)
        self._deadlines.forget()
        self._settle(now)
        return self._parts.hand_over()

    @property
    def _is_over_the_bot(self) -> bool:
        """``True`` if speech of the caller would interrupt the bot, and the service has reported none."""
        bot = self._bot
        if bot.is_silent:
            return False
        may_be = not bot.is_protected and not bot.caller_speaks
        return (
            may_be
            and self._parts.is_in_session
            and bool(self._listening.turn_detection)
            and not self._caller_audio.is_private
        )

    def _unheard(self) -> tuple[notes.SpeechUnreported, SetTurnDetection]:
        return notes.SpeechUnreported(), SetTurnDetection(self._listening.turn_detection or {})

    def _meet_deadlines(self, now: float) -> None:
        self._listening.on_deadline(now)
        super()._meet_deadlines(now)


class ListeningReactions(Reactions):
    """``Reactions`` that drop echoes, and know how the service detects turns. Without a gate, nothing is an echo."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        settings: CallSettings,
        gate: EchoGate | None,
        watch: SpeechWatch | None,
    ) -> None:
        super().__init__(parts, sessions, settings)
        self._gate = gate
        self._watch = watch
        self.turn_detection: Mapping[str, Any] | None = None
        """Settings by which the session in use detects turns; ``None`` until there is one."""

    def on_deadline(self, now: float) -> None:
        """Begin a turn that was held back as a possible echo, and is none."""
        item_id = self._gate.on_deadline(now) if self._gate is not None else None
        if item_id is not None and self._parts.is_in_session:
            super().caller_spoke(CallerSpoke(item_id), now)

    def _session_ready(self, ready: SessionReady, now: float) -> None:
        if ready.turn_detection:
            self.turn_detection = ready.turn_detection
        super()._session_ready(ready, now)

    def _voice_opened(self, event: VoiceOpened, now: float) -> None:
        self.turn_detection = event.ready.turn_detection or self.turn_detection
        super()._voice_opened(event, now)

    def caller_spoke(self, event: CallerSpoke, now: float) -> None:
        if self._watch is not None:
            self._watch.reported()
        if self._gate is None or not self._gate.begin(event.item_id, now):
            super().caller_spoke(event, now)

    def _caller_paused(self, event: CallerPaused, now: float) -> None:
        if self._gate is not None and self._gate.is_echo(event.item_id):
            self._parts.add(self._gate.paused(event.item_id))
        else:
            super()._caller_paused(event, now)

    def _turn_committed(self, event: TurnCommitted, now: float) -> None:
        if self._gate is not None and self._gate.is_echo(event.item_id):
            self._gate.committed(event.item_id, now)
        else:
            if self._gate is not None:
                self._parts.add(self._gate.turn_over())
            super()._turn_committed(event, now)

    def _caller_said(self, said: CallerSaid, now: float) -> None:
        if self._gate is None or not self._gate.is_echo(said.item_id):
            super()._caller_said(said, now)

    def _transcription_failed(self, failed: TranscriptionFailed, now: float) -> None:
        if self._gate is None or not self._gate.is_echo(failed.item_id):
            super()._transcription_failed(failed, now)

    def _response_started(self, event: ResponseStarted, now: float) -> None:
        echo = self._gate.answered(now) if self._gate is not None and not event.request_id else ()
        if echo:
            self._parts.add([*self._bot.refuse(event, now), *echo])
        else:
            super()._response_started(event, now)


ListeningReactions.TABLE = ListeningReactions.table()
