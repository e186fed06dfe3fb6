from collections.abc import Callable

import pytest

LineErrors = Callable[..., list[str]]
VADS = "server_vad, azure_semantic_vad, azure_semantic_vad_en, azure_semantic_vad_multilingual or semantic_vad"
TYPOGRAPHIC = "the quotes are typographic ones, expected \" or '"
VOICES = "alloy, ash, ballad, cedar, coral, echo, marin, sage, shimmer or verse"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gretting: Hello", "line.yaml:3:1: gretting: unknown key, did you mean greeting?"),
        (
            "limits:\n  xyzzy: 1",
            "line.yaml:4:3: limits.xyzzy: unknown key, "
            "expected caller_calls, caller_calls_per_hour, calls, calls_per_hour, duration_s, no_audio_s, "
            "secret_attempts or tool_calls",
        ),
        (
            "turn_detection:\n  type: server_vad\n  treshold: 0.4",
            "line.yaml:5:3: turn_detection.treshold: unknown key, did you mean threshold?",
        ),
        (
            "turn_detection: {type: server_vad, remove_filler_words: true}",
            "line.yaml:3:36: turn_detection.remove_filler_words: unknown key, expected "
            "end_of_utterance_detection, prefix_padding_ms, silence_duration_ms, speech_duration_ms, threshold or type",
        ),
        ("greeting: {promt: hello}", "line.yaml:3:12: greeting.promt: unknown key, did you mean prompt?"),
        (
            "silence: {after_s: 5, say: Hello?}\ntimes: 1",
            "line.yaml:4:1: times: belongs to silence: indent it deeper than that",
        ),
        (
            "hours: always",
            "line.yaml:3:1: hours: expected keys with values, such as "
            """{open: {mon-fri: "09:00-17:00"}, closed: {say: …}}, found 'always'""",
        ),
        (
            "recording: stereo",
            "line.yaml:3:1: recording: expected true, false or keys with values, such as "
            "{announce: This call is recorded.}, found 'stereo'",
        ),
        (
            "recording: {consent: please}",
            "line.yaml:3:13: recording.consent: expected keys with values, such as {ask: …, key: …}, found 'please'",
        ),
        ("avatar: {character: lisa}", "line.yaml:3:1: avatar: a phone has no picture, expected no such key"),
        ("animation: {outputs: [viseme_id]}", "line.yaml:3:1: animation: a phone has no picture, expected no such key"),
        ("camera: front", "line.yaml:3:1: camera: a phone has no picture, expected no such key"),
        (
            "turn_detection: {type: server_vad, interrupt_response: false}",
            "line.yaml:3:36: turn_detection.interrupt_response: the gateway sets it, "
            "expected barge_in: true or false on the line",
        ),
        (
            "barge_in: yes",
            "line.yaml:3:1: barge_in: expected true, false or keys with values, such as "
            "{min_speech_ms: 300}, found 'yes'",
        ),
        (
            "silence: {after_s: ten, say: Hello?}",
            "line.yaml:3:11: silence.after_s: expected a number, found 'ten'",
        ),
        ("silence: 5", "line.yaml:3:1: silence: expected keys with values, such as {after_s: 8, say: …}, found 5"),
        (
            'limits: {calls: "3"}',
            "line.yaml:3:10: limits.calls: expected a whole number, found '3': write it without quotes",
        ),
        ("limits: {calls: 2.5}", "line.yaml:3:10: limits.calls: expected a whole number, found 2.5"),
        (
            "greeting: 5",
            "line.yaml:3:1: greeting: expected a text, {say: …}, {prompt: …}, {play: …} or none, found 5",
        ),
        ("metadata: {a: true}", "line.yaml:3:12: metadata.a: expected a text, found true"),
        (
            "transcription: 5",
            "line.yaml:3:1: transcription: expected a word such as azure-speech, keys with values, such as {model: …}, "
            "or none, found 5",
        ),
        (
            "transcription: whisper",
            "line.yaml:3:1: transcription: 'whisper' is not known, did you mean whisper-1? expected azure-speech, "
            "azure-mrs, azure-fast-transcription, mai-transcribe, mai-transcribe-1, mai-transcribe-1.5, "
            "mai-transcribe-2, whisper-1, gpt-4o-transcribe, gpt-4o-mini-transcribe or gpt-4o-transcribe-diarize",
        ),
        (
            "turn_detection: azure_semantic_vat",
            "line.yaml:3:1: turn_detection: type 'azure_semantic_vat' is not known, did you mean azure_semantic_vad? "
            "expected server_vad, azure_semantic_vad, azure_semantic_vad_en, azure_semantic_vad_multilingual, "
            "semantic_vad or none",
        ),
        (
            "limits: {duration_s: 5}",
            "line.yaml:3:10: limits.duration_s: 5 is too small, expected at least 10",
        ),
        (
            "turn_detection: {type: server_vad, threshold: 1.5}",
            "line.yaml:3:36: turn_detection.threshold: 1.5 is too large, expected at most 1",
        ),
        (
            "max_response_output_tokens: 5000",
            "line.yaml:3:1: max_response_output_tokens: 5000 is too large, expected at most 4096",
        ),
        (
            "max_response_output_tokens: infinite",
            "line.yaml:3:1: max_response_output_tokens: 'infinite' is not known, expected inf",
        ),
        (
            "turn_detection: {type: server_vat}",
            f"line.yaml:3:1: turn_detection: type 'server_vat' is not known, did you mean server_vad? "
            f"expected {VADS[: -len(' or semantic_vad')]}, semantic_vad or none",
        ),
        ("turn_detection: {threshold: 0.5}", f"line.yaml:3:1: turn_detection: type is missing, expected {VADS}"),
        (
            "noise_reduction: near_feld",
            "line.yaml:3:1: noise_reduction: 'near_feld' is not known, did you mean near_field? "
            "expected azure_deep_noise_suppression, near_field, far_field or none",
        ),
        (
            "turn_detection: none\ntranscription: none\ncommit_on: 5",
            'line.yaml:5:1: commit_on: 5 is a number, expected it in quotes, "5"',
        ),
        (
            "voice: qqqqq",
            "line.yaml:3:1: voice: 'qqqqq' is not a voice, expected an Azure voice such as "
            f"en-US-AvaMultilingualNeural, or one of {VOICES}",
        ),
        (
            "tools: [{name: order_status, description: Looks.}]",
            "line.yaml:3:9: tools[0].http: is missing, expected http, python or mcp",
        ),
        (
            "tools: [order_status]",
            "line.yaml:3:9: tools[0]: 'order_status' is not known, expected end_call, transfer_call or send_digits; "
            "a tool of your own is written with keys, such as {name: …, http: …}",
        ),
        (
            "tools: [5]",
            "line.yaml:3:9: tools[0]: expected end_call, transfer_call or send_digits, found 5; "
            "a tool of your own is written with keys, such as {name: …, http: …}",
        ),
        (
            'tools: [{python: "a.b:c", http: {url: "https://a.b"}}]',
            "line.yaml:3:27: tools[0].http: stands beside python, expected one of http, python or mcp",
        ),
        (
            'tools: [{python: "a.b:c", nme: x}]',
            "line.yaml:3:27: tools[0].nme: unknown key, did you mean name?",
        ),
        (
            "transfers: {desk: 5}",
            "line.yaml:3:13: transfers.desk: expected a phone number in quotes, a sip: address or keys with values, "
            'such as {to: "+14255550199"}, found 5',
        ),
        (
            "transfers: {desk: +14255550199}",
            'line.yaml:3:13: transfers.desk: expected a text, found a number: write it in quotes, "+14255550199"',
        ),
        (
            "transfers: {desk: {to: +14255550199}}",
            'line.yaml:3:20: transfers.desk.to: expected a text, found a number: write it in quotes, "+14255550199"',
        ),
        (
            "after: {transfer: +14255550199}",
            'line.yaml:3:9: after.transfer: expected a text, found a number: write it in quotes, "+14255550199"',
        ),
        (
            'transfers: {desk: {to: "+14255550199", announc: x}}',
            "line.yaml:3:40: transfers.desk.announc: unknown key, did you mean announce?",
        ),
        (
            'on_key: {"0": {tranfer: desk}}',
            "line.yaml:3:16: on_key.0.tranfer: unknown key, did you mean transfer?",
        ),
        (
            'on_key: {"A": {hang_up: true}}',
            "line.yaml:3:10: on_key.A: 'A' is not known, expected 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, * or #",
        ),
        (
            "digits: {finish_on: 5}",
            'line.yaml:3:10: digits.finish_on: 5 is a number, expected it in quotes, "5"',
        ),
        (
            "voice: Aria",
            "line.yaml:3:1: voice: 'Aria' is not a voice, did you mean en-US-AriaNeural? expected an Azure voice such "
            f"as en-US-AvaMultilingualNeural, or one of {VOICES}",
        ),
        ('temperature: "0.8"', "line.yaml:3:1: temperature: expected a number, found '0.8': write it without quotes"),
        (
            'barge_in: "true"',
            "line.yaml:3:1: barge_in: expected true, false or keys with values, such as "
            "{min_speech_ms: 300}, found 'true': write it without quotes",
        ),
        (
            "voice: \u201calloy\u201d",
            "line.yaml:3:1: voice: '\u201calloy\u201d' is not a voice, did you mean alloy? expected an Azure voice "
            f"such as en-US-AvaMultilingualNeural, or one of {VOICES}; {TYPOGRAPHIC}",
        ),
        (
            "timezone: \u2018Europe/Berlin\u2019",
            "line.yaml:3:1: timezone: '\u2018Europe/Berlin\u2019' is not a time zone, did you mean Europe/Berlin?; "
            f"{TYPOGRAPHIC}",
        ),
        (
            "after: desk",
            "line.yaml:3:1: after: expected keys with values, such as {say: …} or {transfer: …}, found 'desk'",
        ),
        (
            "on_key: {'0': desk}",
            "line.yaml:3:10: on_key.0: expected keys with values, such as {transfer: …}, found 'desk'",
        ),
        (
            "transfers: {desk: '+14255550199'}\non_key: {'0': {transfer: '+14255550199'}}",
            "line.yaml:4:16: on_key.0.transfer: '+14255550199' is not a name, expected one of transfers",
        ),
        (
            "tools: [{name: t, description: d, http: https://shop.example.com}]",
            "line.yaml:3:35: tools[0].http: expected keys with values, such as {url: https://…}, "
            "found 'https://shop.example.com'",
        ),
        (
            "tools: [{name: t, description: d, url: https://shop.example.com}]",
            "line.yaml:3:35: tools[0].url: belongs to http, expected http: {url: …}",
        ),
        ("after_s: 8", "line.yaml:3:1: after_s: belongs to silence, expected silence: {after_s: …}"),
        (
            "tools: -end_call",
            "line.yaml:3:1: tools: expected a list in [brackets], found '-end_call': a space is missing after the "
            '"-"',
        ),
        (
            "voice: Marin",
            "line.yaml:3:1: voice: 'Marin' is not a voice, did you mean marin? expected an Azure voice such as "
            f"en-US-AvaMultilingualNeural, or one of {VOICES}",
        ),
        (
            "voice: {type: azure-custom, name: mine}",
            "line.yaml:3:1: voice.endpoint_id: is missing",
        ),
        (
            "echo_cancellation: {type: server_echo_cancellation, reference_source: client}",
            "line.yaml:3:53: echo_cancellation.reference_source: 'client' is not known, expected server; "
            "a phone's stream brings no reference of its own",
        ),
        (
            "language: german",
            "line.yaml:3:1: language: 'german' is not a language code, expected such as de-DE or de-DE,en-US",
        ),
        (
            "language: en,de,fr,es,it,pt,nl,sv,da,no,fi",
            "line.yaml:3:1: language: has 11 languages, expected at most 10",
        ),
        (
            "timezone: Berlin",
            "line.yaml:3:1: timezone: 'Berlin' is not a time zone, did you mean Europe/Berlin?",
        ),
        (
            "variables: {caller: x}",
            "line.yaml:3:13: variables.caller: is filled in for each call, expected another name",
        ),
        (
            "variables: {my firm: x}",
            "line.yaml:3:13: variables.my firm: 'my firm' is not fit for a placeholder, expected letters, digits and _",
        ),
        ('greeting: " "', "line.yaml:3:1: greeting: is empty, expected a text"),
        ("silence: {after_s: 5}", "line.yaml:3:1: silence.say: is missing"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(line_errors: LineErrors, text: str, expected: str) -> None:
    """Each mistake gives exactly one message: file, line, column, key, what is wrong, what was expected."""
    assert line_errors(text) == [expected]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ('"555-0100"', "'555-0100' is not a phone number in international format, expected such as +14255550100"),
        (
            '"+1 (425) 555-0100"',
            "'+1 (425) 555-0100' is not a phone number in international format, write +14255550100",
        ),
        (
            '"reception"',
            "'reception' is not a phone number in international format, expected such as +14255550100",
        ),
    ],
)
def test_a_number_must_be_international(line_errors: LineErrors, number: str, expected: str) -> None:
    """A number that only needs other spelling is given in that spelling."""
    errors = line_errors("", base=f"numbers: [{number}]\ninstructions: Answer.\n")
    assert errors == [f"line.yaml:1:11: numbers[0]: {expected}"]


def test_what_is_required_is_told_where_it_is_missing(line_errors: LineErrors) -> None:
    """A line needs numbers and instructions."""
    assert line_errors("greeting: Hello\n", base="") == [
        "line.yaml:1:1: instructions: is missing, expected the bot's instructions, or instructions_file, or agent",
        "line.yaml:1:1: numbers: is missing",
    ]


def test_all_mistakes_of_a_line_are_logged_at_once(line_errors: LineErrors) -> None:
    """One reading finds what is wrong in every key, in the order of the file."""
    errors = line_errors("barge_in: maybe\ngretting: x\nlimits: {calls: 0}\nlanguage: german\nvoice: ${VOICE}\n")
    assert [error.split(":")[1] for error in errors] == ["3", "4", "5", "6", "7"]


def test_a_value_from_the_environment_is_never_shown(line_errors: LineErrors) -> None:
    """It may be a secret; the variable's name is enough to find it."""
    (error,) = line_errors("limits: {calls: '${CALLS}'}\n", CALLS="hunter2")
    assert error == "line.yaml:3:10: limits.calls: expected a whole number, found the value of CALLS"


def test_a_number_may_come_from_the_environment(read_line: Callable[..., object]) -> None:
    """Digits from the environment are a number where one is wanted."""
    read = read_line("limits: {calls: '${CALLS}'}\n", CALLS="7")
    assert read.line.settings.limits.calls == 7  # type: ignore[attr-defined]  # ReadLine is not importable from conftest


def test_any_kind_of_value_may_come_from_the_environment(read_line: Callable[..., object]) -> None:
    """Numbers with a fraction, true and false, and a number where a word could stand too."""
    text = "barge_in: ${B}\nsilence: {after_s: ${S}, say: x}\nmax_response_output_tokens: ${T}\n"
    read = read_line(text, B="False", S="7.5", T="200")
    settings = read.line.settings  # type: ignore[attr-defined]  # ReadLine is not importable from conftest
    assert (settings.barge_in, settings.silence.after_s, settings.max_response_output_tokens) == (False, 7.5, 200)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        (
            "barge_in: ${X}",
            "no",
            "barge_in: expected true, false or keys with values, such as {min_speech_ms: 300}, found the value of X",
        ),
        ("silence: {after_s: ${X}, say: x}", "nan", "silence.after_s: expected a number, found the value of X"),
    ],
)
def test_a_value_from_the_environment_must_be_what_is_expected(
    line_errors: LineErrors, text: str, value: str, expected: str
) -> None:
    """Only what the file itself could say is taken."""
    (error,) = line_errors(text, X=value)
    assert error.endswith(expected)
