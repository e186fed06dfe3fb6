"""All kinds of findings: what each says, and the settings that help. Pure.

docs/explain.md has a row for each kind.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gateway.report.explanation import Finding

PAGE = "docs/explain.md"


class Kind(Struct, frozen=True):
    """A kind of finding: its sentence, the keys that help, and what to do."""

    title: str
    settings: Sequence[str]
    advice: str


KINDS: Mapping[str, Kind] = {
    # The end of the call
    "credentials_refused": Kind(
        "Voice Live refused the credentials of the gateway",
        ("voice_live.key",),
        "Give the key of this resource, or the identity the role Cognitive Services User; gateway doctor tries it.",
    ),
    "quota": Kind(
        "Voice Live refused because a quota is used up",
        ("voice_live.endpoints", "limits.calls", "when_full"),
        "Ask for a higher quota, name a second resource, or take fewer calls at once.",
    ),
    "session_unavailable": Kind(
        "There was no session with Voice Live",
        ("voice_live.endpoints", "on_failure"),
        "See what the service says; gateway doctor tries what a call needs. on_failure says what callers get.",
    ),
    "fault": Kind(
        "The gateway failed: a bug",
        ("on_failure",),
        "Please report it, with the traceback of call_failed in the log.",
    ),
    "provider_closed": Kind(
        "The media stream of the provider was lost",
        ("after", "limits.no_audio_s"),
        "Look for the call in the provider's console; see if others were lost at the same time.",
    ),
    "shut_down": Kind(
        "The gateway was stopped while the caller was on the line",
        ("on_shutdown",),
        "Give calls time to end before a stop (serve --drain); on_shutdown says what callers hear.",
    ),
    "time_limit": Kind(
        "The call reached the time limit of its line",
        ("limits.duration_s",),
        "Raise the limit if calls may last longer.",
    ),
    "caller_silent": Kind(
        "The caller said nothing",
        ("silence.after_s", "silence.say", "turn_detection"),
        "Nobody may have been there, or the phone was muted; if the recording has speech, look at turn_detection.",
    ),
    # Sessions
    "session_lost": Kind(
        "The session with Voice Live was lost in the call",
        ("on_trouble", "voice_live.endpoints"),
        "on_trouble says what callers hear while another session is sought, and how often that is tried.",
    ),
    "session_cut_over": Kind(
        "A session expired while somebody was speaking",
        ("voice_live.session_limit_s",),
        "Give the gateway more time to find a quiet moment before the session expires.",
    ),
    "response_failed": Kind(
        "A response of Voice Live failed or was cut short",
        ("max_response_output_tokens", "model"),
        "The status says why: a content filter, a limit of tokens, or the service's own trouble.",
    ),
    "transcription_failed": Kind(
        "Voice Live could not transcribe the caller",
        ("transcription", "language"),
        "Check the transcription's model and the language; the model may have answered all the same.",
    ),
    "service_errors": Kind(
        "Voice Live reported errors",
        ("strict", "tolerant"),
        "The codes say which settings or requests it did not take.",
    ),
    # Waiting
    "dead_air": Kind(
        "Voice Live kept the caller waiting",
        ("model", "interim_response", "voice_live.endpoints"),
        "A smaller model or a nearer region answers sooner; interim_response fills the time.",
    ),
    "slow_session": Kind(
        "The session with Voice Live was opened slowly",
        ("voice_live.open_ahead", "greeting.play"),
        "Open sessions ahead of calls, or play a recorded greeting, which waits for nothing.",
    ),
    "slow_tool": Kind(
        "A tool kept the caller waiting",
        ("tools[].while_waiting", "tools[].http.timeout_s", "tools[].timeout_s"),
        "Make it faster, let the bot say something meanwhile, or give it less time.",
    ),
    "slow_transfer": Kind(
        "The provider took long to transfer the caller",
        ("transfers",),
        "Look for the call in the provider's console.",
    ),
    "late_frames": Kind(
        "The gateway sent audio late: the bot's voice had gaps",
        ("limits.calls",),
        "The process was busy or stood still: look for function_blocks in the log, give it more CPU, or fewer calls.",
    ),
    "marks_lost": Kind(
        "The provider did not confirm what it played",
        ("providers",),
        "What was heard is reckoned by the clock; the network, or the phone's buffer, may have dropped audio.",
    ),
    "phone_paused": Kind(
        "The phone sent no audio for a while",
        ("limits.no_audio_s",),
        "It was muted, on hold, or its network failed; the gateway filled the time with silence.",
    ),
    # Speech
    "echo": Kind(
        "The bot interrupted itself: an echo of its voice came back",
        ("barge_in.echo_gate", "echo_cancellation"),
        "Turn the echo gate on; a caller on a loudspeaker, or a line without echo control, sends the bot's voice back.",
    ),
    "noise": Kind(
        "Noise interrupted the bot",
        ("barge_in.min_speech_ms", "noise_reduction", "turn_detection.threshold"),
        "Let only longer speech interrupt, reduce noise, or raise the threshold.",
    ),
    "not_heard": Kind(
        "Voice Live did not hear the caller speak",
        ("turn_detection", "noise_reduction"),
        "Lower the threshold of turn_detection, or turn noise_reduction off.",
    ),
    "greeting_unheard": Kind(
        "The caller did not hear the greeting",
        ("greeting.interruptible", "barge_in.greeting", "greeting.say"),
        "Make it short, begin it at once, or let nothing interrupt it.",
    ),
    "bot_unheard": Kind(
        "The caller heard nothing of the bot",
        ("greeting", "voice_live.open_ahead"),
        "See if audio was sent at all, and what the provider did with it.",
    ),
    # Keys, tools, transfers
    "key_ignored": Kind(
        "The caller pressed a key that means nothing on this line",
        ("on_key", "digits"),
        "Give the key a meaning, collect digits for the model, or let the bot name the keys that there are.",
    ),
    "entry_abandoned": Kind(
        "The caller did not key in what was asked for",
        ("tools[].parameters", "limits.secret_attempts"),
        "Give more time for the entry, and say how it ends.",
    ),
    "tool_failed": Kind(
        "A tool failed",
        ("tools[].http.timeout_s", "tools[].timeout_s"),
        "The log has why (function_failed).",
    ),
    "transfer_refused": Kind(
        "The provider did not transfer the caller",
        ("transfers",),
        "Check the target's number and what the account may call; the detail has the provider's words.",
    ),
    "transfer_called_off": Kind(
        "A transfer was called off before it began",
        ("transfers", "on_key", "barge_in.min_speech_ms"),
        "Make the words before a transfer short, or let only longer speech interrupt them.",
    ),
    # The gateway's files, and protocols
    "line_file": Kind(
        "The newest version of the line's file has a mistake and was not used",
        ("lines",),
        "The call used the last good version; gateway check says what is wrong.",
    ),
    "malformed": Kind(
        "Messages broke a protocol",
        ("providers",),
        "Please report it: a tape of such a call shows what was sent (serve --tape).",
    ),
}


def made(kind: str, score: float, detail: str = "", at_ms: Sequence[float] = ()) -> Finding:
    """Return a finding of a kind, with the figures of a call."""
    known = KINDS[kind]
    return Finding(
        kind=kind,
        title=known.title,
        detail=detail,
        settings=known.settings,
        advice=known.advice,
        page=f"{PAGE}#{kind.replace('_', '-')}",
        at_ms=[round(at) for at in at_ms],
        score=round(score, 1),
    )
