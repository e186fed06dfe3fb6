"""Makes the settings of a call's conversation and its voice leg, from its line and its stream."""

import math
from collections.abc import Callable, Iterator
from zlib import crc32

import structlog
from msgspec import Struct
from msgspec.structs import replace

from gateway.audio.formats import AudioFormat
from gateway.call.recovery.legs import Voice
from gateway.call.settings import (
    Approval,
    BargeInRules,
    CallSettings,
    Consent,
    Digits,
    FunctionRule,
    KeyAction,
    Parting,
    Recorded,
    RecordingRule,
    Secret,
    Silence,
    Target,
    Trouble,
    Waiting,
)
from gateway.call.speaking.responses import Request
from gateway.config import Line
from gateway.config.line.hours import Closed
from gateway.config.line.tools import McpTool
from gateway.function import Function
from gateway.voice.commands import CreateResponse, SayText
from gateway.voice.endpoints.pooled import Service
from gateway.voice.leg import NoVoice, VoiceLeg
from gateway.voice.proposals import proposals_for
from gateway.voice.texts import CallFacts, greeting_for, history_for, missing, word_for_word

log = structlog.get_logger()


class SessionRules(Struct, frozen=True):
    """The rules for the sessions of a call that are not the line's; times in seconds."""

    connect_timeout_s: float = 10.0
    session_limit_s: float = 3600.0
    phrase: Callable[[], bytes] = bytes
    """Returns what the caller hears while the session is lost, in the call's format; empty if it is not there yet."""


Say = Callable[[str], Request]
"""Makes the request for the bot's words of a text of the line."""


def prepare(
    line: Line,
    audio_format: AudioFormat,
    call: CallFacts,
    service: Service,
    *,
    watch_speech: bool = False,
    sessions: SessionRules | None = None,
) -> tuple[CallSettings, Voice]:
    """Make settings and voice leg of one call. A closed line whose words need no service opens no session.

    ``watch_speech``: the gateway itself listens for a caller whom the service does not hear.
    """
    if absent := missing(line, call):
        log.warning("stream_parameters_missing", names=list(absent))
    settings = call_settings_for(line, call, audio_format, watch_speech=watch_speech)
    if not settings.closed:
        rules = sessions or SessionRules()
        seed = crc32(call.call_id.encode())  # each call waits otherwise, and as its id says
        trouble = Trouble(line.trouble.tries, line.trouble.limit_s, rules.connect_timeout_s, rules.phrase, seed)
        settings = replace(settings, trouble=trouble, session_limit_s=rules.session_limit_s)
    if settings.closed and not isinstance(settings.greeting, Request):
        return settings, NoVoice()
    proposals = proposals_for(line, audio_format, call, service.api_version)
    return settings, VoiceLeg(service, proposals, audio_format, call.call_id)


def call_settings_for(
    line: Line, call: CallFacts, audio_format: AudioFormat, *, watch_speech: bool = False
) -> CallSettings:
    """Return the settings of the conversation for one call of a line."""
    settings = line.settings
    say: Say = lambda text: word_for_word(line, text, call)  # noqa: E731 -- a name for what every function here takes
    targets = dict(_targets(line, say))
    if settings.hours is not None and not settings.hours.is_open(call.started, settings.timezone):
        closed = settings.hours.closed
        return CallSettings(
            greeting=_closed_words(line, closed, say, audio_format),
            interruptible=False,
            closed=True,
            closed_to=targets[closed.transfer] if closed.transfer else None,
            duration_limit_s=settings.limits.duration_s,
        )
    silence = settings.silence
    digits = settings.digits
    return CallSettings(
        history=history_for(line, call),
        answers=not settings.only_listens,
        greeting=_greeting(line, call, audio_format),
        interruptible=settings.greeting_interruptible,
        barge_in=bool(settings.barge_in),
        barge_in_rules=_barge_in_rules(line),
        watches_speech=watch_speech and bool(settings.barge_in) and settings.turn_detection is not None,
        commit_on=settings.commit_on or "",
        digits=Digits(digits.finish_on or "", digits.pause_s) if digits else None,
        on_key={
            key: KeyAction(
                targets[action.transfer] if action.transfer else None, say(action.say) if action.say else None
            )
            for key, action in settings.on_key.items()
        },
        silence=Silence(silence.after_s, say(silence.say), silence.times) if silence else None,
        built_in=frozenset(tool for tool in settings.tools if isinstance(tool, str)),
        functions={function.name: _function(function, say) for function in line.functions},
        targets=targets,
        approvals=dict(_approvals(line, say)),
        mcp_waiting=dict(_mcp_waiting(line, say)),
        parting=_parting(line, say),
        recording=_recording(line, say, audio_format),
        duration_limit_s=settings.limits.duration_s,
        no_audio_limit_s=settings.limits.no_audio_s or math.inf,
        tool_calls_limit=settings.limits.tool_calls,
        secret_attempts_limit=settings.limits.secret_attempts,
    )


def _barge_in_rules(line: Line) -> BargeInRules:
    rules = line.settings.barge_in_rules
    return BargeInRules(rules.protect_ms, rules.min_speech_ms, rules.echo_gate)


def _greeting(line: Line, call: CallFacts, audio_format: AudioFormat) -> Request | Recorded | None:
    greeting = line.settings.greeting
    if greeting is not None and greeting.play:
        return Recorded(line.sounds[greeting.play].encoded(audio_format), greeting.text or "")
    words = greeting_for(line, call)
    return None if isinstance(words, SayText) and not words.text.strip() else words


def _closed_words(line: Line, closed: Closed, say: Say, audio_format: AudioFormat) -> Request | Recorded | None:
    if closed.play:
        return Recorded(line.sounds[closed.play].encoded(audio_format), closed.text or "")
    return say(closed.say) if closed.say else None


def _recording(line: Line, say: Say, audio_format: AudioFormat) -> RecordingRule | None:
    rule = line.settings.recording
    if rule is None:
        return None
    announce: Request | Recorded | None = None
    if rule.announce is not None and rule.announce.play:
        announce = Recorded(line.sounds[rule.announce.play].encoded(audio_format), rule.announce.text or "")
    elif rule.announce is not None and rule.announce.say:
        announce = say(rule.announce.say)
    consent = Consent(say(rule.consent.ask), rule.consent.key, rule.consent.wait_s) if rule.consent else None
    return RecordingRule(announce, consent, pauses=rule.pause_while_secret)


def _targets(line: Line, say: Say) -> Iterator[tuple[str, Target]]:
    for name, target in line.settings.transfers.items():
        announce = (
            say(target.announce)
            if target.announce
            else CreateResponse(f"Tell the caller in one short sentence that you connect them now with: {name}.")
        )
        yield name, Target(name, target.to, announce)


def _parting(line: Line, say: Say) -> Parting | None:
    """Return what ``on_shutdown`` says; a key that it lacks is that of ``on_failure``."""
    wanted = {"on_shutdown": line.settings.on_shutdown, "on_failure": line.settings.on_failure}
    words = next((one.say for one in wanted.values() if one and one.say and not line.settings.only_listens), None)
    key, to = next(((key, line.number_of(one)) for key, one in wanted.items() if one and one.transfer), ("", ""))
    if words is None and not to:
        return None
    return Parting(say(words) if words else None, Target(key, to, CreateResponse()) if to else None)


def _function(function: Function, say: Say) -> FunctionRule:
    waiting = function.while_waiting
    return FunctionRule(
        secrets=tuple(Secret(secret, say(secret.prompt) if secret.prompt else None) for secret in function.secrets),
        waiting=Waiting(say(waiting.say), waiting.after_s) if waiting else None,
    )


def _mcp_waiting(line: Line, say: Say) -> Iterator[tuple[str, Waiting]]:
    for tool in line.settings.tools:
        if isinstance(tool, McpTool) and (waiting := tool.while_waiting):
            yield tool.mcp.server_label, Waiting(say(waiting.say), waiting.after_s)


def _approvals(line: Line, say: Say) -> Iterator[tuple[str, Approval]]:
    for tool in line.settings.tools:
        if isinstance(tool, McpTool) and tool.approval:
            approval = tool.approval
            yield (
                tool.mcp.server_label,
                Approval(say(approval.ask), approval.key or "", approval.words, approval.timeout_s),
            )
