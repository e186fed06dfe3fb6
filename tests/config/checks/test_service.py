from collections.abc import Callable

import pytest

from gateway.config.line.models import Engine
from gateway.config.line_file import LineFile

LineErrors = Callable[..., list[str]]
ReadLine = Callable[..., LineFile]

MARIN = "voice: marin"
AVA = "voice: ava"
SERVER_VAD = "turn_detection: {type: server_vad}"
SEMANTIC_VAD = "turn_detection: {type: semantic_vad}"
BY_KEY = 'turn_detection: none\ncommit_on: "#"'
NO_TRANSCRIPTION = "transcription: none"
WHISPER = "transcription: {model: whisper-1}"
EOU = "turn_detection: {type: server_vad, end_of_utterance_detection: {model: semantic_detection_v1}}"
TOOL = "{name: ask, description: Asks., http: {url: 'https://example.com/ask'}}"
INTERIM = "interim_response: {type: static_interim_response, texts: [One moment.]}"


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        ("gpt-4.1", MARIN, "voice: the OpenAI voice marin needs a gpt-realtime model, found model gpt-4.1"),
        (
            "phi4-mm-realtime",
            MARIN,
            "voice: the OpenAI voice marin needs a gpt-realtime model, found model phi4-mm-realtime",
        ),
        (
            "gpt-realtime",
            AVA,
            "voice: the native voice ava needs model azure-realtime, found model gpt-realtime",
        ),
        (
            "azure-realtime",
            "voice: en-US-AvaNeural",
            "voice: model azure-realtime needs a voice of type azure-realtime-native, found en-US-AvaNeural",
        ),
        (
            "gpt-4.1",
            SEMANTIC_VAD,
            "turn_detection.type: semantic_vad needs a gpt-realtime model, found model gpt-4.1",
        ),
        (
            "gpt-realtime",
            f"{EOU}\n{WHISPER}",
            "turn_detection.end_of_utterance_detection: needs a text model such as gpt-4.1, found model gpt-realtime",
        ),
        (
            "gpt-4.1",
            "turn_detection: {type: azure_semantic_vad_en, languages: [en]}",
            "turn_detection.languages: azure_semantic_vad_en takes none, use azure_semantic_vad_multilingual",
        ),
        (
            "gpt-4.1",
            "turn_detection: none",
            'turn_detection: none needs commit_on, the key that ends a turn, such as commit_on: "#"',
        ),
        ("gpt-4.1", 'commit_on: "#"', "commit_on: needs turn_detection: none"),
        (
            "gpt-realtime-2",
            SERVER_VAD,
            "turn_detection.type: server_vad with model gpt-realtime-2 cannot have transcription by azure-speech, "
            "expected azure_semantic_vad or transcription: {model: whisper-1} or none",
        ),
        (
            "gpt-realtime-2",
            BY_KEY,
            "turn_detection.type: none with model gpt-realtime-2 cannot have transcription by azure-speech, "
            "expected azure_semantic_vad or transcription: {model: whisper-1} or none",
        ),
        (
            "phi4-mm-realtime",
            "transcription: {model: mai-transcribe-1}",
            "transcription.model: mai-transcribe-1 needs a text model, found model phi4-mm-realtime; use azure-speech",
        ),
        (
            "gpt-4.1",
            WHISPER,
            "transcription.model: whisper-1 needs a gpt-realtime model, found model gpt-4.1; use azure-speech",
        ),
        (
            "phi4-mm-realtime",
            "transcription: {model: gpt-4o-transcribe}",
            "transcription.model: gpt-4o-transcribe needs a gpt-realtime model, found model phi4-mm-realtime; "
            "use azure-speech",
        ),
        (
            "gpt-realtime",
            "transcription: {model: mai-transcribe-1}",
            "transcription.model: mai-transcribe-1 needs a text model, found model gpt-realtime; use azure-speech",
        ),
        (
            "gpt-realtime",
            "transcription: {phrase_list: [Contoso]}",
            "transcription.phrase_list: needs azure-speech with a text model, found model gpt-realtime",
        ),
        (
            "phi4-mm-realtime",
            "transcription: {phrase_list: [Contoso]}",
            "transcription.phrase_list: needs azure-speech with a text model, found model phi4-mm-realtime",
        ),
        (
            "gpt-4.1",
            "transcription: {model: mai-transcribe, phrase_list: [Contoso]}",
            "transcription.phrase_list: needs azure-speech with a text model, found mai-transcribe",
        ),
        (
            "gpt-realtime",
            "transcription: {model: whisper-1, custom_speech: {en-US: x}}",
            "transcription.custom_speech: needs azure-speech, found whisper-1",
        ),
        (
            "gpt-4.1",
            "transcription: {prompt: names}",
            "transcription.prompt: needs whisper-1 or gpt-…-transcribe, found azure-speech",
        ),
        (
            "gpt-realtime",
            f"{WHISPER}\nlanguage: en,de",
            "language: whisper-1 takes one language, found en,de",
        ),
        (
            "gpt-5-mini",
            "temperature: 0.7",
            "temperature: model gpt-5-mini takes 1.0 alone while it reasons, found 0.7",
        ),
        (
            "gpt-5.1",
            "temperature: 0.7\nreasoning_effort: low",
            "temperature: model gpt-5.1 takes 1.0 alone while it reasons, found 0.7",
        ),
        (
            "gpt-4.1",
            "reasoning_effort: low",
            "reasoning_effort: needs a model that reasons, such as gpt-5, found model gpt-4.1",
        ),
        (
            "gpt-4o-realtime-preview",
            "reasoning_effort: low",
            "reasoning_effort: needs a model that reasons, such as gpt-5, found model gpt-4o-realtime-preview",
        ),
        (
            "gpt-realtime-1.5",
            "parallel_tool_calls: true",
            "parallel_tool_calls: model gpt-realtime-1.5 refuses true",
        ),
        (
            "gpt-realtime-2",
            "turn_detection: azure_semantic_vad_en",
            "turn_detection.type: azure_semantic_vad_en with model gpt-realtime-2 cannot have transcription by "
            "azure-speech, expected azure_semantic_vad or transcription: {model: whisper-1} or none",
        ),
        (
            "gpt-realtime",
            INTERIM,
            "interim_response: needs a text model such as gpt-4.1, found model gpt-realtime",
        ),
        ("gpt-4.1", "metadata: {call_id: x}", "metadata.call_id: the gateway writes it itself, expected another name"),
    ],
)
def test_what_the_service_refuses_is_refused_at_load(
    line_errors: LineErrors, model: str, text: str, expected: str
) -> None:
    """Each combination gives exactly one message, under the key that has to change."""
    (error,) = line_errors(text, model=model)
    assert error.split(": ", 1)[1] == expected


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("gpt-realtime", MARIN),
        ("gpt-realtime-2.1-mini", "voice: {type: openai, name: cedar}"),
        ("gpt-realtime", "voice: en-US-Ava:DragonHDLatestNeural"),
        ("azure-realtime", AVA),
        ("gpt-realtime", f"{SERVER_VAD}\n{WHISPER}"),
        ("gpt-realtime", f"{SEMANTIC_VAD}\n{NO_TRANSCRIPTION}"),
        ("gpt-realtime", f"{BY_KEY}\n{NO_TRANSCRIPTION}"),
        ("gpt-realtime", "turn_detection: {type: azure_semantic_vad_multilingual, languages: [en, de]}"),
        ("gpt-4.1", f"{EOU}\ntranscription: {{phrase_list: [Contoso], custom_speech: {{en-US: x}}}}"),
        ("gpt-4.1", BY_KEY),
        ("gpt-4.1", "transcription: {model: mai-transcribe-2}"),
        ("gpt-realtime", "noise_reduction: far_field"),
        ("phi4-mm-realtime", "noise_reduction: azure_deep_noise_suppression"),
        ("gpt-4.1", "temperature: 2"),
        ("gpt-realtime", "temperature: 0"),
        ("gpt-realtime-2", "temperature: 0.7\nreasoning_effort: low"),
        ("phi4-mm-realtime", "temperature: 0.7"),
        ("gpt-5.1", "temperature: 0.7\nreasoning_effort: none"),
        ("gpt-5-chat", "temperature: 0.7"),
        ("gpt-4.1", "noise_reduction: near_field"),
        ("azure-realtime", f"{AVA}\nnoise_reduction: far_field"),
        ("gpt-realtime-mini", "transcription: mai-transcribe-1"),
        ("gpt-4o-realtime-preview", f"{MARIN}\n{SERVER_VAD}\nparallel_tool_calls: true"),
        ("gpt-realtime-1.5", SERVER_VAD),
        ("gpt-5.1", "temperature: 1"),
        ("gpt-5-nano", "reasoning_effort: minimal"),
        ("gpt-realtime-2", "reasoning_effort: low"),
        ("gpt-4o", INTERIM),
        ("gpt-4.1", "language: en-US,de-DE"),
        ("gpt-4.1", "tools: [end_call]\ntool_choice: required"),
        ("gpt-4.1", "tools: [end_call]\ntool_choice: {function: end_call}"),
        ("gpt-4.1", f"tools: [{TOOL}]\ntool_choice: {{function: ask}}"),
    ],
)
def test_what_the_service_takes_is_taken(line_errors: LineErrors, model: str, text: str) -> None:
    """The neighbours of what is refused pass."""
    assert line_errors(text, model=model) == []


def test_a_combination_is_placed_at_the_key_that_was_written(line_errors: LineErrors) -> None:
    """The message stands at the key in the file; where that key is a default, at the nearest around it."""
    assert line_errors("greeting: Hi\nvoice: marin\n", model="gpt-4.1")[0].startswith("line.yaml:4:1: voice:")
    nested = "turn_detection:\n  threshold: 0.4\n  type: server_vad\n"
    assert line_errors(nested, model="gpt-realtime-2")[0].startswith("line.yaml:5:3: turn_detection.type:")


def test_every_model_of_a_chain_must_go_with_the_line(line_errors: LineErrors, read_line: ReadLine) -> None:
    """Whichever answers: each mistake is told once for a key, and names the model that it is about."""
    assert line_errors("voice: marin\nmodel: [gpt-realtime, gpt-4.1-mini, gpt-4o]\n") == [
        "line.yaml:3:1: voice: the OpenAI voice marin needs a gpt-realtime model, found model gpt-4.1-mini",
    ]
    twice = line_errors("commit_on: '#'\nmodel: [gpt-realtime, gpt-4.1-mini]\n")
    assert twice == ["line.yaml:3:1: commit_on: needs turn_detection: none"]
    line = read_line("model: [gpt-realtime, gpt-4.1-mini]\n").line
    assert line
    assert line.models == ("gpt-realtime", "gpt-4.1-mini")
    assert (line.model, line.fallbacks, line.engine) == ("gpt-realtime", ("gpt-4.1-mini",), Engine.NATIVE)
    assert line.answered_by("gpt-4.1-mini").engine is Engine.CASCADED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: []", "is empty, expected at least one"),
        ("model: [gpt-realtime, gpt-realtime]", "names gpt-realtime twice"),
        ("model: [gpt-realtime, ' ']", "is empty"),
        ("model: {name: gpt-realtime}", "expected"),
    ],
)
def test_a_chain_that_names_no_model(line_errors: LineErrors, text: str, message: str) -> None:
    """It is told at its key, with what was expected."""
    (error,) = line_errors(text)
    assert error.startswith("line.yaml:3:")
    assert message in error


def test_the_line_s_own_model_decides(read_line: ReadLine) -> None:
    """A line's model goes before that of the deployment, also for what is allowed."""
    read = read_line("model: gpt-realtime\nvoice: marin\n", model="gpt-4.1")
    assert read.errors == []
    assert read.line
    assert read.line.model == "gpt-realtime"


def test_a_number_twice_in_a_line_is_told(line_errors: LineErrors) -> None:
    """The second of the two is pointed at."""
    base = 'numbers: ["+14255550100", "+14255550100"]\ninstructions: Answer.\n'
    assert line_errors("", base=base) == ["line.yaml:1:27: numbers[1]: +14255550100 stands there twice"]
