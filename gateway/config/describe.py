"""What a configuration will do, in words: for ``gateway check``."""

from collections.abc import Iterable, Iterator

from gateway.config.deployment import Deployment
from gateway.config.describe_accounts import secret_warnings
from gateway.config.describe_actions import action_rows, action_warnings
from gateway.config.engines import Engine, is_known
from gateway.config.greeting import Greeting
from gateway.config.hearing import AzureSemanticVad, SemanticVad, ServerVad
from gateway.config.line import Line
from gateway.config.numbers import ANY_NUMBER
from gateway.config.tools import McpTool

MCP_SINCE = "2026-04-10"
"""The API version that knows MCP servers (Voice Live API reference)."""


def describe(line: Line) -> str:
    """A line as rows of ``what  how``, headed by its name and numbers."""
    numbers = ", ".join("any other number" if n == ANY_NUMBER else n for n in line.settings.numbers)
    rows = [f"  {what:<10} {how}" for what, how in _rows(line)]
    return "\n".join([f"{line.name}: {numbers}", *rows])


def warnings(deployment: Deployment, lines: Iterable[Line]) -> list[str]:
    """What is allowed but may not be meant, one sentence each."""
    found = [warning for line in lines for warning in _line_warnings(line)]
    if not any(ANY_NUMBER in line.settings.numbers for line in lines):
        found.append('no line takes "*": calls to numbers that no line names are turned away')
    if not deployment.providers.served:
        found.append("providers: none is named, so no call can come in")
    elif deployment.public_url is None:
        found.append("public_url: not set, so webhooks are refused: their signatures cannot be checked")
    for name, section in deployment.providers.accounts.items():
        missing = [f"providers.{name}.{key}" for key in section.proofs if not getattr(section, key)]
        found += [
            f"{key}: not set, so what {name} sends is refused: nothing proves where it comes from" for key in missing
        ]
    found += secret_warnings(deployment, lines)
    if deployment.voice_live.endpoint is None:
        found.append("voice_live.endpoint: not set, so calls need the emulator")
    elif deployment.voice_live.endpoint.startswith(("http://", "ws://")):
        found.append("voice_live.endpoint: is not encrypted, which only an emulator may be")
    uses_mcp = any(isinstance(tool, McpTool) for line in lines for tool in line.settings.tools)
    if uses_mcp and deployment.voice_live.api_version < MCP_SINCE:
        found.append(f"voice_live.api_version: MCP servers need {MCP_SINCE} or later")
    if deployment.streams.auth == "off":
        found.append("streams.auth: off, whoever knows the address of the media stream can start a call")
    return found


def _rows(line: Line) -> Iterator[tuple[str, str]]:
    settings = line.settings
    kind = "hears and speaks itself" if line.engine is Engine.NATIVE else "Azure speech to text and back"
    if agent := settings.agent:
        version = f", version {agent.version}" if agent.version else ""
        yield "agent", f"{agent.name} of the Foundry project {agent.project}{version}"
    else:
        yield "model", f"{line.model} ({kind})"
    yield "voice", f"{settings.voice.name} ({settings.voice.type})"
    yield "audio", "as the phone provider sends it, not converted"
    yield "language", settings.language or "detected"
    yield "greeting", _greeting(line)
    yield "turns", _turns(line)
    yield "barge-in", "the caller may interrupt" if settings.barge_in else "the bot finishes first"
    if silence := settings.silence:
        times = f"up to {silence.times} times" if silence.times > 1 else "once"
        yield "silence", f"after {silence.after_s:g} s says {silence.say!r}, {times}"
    if transcription := settings.transcription:
        yield "written", f"the caller's words, by {transcription.model}"
    else:
        yield "written", "nothing of what the caller says"
    filters = [name for name in (settings.noise_reduction, settings.echo_cancellation and "echo cancellation") if name]
    yield "filters", ", ".join(filters) or "none"
    yield from action_rows(line)
    calls = f"{settings.limits.calls} calls at once" if settings.limits.calls else "calls bound by the gateway only"
    yield "limits", f"{settings.limits.duration_s} s a call, {calls}"


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
    return how if line.settings.greeting.interruptible else f"{how}, heard to its end"


def _turns(line: Line) -> str:
    match line.settings.turn_detection:
        case None:
            return f"end when the caller presses {line.settings.commit_on}"
        case SemanticVad(eagerness=eagerness):
            return f"semantic_vad, eagerness {eagerness}"
        case ServerVad() | AzureSemanticVad() as vad:
            return f"{vad.type}, end after {vad.silence_duration_ms} ms of silence"


def _line_warnings(line: Line) -> Iterator[str]:
    settings = line.settings
    if line.model and not is_known(line.model):
        yield f"{line.name}: model {line.model} is not among those documented, taken for a {line.engine} one"
    if settings.noise_reduction == "azure_deep_noise_suppression":
        yield f"{line.name}: noise_reduction: {settings.noise_reduction} has swallowed words on phone lines, listen"
    if settings.echo_cancellation:
        yield f"{line.name}: echo_cancellation: long answers play later than it assumes; phone networks have their own"
    transcription = settings.transcription
    language = settings.language or (transcription.language if transcription else None)
    if transcription and transcription.model.startswith(("whisper", "gpt-")) and not language:
        yield f"{line.name}: language: missing, {transcription.model} may write the caller's words in another language"
    if transcription is None and line.engine is Engine.CASCADED:
        yield (
            f"{line.name}: transcription: none only keeps the words from the gateway, "
            f"{line.model or 'the agent'} reads them from Azure speech to text all the same"
        )
    if settings.language and transcription is None:
        yield f"{line.name}: language: does nothing where transcription is none"
    turns = settings.turn_detection
    if (
        isinstance(turns, AzureSemanticVad)
        and turns.type.endswith("_en")
        and language
        and not language.startswith("en")
    ):
        yield f"{line.name}: turn_detection: azure_semantic_vad_en is for English, found language {language}"
    if settings.greeting and settings.greeting.say and not line.synthesizes:
        yield f"{line.name}: greeting: {settings.voice.name} speaks for the model, which may change a word"
    voice = settings.voice
    if getattr(voice, "temperature", None) is not None and "HD" not in voice.name:
        yield f"{line.name}: voice.temperature: only HD voices know it, found {voice.name}"
    yield from action_warnings(line)
