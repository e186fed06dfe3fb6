"""What of a line is allowed but may not be meant, and what of a deployment where the two belong together."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config import Deployment, load_deployment
from gateway.config.checks.deployment_warnings import warnings
from gateway.config.checks.line_warnings import line_warnings
from gateway.config.line_file import LineFile

ReadLine = Callable[..., LineFile]


def deployment(tmp_path: Path, text: str = "providers: {twilio: {}}\n") -> Deployment:
    """A deployment that lacks nothing but what ``text`` leaves out."""
    file = tmp_path / "gateway.yaml"
    file.write_text(text)
    environ = {"AZURE_VOICELIVE_ENDPOINT": "https://a.example", "GATEWAY_PUBLIC_URL": "https://b.example"}
    return load_deployment(file, {**environ, "TWILIO_AUTH_TOKEN": "token"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model: gpt-9-realtime",
            "line: model gpt-9-realtime is not among those documented, did you mean gpt-realtime? It is taken for a "
            "native model",
        ),
        (
            "model: gpt4.1",
            "line: model gpt4.1 is not among those documented, did you mean gpt-4.1? It is taken for a text model",
        ),
        (
            "model: claude-sonnet",
            "line: model claude-sonnet is not among those documented, taken for a text model",
        ),
        (
            "model: gpt-4.1\ninterim_response: {type: llm_interim_response, model: gpt-4.1mini}",
            "line: interim_response.model: model gpt-4.1mini is not among those documented, did you mean gpt-4.1-mini? "
            "It is taken for a text model",
        ),
        (
            "model: gpt-4.1\nnoise_reduction: far_field",
            "line: noise_reduction: far_field has no effect with model gpt-4.1",
        ),
        (
            "model: azure-realtime\nvoice: ava\nnoise_reduction: near_field",
            "line: noise_reduction: near_field has no effect with model azure-realtime",
        ),
        (
            "model: gpt-realtime-1.5\nturn_detection: server_vad",
            "line: turn_detection: server_vad with transcription by azure-speech was not seen with model "
            "gpt-realtime-1.5, expected azure_semantic_vad",
        ),
        (
            "voice: en-US-AvaMultilingualNeurall",
            "line: voice: en-US-AvaMultilingualNeurall is not among those documented, did you mean "
            "en-US-AvaMultilingualNeural?",
        ),
        (
            "voice: {type: azure-standard, name: de-DE-KatjaNerual}",
            "line: voice: de-DE-KatjaNerual is not among those documented, did you mean de-DE-KatjaNeural?",
        ),
        ("voice: xx-YY-BobNeural", "line: voice: xx-YY-BobNeural is not among those documented"),
        (
            "voice: de-DE-KatjaNeural\nlanguage: en-US",
            "line: voice: de-DE-KatjaNeural speaks de alone, found language en-US",
        ),
        (
            "voice: {type: azure-standard, name: en-US-AvaMultilingualNeural, locale: de-DE}\nlanguage: en-US",
            "line: voice.locale: de-DE speaks de alone, found language en-US",
        ),
        (
            "language: en-UK",
            "line: language: en-UK is not among the languages of Azure's voices, expected en-AU, en-CA, en-GB, en-HK, "
            "en-IE, en-IN, en-KE, en-NG, en-NZ, en-PH, en-SG, en-TZ, en-US or en-ZA",
        ),
        (
            "voice: {type: azure-standard, name: en-US-AvaMultilingualNeural, locale: da-DA}",
            "line: voice.locale: da-DA is not among the languages of Azure's voices, expected da-DK",
        ),
        (
            "transcription: {language: qq-QQ}",
            "line: transcription.language: qq-QQ is not among the languages of Azure's voices, expected such as de-DE "
            "or en-US",
        ),
        (
            "language: nl-NL",
            "line: turn_detection: azure_semantic_vad knows en, es, fr, it, de, ja, pt, zh, ko or hi, "
            "found language nl-NL",
        ),
        (
            "turn_detection: {type: azure_semantic_vad_multilingual, languages: [en]}\nlanguage: de-DE",
            "line: turn_detection.languages: en, found language de-DE",
        ),
        (
            "model: gpt-4.1\nlanguage: de-DE\n"
            "turn_detection: {type: server_vad, end_of_utterance_detection: semantic_detection_v1_en}",
            "line: turn_detection.end_of_utterance_detection: semantic_detection_v1_en is for English, found language "
            "de-DE",
        ),
        (
            'hours: {open: {mon-fri: "09:00-17:00"}, closed: {say: Closed.}}',
            "line: hours: without timezone they are hours of UTC, expected such as timezone: Europe/Berlin",
        ),
        (
            'transfers: {desk: "+4255550102"}',
            "line: transfers.desk: +4255550102 is no number of any country: its country code or its length is wrong",
        ),
        (
            'after: {transfer: "+142555501"}',
            "line: after.transfer: +142555501 is no number of any country: its country code or its length is wrong",
        ),
        (
            "noise_reduction: azure_deep_noise_suppression",
            "line: noise_reduction: azure_deep_noise_suppression has swallowed words on phone lines, listen",
        ),
        (
            "transcription: {model: whisper-1}",
            "line: language: missing, whisper-1 may write the caller's words in another language",
        ),
        (
            "model: gpt-4.1\ntranscription: none",
            "line: transcription: none only keeps the words from the gateway, gpt-4.1 reads them from Azure speech to "
            "text all the same",
        ),
        (
            "turn_detection: server_vad\ntranscription: none\nlanguage: de-DE",
            "line: language: does nothing where transcription is none",
        ),
        (
            "turn_detection: {type: azure_semantic_vad_en}\nlanguage: de-DE",
            "line: turn_detection: azure_semantic_vad_en is for English, found language de-DE",
        ),
        (
            "voice: marin\ngreeting: Hi",
            "line: greeting: marin speaks for the model, which may change a word",
        ),
        (
            "greeting: {play: a.wav}",
            "line: greeting: no text beside play, so the model does not know what was said",
        ),
        (
            "voice: {type: azure-standard, name: en-US-AvaNeural, temperature: 0.5}",
            "line: voice.temperature: only HD voices know it, found en-US-AvaNeural",
        ),
    ],
)
def test_what_may_not_be_meant_is_warned_about(read_line: ReadLine, tmp_path: Path, text: str, expected: str) -> None:
    """Allowed, but worth a second look."""
    write_wav(tmp_path / "a.wav", np.zeros(8000, np.int16), 8000)
    line = read_line(text, base='numbers: ["*"]\ninstructions: Answer.\n').line
    assert line
    streams = "streams.auth: off, whoever knows the address of the media stream can start a call"
    assert warnings(deployment(tmp_path), [line]) == [expected]
    open_to_all = deployment(tmp_path, 'providers: {twilio: {}}\nstreams: {auth: "off"}\n')
    assert warnings(open_to_all, [line]) == [expected, streams]


@pytest.mark.parametrize(
    "text",
    [
        'timezone: UTC\nhours: {open: {mon-fri: "09:00-17:00"}, closed: {say: Closed.}}',
        "transcription: {model: whisper-1, language: de-DE}",
        "transcription: {model: whisper-1}\nlanguage: de-DE",
        "turn_detection: {type: azure_semantic_vad_en}\nlanguage: en-GB",
        "turn_detection: {type: azure_semantic_vad_multilingual, languages: [de, en]}\nlanguage: de-DE",
        "language: 'de-DE,en-US'\nvoice: de-DE-KatjaNeural",
        "voice: {type: azure-standard, name: 'en-US-Ava:DragonHDLatestNeural', temperature: 0.5}",
        "greeting: {play: a.wav, text: Hello.}",
        "greeting: Hello.",
        "voice: marin\ngreeting: {prompt: Be kind.}",
        "model: gpt-5.2-mini",
        "noise_reduction: near_field",
    ],
)
def test_what_is_meant_is_not_warned_about(read_line: ReadLine, tmp_path: Path, text: str) -> None:
    """The neighbours of what is, one step away."""
    write_wav(tmp_path / "a.wav", np.zeros(8000, np.int16), 8000)
    line = read_line(text, base='numbers: ["*"]\ninstructions: Answer.\n').line
    assert line
    assert list(line_warnings(line)) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('transfers: {desk: {to: "+14255550100", description: d}}', "transfers.desk"),
        ('after: {transfer: "+14255550100"}', "after.transfer"),
    ],
)
def test_a_transfer_to_the_line_itself_is_warned_about(read_line: ReadLine, text: str, key: str) -> None:
    """The caller would talk to the bot again, and be transferred again."""
    base = 'numbers: ["+14255550100"]\ninstructions: Be kind.\n'
    line = read_line(text, base=base).line
    assert line
    told = f"line: {key}: +14255550100 is a number of this line: whoever is transferred meets the bot again"
    assert told in list(line_warnings(line))
    other = read_line(text, base=base.replace("0100", "0101")).line
    assert other
    assert told not in list(line_warnings(other))


def test_an_older_version_of_the_service_knows_no_mcp_servers(read_line: ReadLine, tmp_path: Path) -> None:
    """The version is the deployment's, the server the line's."""
    mcp = 'mcp: {server_label: crm, server_url: "https://a.b/", allowed_tools: [x], require_approval: never}'
    line = read_line(f"tools: [{{{mcp}}}]\n", base='numbers: ["*"]\ninstructions: Answer.\n').line
    assert line
    assert warnings(deployment(tmp_path), [line]) == []
    older = deployment(tmp_path, 'providers: {twilio: {}}\nvoice_live: {api_version: "2025-10-01"}\n')
    told = warnings(older, [line])
    assert told[-1] == "voice_live.api_version: MCP servers need 2026-01-01-preview or later"


def test_a_level_that_the_first_version_does_not_know_is_warned_about(read_line: ReadLine, tmp_path: Path) -> None:
    """It has numbers, of which none is documented; the default is sent as nothing by all."""
    turns = "turn_detection: {type: server_vad, end_of_utterance_detection: {model: semantic_detection_v1, "
    base = 'numbers: ["*"]\ninstructions: Answer.\nmodel: gpt-4.1\n'
    first = deployment(tmp_path, 'providers: {twilio: {}}\nvoice_live: {api_version: "2025-05-01-preview"}\n')
    for level, warned in (("high", True), ("default", False)):
        line = read_line(f"{turns}threshold_level: {level}}}}}\n", base=base).line
        assert line
        told = [text for text in warnings(first, [line]) if "threshold_level" in text]
        assert bool(told) is warned
        assert not any("threshold_level" in text for text in warnings(deployment(tmp_path), [line]))


def test_a_deployment_that_cannot_take_every_call_is_warned_about(read_line: ReadLine, tmp_path: Path) -> None:
    """No provider, no address, no endpoint, no line for other numbers."""
    file = tmp_path / "gateway.yaml"
    file.write_text("")
    line = read_line("").line
    assert line
    assert warnings(load_deployment(file, {}), [line])[:3] == [
        'no line takes "*": calls to numbers that no line names are turned away',
        "providers: none is named, so no call can come in",
        "voice_live.endpoint: not set, so calls need the emulator",
    ]
    file.write_text("providers: {twilio: {}}\nvoice_live: {endpoint: 'http://emulator:9000'}\n")
    assert warnings(load_deployment(file, {"TWILIO_AUTH_TOKEN": "token"}), [line])[1:3] == [
        "public_url: not set, so webhooks are refused: their signatures cannot be checked",
        "voice_live.endpoint: is not encrypted, which only an emulator may be",
    ]


def test_a_provider_whose_webhooks_cannot_be_checked_is_warned_about(read_line: ReadLine, tmp_path: Path) -> None:
    """Each key that is missing, by its place in the file; a provider that has all of them goes without a word."""
    line = read_line("", base='numbers: ["*"]\ninstructions: Answer.\n').line
    assert line
    served = deployment(tmp_path, "providers:\n  twilio:\n  bandwidth: {webhook_user: gateway}\n  telnyx:\n")
    assert warnings(served, [line]) == [
        f"providers.{name}.{key}: not set, so what {name} sends is refused: nothing proves where it comes from"
        for name, key in (("telnyx", "public_key"), ("bandwidth", "webhook_password"))
    ]


def test_acs_is_warned_of_what_each_missing_key_costs(read_line: ReadLine, tmp_path: Path) -> None:
    """Event Grid and the callbacks prove themselves in two ways; calls work without the second."""
    line = read_line("", base='numbers: ["*"]\ninstructions: Answer.\n').line
    assert line
    assert warnings(deployment(tmp_path, "providers:\n  acs:\n"), [line]) == [
        "providers.acs.stream_secret: not set, so what Event Grid delivers is refused, incoming calls among it: "
        "nothing proves where it comes from",
        "providers.acs.resource_id: not set, so callbacks are refused, and streams need no more than their token: "
        "nothing proves where it comes from",
    ]
