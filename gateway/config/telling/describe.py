"""Describes in words what a line will do, for ``gateway check``."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.config.line.greeting import Greeting
from gateway.config.line.line import Afterwards, Line, Rescue, Settings, StaticInterim
from gateway.config.line.models import Engine, engine_of
from gateway.config.line.turns import VAD_LANGUAGES, AzureSemanticVad, SemanticVad, ServerVad
from gateway.config.line.voices import AnyVoice, OpenAIVoice
from gateway.config.numbers import ANY_NUMBER
from gateway.config.telling.describe_actions import action_rows
from gateway.config.telling.describe_receivers import receiver_row
from gateway.config.telling.describe_recording import recording_words

_KINDS = {Engine.NATIVE: "hears and speaks itself", Engine.CASCADED: "Azure speech to text and back"}


def describe(line: Line) -> str:
    """Return a line as rows of ``what  how``, headed by its name and numbers."""
    return "\n".join([named(line), *(f"  {what:<10} {how}" for what, how in _rows(line))])


def named(line: Line) -> str:
    """Return a line by its name and numbers alone."""
    numbers = ", ".join("any other number" if n == ANY_NUMBER else n for n in line.settings.numbers)
    return f"{line.name}: {numbers}"


def _rows(line: Line) -> Iterator[tuple[str, str]]:
    settings = line.settings
    yield from _answers(line)
    yield "voice", "none, the line only listens" if settings.only_listens else _voice(settings.voice)
    if settings.strict:
        yield "strict", "a call ends where the service refuses this voice"
    if settings.tolerant:
        yield "tolerant", "goes without transcription, or with server_vad, where the service takes no other"
    converted = isinstance(settings.voice, OpenAIVoice)
    linear = "; on linear streams of 8 and 16 kHz the voice is converted" if converted else ", not converted"
    yield "audio", f"as the phone provider sends it{linear}"
    yield "language", settings.language or "detected"
    if settings.region:
        yield "region", f"{settings.region}, for numbers without a country code"
    if "timezone" in settings.model_fields_set:
        yield "time zone", settings.timezone
    yield from _placeholders(line)
    yield from _first_words(line)
    yield "turns", _turns(line)
    yield "barge-in", _barge_in(settings)
    if silence := settings.silence:
        times = f"up to {silence.times} times" if silence.times > 1 else "once"
        yield "silence", f"after {silence.after_s:g} s says {silence.say!r}, {times}"
    yield "written", _written(settings)
    filters = [name for name in (settings.noise_reduction, settings.echo_cancellation and "echo cancellation") if name]
    yield "filters", ", ".join(filters) or "none"
    yield from action_rows(line)
    yield from _waits(settings)
    yield "after", _after(line)
    yield "on_failure", _following(line, line.settings.on_failure)
    yield "trouble", _trouble(line)
    parting = line.settings.on_shutdown
    yield "shutdown", _following(line, parting) if parting else "as on_failure"
    yield "when full", _when_full(line)
    if settings.deliver is not None:
        yield "deliver", "; ".join(receiver_row(one) for one in settings.deliver) or "nobody"
    calls = (
        f"{settings.limits.calls} calls at once" if settings.limits.calls else "as many at once as the gateway takes"
    )
    limits = settings.limits
    quiet = f"{limits.no_audio_s} s without audio" if limits.no_audio_s else ""
    details = [
        f"{limits.duration_s} s a call",
        quiet,
        calls,
        f"{limits.tool_calls} tools a call" if settings.tools else "",
    ]
    if any(function.secrets for function in line.functions):
        details.append(f"secrets keyed in {limits.secret_attempts} times")
    details.append(f"{limits.calls_per_hour} calls an hour" if limits.calls_per_hour else "")
    details.append(f"{limits.caller_calls} calls at once of one caller" if limits.caller_calls else "")
    if limits.caller_calls_per_hour:
        details.append(f"{limits.caller_calls_per_hour} calls an hour of one caller")
    yield "limits", ", ".join(filter(None, details))
    if settings.recording:
        yield "recording", recording_words(line)
    if days := settings.records.keep_days:
        yield "records", "kept forever" if days == "forever" else f"kept for {days} days"
    if settings.metadata:
        yield "labels", ", ".join(settings.metadata)


def _answers(line: Line) -> Iterator[tuple[str, str]]:
    """Yield the model or agent that answers, and its settings."""
    settings = line.settings
    if agent := settings.agent:
        version = f", version {agent.version}" if agent.version else ""
        yield "agent", f"{agent.name} of the Foundry project {agent.project}{version}"
    else:
        yield "model", ", else ".join(f"{model} ({_KINDS[engine_of(model)]})" for model in line.models)
    details = _listed(
        f"temperature {settings.temperature:g}" if settings.temperature is not None else "",
        f"reasoning effort {settings.reasoning_effort}" if settings.reasoning_effort else "",
        f"at most {tokens} tokens" if (tokens := settings.max_response_output_tokens) != "inf" else "",
    )
    if details:
        yield "answers", details


def _placeholders(line: Line) -> Iterator[tuple[str, str]]:
    settings = line.settings
    if settings.variables:
        yield "variables", ", ".join(settings.variables)
    if settings.parameters:
        yield "parameters", f"{', '.join(settings.parameters)}, as the stream brings them"


def _voice(voice: AnyVoice) -> str:
    details = voice.model_dump(exclude={"name", "type"}, exclude_none=True)
    return ", ".join([f"{voice.name} ({voice.type})", *(f"{key} {_shown(value)}" for key, value in details.items())])


def _trouble(line: Line) -> str:
    trouble = line.trouble
    if not trouble.tries:
        return "a call ends with its session"
    heard = f"says {trouble.say!r}" if trouble.say else f"plays {trouble.play}" if trouble.play else "a soft tone"
    return f"{heard}, up to {trouble.tries} tries at another session in {trouble.limit_s:g} s"


def _barge_in(settings: Settings) -> str:
    if not settings.barge_in:
        return "the bot finishes first"
    rules = settings.barge_in_rules
    return _listed(
        "the caller may interrupt",
        f"by {rules.min_speech_ms} ms of speech" if rules.min_speech_ms else "",
        f"but not the first {rules.protect_ms} ms of a reply" if rules.protect_ms else "",
        "" if rules.greeting else "not the greeting",
        "an echo of the bot does not" if rules.echo_gate else "",
    )


def _written(settings: Settings) -> str:
    transcription = settings.transcription
    if transcription is None:
        return "nothing of what the caller says"
    details = transcription.model_dump(exclude={"model"}, exclude_none=True)
    shown = [f"{key} {_shown(value)}" for key, value in details.items()]
    return ", ".join([f"the caller's words, by {transcription.model}", *shown])


def _waits(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the settings that fill long waits."""
    interim = settings.interim_response
    if interim is None:
        return
    how = f"one of {len(interim.texts)} texts" if isinstance(interim, StaticInterim) else f"words of {interim.model}"
    slow = f"an answer takes {interim.latency_threshold_ms} ms" if "latency" in interim.triggers else ""
    tools = "a tool runs" if "tool" in interim.triggers else ""
    yield "meanwhile", f"says {how} when {' or '.join(filter(None, (slow, tools)))}"


def _after(line: Line) -> str:
    after = line.settings.after
    is_some = after is not None and set(after.ends) != set(Afterwards().ends)
    return _following(line, after) + (f" (of {', '.join(after.ends)})" if after and is_some else "")


def _following(line: Line, wanted: Rescue | None) -> str:
    if wanted is None:
        return "the call ends"
    named = f"{wanted.transfer}, " if wanted.transfer in line.settings.transfers else ""
    number = line.number_of(wanted)
    says = [f"says {wanted.say!r}"] if wanted.say else []
    return ", then ".join([*says, f"transfers to {named}{number}" if number else "the call ends"])


def _when_full(line: Line) -> str:
    full = line.settings.when_full
    if full is None:
        return "as gateway.yaml says"
    if not (full.say or full.wait_s or full.transfer):
        return "busy"
    named = line.settings.transfers.get(full.transfer or "")
    number = named.to if named else full.transfer
    steps = [
        f"says {full.say!r}" if full.say else "",
        f"lets the caller wait for {full.wait_s} s{' with music' if full.music else ''}" if full.wait_s else "",
        f"transfers to {number}" if number else "the call ends",
    ]
    return ", then ".join(filter(None, steps))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.lower().startswith(("https://", "http://")):
        return urlsplit(value).netloc.rpartition("@")[2]  # the part after it may be a key
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _listed(*details: str) -> str:
    return ", ".join(filter(None, details))


def _first_words(line: Line) -> Iterator[tuple[str, str]]:
    if history := line.settings.history:
        yield "history", f"before the greeting: {', '.join(role for said in history for role in said.words)}"
    yield "greeting", _greeting(line)


def _greeting(line: Line) -> str:
    match line.settings.greeting:
        case None:
            return "none, the caller speaks first"
        case Greeting(prompt=str(prompt)):
            how = f"in the model's words: {prompt!r}"
        case Greeting(play=str(name), text=text):
            words = f", {text!r}" if text else ""
            how = f"plays {name} ({line.sounds[name].duration_ms / 1000:.1f} s{words})"
        case greeting:
            said = "word for word" if line.synthesizes else "the model is asked to say exactly this"
            how = f"{greeting.say!r} ({said})"
    return how if line.settings.greeting_interruptible else f"{how}, heard to its end"


def _turns(line: Line) -> str:
    match line.settings.turn_detection:
        case None:
            return f"end when the caller presses {line.settings.commit_on}"
        case SemanticVad(eagerness=eagerness):
            return f"semantic_vad, eagerness {eagerness}"
        case ServerVad() as vad:
            return _vad(vad)
        case AzureSemanticVad() as vad:
            expected = vad.expected(line.settings.language)
            languages = ", ".join(expected) or f"any of {', '.join(VAD_LANGUAGES)}"
            return f"{_vad(vad)}, listens for {languages}"


def _vad(vad: ServerVad | AzureSemanticVad) -> str:
    """Return the type, when a turn ends, and the other settings of the line."""
    usual = {"type", "silence_duration_ms", "languages"}
    details = vad.model_dump(exclude=usual, exclude_none=True, exclude_unset=True)
    more = [f"{key} {_shown(value)}" for key, value in details.items()]
    return ", ".join([vad.type, f"end after {vad.silence_duration_ms} ms of silence", *more])
