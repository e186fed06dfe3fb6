"""The bot's side of one call: what it is to say, what it says, and how much of it the caller has heard. Pure."""

from collections.abc import Sequence

from gateway.audio.formats import AudioFormat
from gateway.call import notes
from gateway.call.ending import EndCall
from gateway.call.notes import Note
from gateway.call.settings import CallSettings
from gateway.call.speaking.comfort import Cover, is_comfort
from gateway.call.speaking.greeting import Greeting
from gateway.call.speaking.kept_playback import KeptPlayback
from gateway.call.speaking.playback import Playback
from gateway.call.speaking.replies import HeardReply
from gateway.call.speaking.responses import ANSWER, Request, Responses
from gateway.call.speaking.truncations import Truncations
from gateway.call.speaking.words import ReplyWords, Share
from gateway.phone.commands import PhoneCommand
from gateway.phone.events import Playout
from gateway.voice.commands import AddMessage, CancelResponse, TruncateReply
from gateway.voice.events import (
    ReplyAudio,
    ReplySaid,
    ReplyText,
    ResponseEnded,
    ResponseStarted,
    ResponseStatus,
    ServiceError,
    WordEvent,
    WordSpoken,
)

_MAY_BE_SILENT = (ResponseStatus.FAILED, ResponseStatus.INCOMPLETE)
"""The ends of a response that is tried once more where it brought no sound."""

BotCommand = PhoneCommand | Request | CancelResponse | TruncateReply | AddMessage | Note


class Bot:
    """Joins the responses of the service, their playback and the greeting.

    Times are in seconds. Of what is returned, requests have an id and go to the service as they are.
    """

    def __init__(self, settings: CallSettings, audio_format: AudioFormat, playout: Playout) -> None:
        self._settings = settings
        kept = KeptPlayback(audio_format, playout) if settings.listens else None
        self._playback = kept or Playback(audio_format, playout)
        self.played = kept.played if kept is not None else None
        """The audio that the caller heard lately, where it is kept."""
        self.responses = Responses()
        self.greeting = Greeting(settings, settings.before_greeting)
        """The first words of the call, or those of them that are said now."""
        self._truncations = Truncations()
        self._words = ReplyWords()
        self._connected = False
        self._untold: list[AddMessage] = []
        self._is_last = False
        """``True`` if the bot says nothing any more but ``_last_words``."""
        self._last_words: Request | None = None
        self._last_reply = ""
        self.replies_begun = 0
        """The replies of which the caller was sent audio."""
        self.cover = Cover(self._playback)
        """The sounds that cover the lack of a session."""
        self._paused_at: float | None = None
        """The end of the caller's turn that the next reply answers."""
        self._spoke_at: float | None = None
        """The beginning of the speech for which playback is being stopped."""

    @property
    def recorded_s(self) -> float:
        """The length of a recorded greeting, in seconds; 0 if there is none."""
        recording = self.greeting.recording
        return self._playback.duration_s(recording.audio) if recording else 0.0

    @property
    def is_protected(self) -> bool:
        """``True`` while the greeting, or the last words of a gateway that stops, must not be interrupted."""
        return self.greeting.protected or self._is_last

    @property
    def is_silent(self) -> bool:
        """``True`` if the caller has heard everything that was said."""
        return self._playback.idle

    @property
    def says_nothing(self) -> bool:
        """``True`` if nothing is heard, and no response runs or is asked for."""
        return self._playback.idle and not self.responses.is_busy

    def reply_began(self, now: float) -> float | None:
        """Return when the caller began to hear the reply that is heard now; ``None`` if none is."""
        return self._playback.began_at(now)

    @property
    def is_idle(self) -> bool:
        """``True`` if nothing is said, asked for or about to be, and the caller is not speaking."""
        return self._playback.idle and self.responses.idle

    @property
    def waits_for_a_tool(self) -> bool:
        """``True`` if a response runs that says nothing: it is kept open for a tool of the service, if one runs."""
        return self._playback.idle and self.responses.waits_for_a_tool

    @property
    def request(self) -> Request | None:
        """The request that the running response carries out."""
        return self.responses.request

    @property
    def answers(self) -> bool:
        """``True`` if the running response answers the conversation, and does not only say a text."""
        return self.responses.answers

    @property
    def late_frames(self) -> int:
        """Frames that reached the phone after their moment."""
        return self._playback.late_frames

    @property
    def marks_lost(self) -> int:
        """Marks that the provider has not returned though they were due."""
        return self._playback.marks_lost

    def is_current(self, response_id: str) -> bool:
        """Return ``True`` if this response runs and is not cancelled."""
        return response_id == self.responses.response and not self.responses.cancelled

    def runs(self, response_id: str) -> bool:
        """Return ``True`` if this response runs, cancelled or not."""
        return response_id == self.responses.response

    # What is wanted

    def begin(self, now: float) -> list[BotCommand]:
        """Begin recorded words."""
        commands: list[BotCommand] = [*self.greeting.notes()]
        if recording := self.greeting.recording:
            reply_id = self.greeting.played_id
            commands += self._playback.add(reply_id, recording.audio, now)
            commands += self._playback.complete(reply_id, now)
            self._words.complete(reply_id, recording.text)
            self._words.delivered(reply_id)
        return commands

    def go_on_with(self, words: Request | None, now: float) -> Sequence[BotCommand]:
        """Say the next of the first words: the question ``words``, or the greeting."""
        self.greeting = Greeting(self._settings, words)
        request = self.greeting.request
        return self.begin(now) if request is None else self.want(request, now)

    def connected(self) -> list[AddMessage]:
        """Return the messages that had to wait for the session."""
        self._connected = True
        return self._untold

    def want(self, request: Request, now: float) -> Sequence[BotCommand]:
        """Ask for a response, now or as soon as the service would take the request."""
        return [] if self._is_last or not self._settings.answers else self.responses.want(request, now)

    def say_last(self, words: Request | None, now: float) -> list[BotCommand]:
        """Fall silent, and say these words alone: nothing interrupts them, and no other response is played."""
        stopped = self.interrupt(now, by_speech=False)
        self._is_last, self._last_words = True, words
        self.responses.drop_answers()
        said = self.responses.want(words, now) if words is not None else ()
        return [*(command for command in stopped if not isinstance(command, notes.BargeIn)), *said]

    def cancel(self) -> Sequence[BotCommand]:
        """Cancel the response that runs."""
        return self.responses.cancel()

    def goes_on(self, now: float) -> None:
        """Note that the running response has brought something, or that one of its tools runs."""
        self.responses.goes_on(now)

    # The caller

    @property
    def caller_speaks(self) -> bool:
        """``True`` if the caller is in the middle of a turn, as the service reports it."""
        return self.responses.caller_speaks

    def caller_spoke(self, item_id: str, now: float) -> None:
        """Note that the caller begins a turn."""
        self.responses.caller_spoke(item_id, now)
        self._paused_at = None

    def caller_paused(self, now: float) -> None:
        """Note the end of the caller's speech, from which the wait for an answer is measured."""
        self._paused_at = now

    def turn_over(self, item_id: str, now: float) -> Sequence[BotCommand]:
        """Expect the service's own answer; ask for one to a turn that a key ended.

        A turn that came during a response is answered after it, by the service or because it is asked.
        """
        if not self._settings.answers:
            return self.responses.caller_done(item_id, now)
        during_a_response = self.responses.response is not None and not self.responses.cancelled
        by_key = bool(self._settings.commit_on)
        if not (by_key or during_a_response):
            self.responses.answer_owed(now)
        done = self.responses.caller_done(item_id, now)
        if by_key:
            return [*done, *self.responses.want(ANSWER, now)]
        return [*done, *self.responses.turn_overlapped(now)] if during_a_response else done

    def caller_done(self, item_id: str, now: float) -> Sequence[BotCommand]:
        """Note that a turn is over, because its transcript has come or failed."""
        return self.responses.caller_done(item_id, now)

    def nobody_answers(self) -> None:
        """Forget the end of the caller's turn: no reply will answer it."""
        self._paused_at = None

    def interrupt(self, now: float, *, by_speech: bool) -> list[BotCommand]:
        """Fall silent: the phone's queue and ours, the response that runs, and the one that is on its way.

        Of a reply that is not complete the service may have sent more, which is dropped here.
        """
        stop, heard = self._stop(now)
        self._spoke_at = now if by_speech else None
        self.responses.drop_wishes()
        cancel = self.responses.cancel()
        cut = [reply for reply in heard if reply.heard_ms < reply.received_ms or not reply.complete]
        commands: list[BotCommand] = [*stop, *self._note_heard(heard), *cancel]
        commands += self._truncations.cut(cut)
        if cut or cancel:
            replies = [notes.CutReply(reply.reply_id, reply.heard_ms, reply.received_ms) for reply in cut]
            commands.append(notes.BargeIn(replies, response_cancelled=bool(cancel)))
        return commands

    def playback_stopped(self, now: float) -> list[Note]:
        """Note how soon the phone was stopped, if that was for the caller's speech."""
        spoke_at, self._spoke_at = self._spoke_at, None
        return [notes.PlaybackStopped(round((now - spoke_at) * 1000, 3))] if spoke_at is not None else []

    # What the service and the phone report

    def response_started(self, event: ResponseStarted, now: float, *, held: bool = False) -> list[BotCommand]:
        """Follow a response that begins; cancel one that nobody wants any more, which returns something.

        ``held``: the caller speaks, and does not interrupt yet.
        """
        was_wanted = self.responses.started(event.response_id, event.request_id, now)
        self.greeting.response_started(event.response_id, self.responses.request)
        overtaken = self.responses.caller_speaks and self._settings.barge_in and not self.is_protected
        overtaken = overtaken and not held
        is_late = self._is_last and self.responses.request != self._last_words
        if was_wanted and not overtaken and not is_late:
            return []
        if overtaken:  # the answer comes after a text that was dropped, and the caller waits for that
            self._paused_at = None
        return [*self.responses.cancel(), notes.BargeIn([], response_cancelled=True)]

    def refuse(self, event: ResponseStarted, now: float) -> Sequence[CancelResponse]:
        """Cancel a response that the service begins by itself, and that nobody waits for."""
        self.responses.started(event.response_id, event.request_id, now)
        return self.responses.cancel()

    def is_playing(self, reply: ReplyAudio) -> bool:
        """Return ``True`` if the reply to which audio belongs is played already, and no other one beside it."""
        is_last = reply.item_id == self._last_reply
        return is_last and self.is_current(reply.response_id) and self._playback.is_alone(reply.item_id)

    def reply_audio(self, reply: ReplyAudio, now: float) -> list[BotCommand]:
        """Play audio of the response that runs."""
        self.responses.goes_on(now)
        begun = self._reply_begun(reply, now) if reply.item_id != self._last_reply else []
        return [*begun, *self._playback.add(reply.item_id, reply.audio, now)]

    def _reply_begun(self, reply: ReplyAudio, now: float) -> list[BotCommand]:
        self._last_reply = reply.item_id
        self.replies_begun += 1
        self.greeting.reply_begun(reply.response_id, reply.item_id)
        waited = None if self._paused_at is None else round((now - self._paused_at) * 1000)
        self._paused_at = None
        return [*self.cover.hush(now), notes.ReplyStarted(reply.item_id, waited)]

    def words(self, event: WordEvent) -> Sequence[Note]:
        """Take words of a reply, or the time at which one is spoken, which nobody needs of a cancelled response."""
        if self.is_current(event.response_id):
            if type(event) is ReplyText:  # several a second; isinstance costs far more with their metaclass
                self._words.add(event.item_id, event.text)
            elif type(event) is ReplySaid:
                self._words.complete(event.item_id, event.text)
            elif type(event) is WordSpoken:
                self._words.spoken(event.item_id, event.word, event.end_ms)
        return (notes.ReplySaid(event.item_id, event.text),) if type(event) is ReplySaid else ()

    def reply_complete(self, item_id: str, now: float) -> Sequence[BotCommand]:
        """Let the end of a reply be played."""
        if not self.responses.cancelled:
            self._words.delivered(item_id)
        return self._playback.complete(item_id, now)

    def mark_returned(self, name: str, now: float) -> None:
        """Note how far the phone has played."""
        self._playback.mark_returned(name, now)

    def response_ended(self, ended: ResponseEnded, now: float) -> list[BotCommand]:
        """Let the end of a response be played, and ask for the next one that is wanted."""
        commands: list[BotCommand] = []
        completed = ended.status is ResponseStatus.COMPLETED
        if not self.responses.cancelled:
            commands += self._playback.complete(None, now)
            if not completed:
                commands.append(notes.ResponseCutShort(ended.status.value, ended.detail))
        self._words.response_ended({reply.reply_id for reply in self._playback.playing()}, completed=completed)
        commands += self._truncations.response_ended()
        failed, refused = ended.status in _MAY_BE_SILENT, ended.status is ResponseStatus.INCOMPLETE
        return [*commands, *self.responses.ended(ended.response_id, now, failed=failed, refused=refused)]

    def refused(self, error: ServiceError, now: float) -> list[BotCommand]:
        """Note an error of the service; a request or truncation that it refuses is made again."""
        self._truncations.refused(error, running=self.responses.response is not None)
        return [notes.ServiceError(error.code, error.message), *self.responses.refused(error, now)]

    # Where things stand

    def heard(self, now: float) -> list[BotCommand]:
        """Note the replies that were now heard to their end."""
        heard = self._playback.heard(now)
        return self._note_heard(heard) if heard else []

    def being_said(self) -> list[notes.ReplyHeard]:
        """Return the replies that are not over yet, as they are noted if nothing interrupts what waits to be played."""
        return [_heard_note(reply, self._words.share(reply)) for reply in self._playback.playing()]

    # A session after another

    def session_lost(self, now: float, *, turn_is_kept: bool) -> tuple[list[BotCommand], bool]:
        """Forget the session; what is here is played. Return if a reply was cut off before its end, too."""
        had_spoken = self.responses.lost(turn_is_kept=turn_is_kept)
        playing = self._playback.playing()
        self._truncations.session_lost([reply.reply_id for reply in playing])
        self._paused_at = self._spoke_at = None
        is_cut = had_spoken and not all(reply.complete for reply in playing)
        return [*self._playback.complete(None, now)], is_cut

    def session_ready(self, now: float, *, owed: bool) -> Sequence[BotCommand]:
        """Ask the next session for what is wanted; ``owed``: it has a turn of the caller's to answer by itself."""
        return self.responses.back(now, owed=owed)

    def ends_at(self, now: float) -> float:
        """Return when the caller will have heard all that is here, by the clock; not before ``now``."""
        return self._playback.ends_at(now)

    def _stop(self, now: float) -> tuple[list[PhoneCommand], list[HeardReply]]:
        stop, heard = self._playback.stop(now)
        return stop, [reply for reply in heard if not is_comfort(reply.reply_id)]

    def end(self, now: float) -> list[BotCommand]:
        """Stop playback for the end of the call, and note what was heard."""
        stop, heard = self._stop(now)
        return [*stop, *(command for command in self._note_heard(heard) if isinstance(command, Note))]

    def next_deadline(self) -> float | None:
        """Return when ``give_up`` is due; ``None`` if nothing is."""
        return self.responses.next_deadline()

    def plays_on_at(self) -> float | None:
        """Return when ``play_on`` is due; ``None`` if nothing is played."""
        return self._playback.next_deadline()

    def play_on(self, now: float) -> list[PhoneCommand | EndCall]:
        """Top up the audio at the provider; end the call if it does not read what it is sent."""
        return [*self._playback.on_deadline(now), *self._playback.stalled()]

    def give_up(self, now: float, *, tool_at_work: bool) -> list[BotCommand]:
        """Give up what the service owes and never brings; a response whose tool runs is not hurried."""
        if tool_at_work:
            self.responses.goes_on(now)
        given_up = self.responses.on_deadline(now)
        if not any(isinstance(command, CancelResponse) for command in given_up):
            return [*given_up]
        note = notes.ResponseCutShort("given_up", "nothing more came of it")
        return [*self._playback.complete(None, now), note, *given_up]

    def _note_heard(self, replies: Sequence[HeardReply]) -> list[BotCommand]:
        """Note what was heard, and report to the model what the service did not speak itself."""
        commands: list[BotCommand] = []
        for reply in replies:
            if is_comfort(reply.reply_id):
                continue
            commands.append(_heard_note(reply, self._words.over(reply)))
            if reply.heard_ms and reply.timing is not None:
                commands.append(notes.ReplyPlayed(reply.reply_id, *reply.timing))
            if message := self.greeting.heard(reply):
                if self._connected:
                    commands.append(message)
                else:
                    self._untold.append(message)
        return commands


def _heard_note(reply: HeardReply, share: Share) -> notes.ReplyHeard:
    return notes.ReplyHeard(reply.reply_id, reply.heard_ms, reply.received_ms, share.heard, share.unheard)
