"""Warns of settings of a line that are allowed but may not be intended, for ``gateway check``."""

import difflib
from collections.abc import Iterator

from gateway.addresses import is_possible
from gateway.config.checks.secret_warnings import tool_secret_warnings
from gateway.config.line.line import Line, WrittenInterim
from gateway.config.line.models import MODELS, OPENAI_TRANSCRIPTIONS, Engine, engine_of, is_known, models_of, traits_of
from gateway.config.line.turns import VAD_LANGUAGES, AzureSemanticVad, ServerVad, Transcription, main_language
from gateway.config.line.voice_catalogue import is_documented, language_of, locales, nearest
from gateway.config.line.voices import AzureStandardVoice, SpokenByAzure
from gateway.config.reading.problems import listed
from gateway.config.telling.describe_actions import action_warnings
from gateway.config.telling.describe_recording import recording_warnings

_SAME_MODEL = 0.75
"""Least similarity at which a model's name counts as a misspelling of a documented one."""


def line_warnings(line: Line) -> Iterator[str]:
    """Yield one sentence for each warning, beginning with the line's name."""
    for warning in (
        *_numbers(line),
        *_models(line),
        *_voice(line),
        *_filters(line),
        *_locales(line),
        *_languages(line),
        *_turns(line),
        *_times(line),
        *recording_warnings(line),
    ):
        yield f"{line.name}: {warning}"
    yield from action_warnings(line)
    yield from tool_secret_warnings(line)


def model_warning(model: str) -> str:
    """Return a warning if the documentation does not name the model; else nothing."""
    if not model or is_known(model):
        return ""
    near = difflib.get_close_matches(model.lower(), MODELS, n=1, cutoff=_SAME_MODEL)
    hint = f"did you mean {near[0]}? It is taken" if near else "taken"
    kind = "native" if engine_of(model) is Engine.NATIVE else "text"
    return f"model {model} is not among those documented, {hint} for a {kind} model"


def _numbers(line: Line) -> Iterator[str]:
    settings = line.settings
    targets = [(f"transfers.{name}", target.to) for name, target in settings.transfers.items()]
    targets += [(f"numbers[{index}]", number) for index, number in enumerate(settings.numbers)]
    targets += [(f"{key}.transfer", line.number_of(wanted)) for key, wanted in line.following.items()]
    if parting := settings.on_shutdown:
        targets.append(("on_shutdown.transfer", line.number_of(parting)))
    if full := settings.when_full:
        named = settings.transfers.get(full.transfer or "")
        targets.append(("when_full.transfer", named.to if named else full.transfer or ""))
        if full.music and not full.wait_s:
            yield "when_full.music: does nothing without wait_s"
    for key, number in targets:
        if number.startswith("+") and not is_possible(number):
            yield f"{key}: {number} is no number of any country: its country code or its length is wrong"
        if not key.startswith("numbers") and number in settings.numbers:
            yield f"{key}: {number} is a number of this line: whoever is transferred meets the bot again"


def _models(line: Line) -> Iterator[str]:
    for model in models_of(line.settings.model):
        if warning := model_warning(model):
            yield warning
    yield from _unsettled(line)
    interim = line.settings.interim_response
    if isinstance(interim, WrittenInterim) and (warning := model_warning(interim.model)):
        yield f"interim_response.model: {warning}"


def _unsettled(line: Line) -> Iterator[str]:
    """Yield what was not seen with a model, or has no effect with it."""
    settings = line.settings
    turns = settings.turn_detection
    for model in line.models or ("",):
        traits, named = traits_of(model), f"model {model}" if model else "an agent"
        if settings.noise_reduction in ("near_field", "far_field") and not traits.openai:
            yield f"noise_reduction: {settings.noise_reduction} has no effect with {named}"
        by_azure = settings.transcription is not None and settings.transcription.model.startswith("azure-")
        if traits.azure_vad == "unknown" and by_azure and not (turns and turns.type.startswith("azure_")):
            found = turns.type if turns else "none"
            yield (
                f"turn_detection: {found} with transcription by azure-speech was not seen with {named}, "
                "expected azure_semantic_vad"
            )


def _voice(line: Line) -> Iterator[str]:
    voice = line.settings.voice
    if isinstance(voice, AzureStandardVoice) and not is_documented(voice.name):
        near = nearest(voice.name)
        yield f"voice: {voice.name} is not among those documented{f', did you mean {near}?' if near else ''}"
    if not isinstance(voice, SpokenByAzure):
        return
    if voice.temperature is not None and "HD" not in voice.name:
        yield f"voice.temperature: only HD voices know it, found {voice.name}"
    spoken = {main_language(code) for code in (line.settings.language or "").split(",") if code}
    own = main_language(voice.locale) if voice.locale else language_of(voice.name)
    if spoken and own and own not in spoken:
        key = "voice.locale" if voice.locale else "voice"
        found = voice.locale or voice.name
        yield f"{key}: {found} speaks {own} alone, found language {line.settings.language}"


def _filters(line: Line) -> Iterator[str]:
    settings = line.settings
    if settings.noise_reduction == "azure_deep_noise_suppression":
        yield f"noise_reduction: {settings.noise_reduction} has swallowed words on phone lines, listen"
    if settings.echo_cancellation:
        yield "echo_cancellation: long answers play later than it assumes; phone networks have their own"
    if settings.greeting and settings.greeting.say and not line.synthesizes:
        yield f"greeting: {settings.voice.name} speaks for the model, which may change a word"


def _locales(line: Line) -> Iterator[str]:
    """Yield language codes that no voice has, such as en-UK for en-GB."""
    settings, voice = line.settings, line.settings.voice
    given = [("language", settings.language)]
    given += [("transcription.language", settings.transcription.language)] if settings.transcription else []
    given += [("voice.locale", voice.locale)] if isinstance(voice, SpokenByAzure) else []
    for key, codes in given:
        for code in (codes or "").split(","):
            known = locales().get(main_language(code), ())
            is_known = code.lower() in (main_language(code), *(locale.lower() for locale in known))
            if code and not (known and is_known):
                expected = f"expected {listed(known)}" if known else "expected such as de-DE or en-US"
                yield f"{key}: {code} is not among the languages of Azure's voices, {expected}"


def _languages(line: Line) -> Iterator[str]:
    settings = line.settings
    transcription = settings.transcription
    language = _language(line)
    if transcription and transcription.model in OPENAI_TRANSCRIPTIONS and not language:
        yield f"language: missing, {transcription.model} may write the caller's words in another language"
    if transcription is None and line.engine is Engine.CASCADED:
        yield (
            f"transcription: none only keeps the words from the gateway, "
            f"{line.model or 'the agent'} reads them from Azure speech to text all the same"
        )
    turns = settings.turn_detection
    is_heard = isinstance(turns, AzureSemanticVad) and turns.type != "azure_semantic_vad_en"
    if settings.language and transcription is None and not is_heard:
        yield "language: does nothing where transcription is none"


def _turns(line: Line) -> Iterator[str]:
    turns = line.settings.turn_detection
    language = _language(line)
    if not language or not isinstance(turns, AzureSemanticVad | ServerVad):
        return
    wanted = [main_language(code) for code in language.split(",")]
    if isinstance(turns, AzureSemanticVad):
        understood = turns.expected(line.settings.language) or VAD_LANGUAGES
        foreign = [code for code in wanted if code not in understood]
        if turns.type.endswith("_en") and foreign:
            yield f"turn_detection: azure_semantic_vad_en is for English, found language {language}"
        elif turns.languages and foreign:
            yield f"turn_detection.languages: {', '.join(turns.languages)}, found language {language}"
        elif foreign and line.settings.language:
            yield f"turn_detection: {turns.type} knows {listed(VAD_LANGUAGES)}, found language {language}"
    judge = turns.end_of_utterance_detection
    if judge and judge.model.endswith("_en") and any(code != "en" for code in wanted):
        yield f"turn_detection.end_of_utterance_detection: {judge.model} is for English, found language {language}"


def _times(line: Line) -> Iterator[str]:
    settings = line.settings
    if "timezone" in settings.model_fields_set:
        return
    if settings.hours:
        yield "hours: without timezone they are hours of UTC, expected such as timezone: Europe/Berlin"
    elif "{now}" in line.instructions:
        yield "instructions: {now} is the time of UTC without timezone, expected such as timezone: Europe/Berlin"


def _language(line: Line) -> str:
    transcription: Transcription | None = line.settings.transcription
    return line.settings.language or (transcription.language if transcription else None) or ""
