from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.audio.wav import write_wav
from gateway.config.line.line import Settings
from gateway.config.line_file import LineFile
from gateway.config.telling.describe import describe

ReadLine = Callable[..., LineFile]


def test_a_line_is_told_in_rows(read_line: ReadLine) -> None:
    """Numbers, model, voice, turns, greeting and limits, each in words."""
    line = read_line("greeting: Hello there.\nsilence: {after_s: 8, say: Hello?}\n").line
    assert line
    assert describe(line).splitlines() == [
        "line: +14255550100",
        "  model      gpt-realtime (hears and speaks itself)",
        "  voice      en-US-AvaMultilingualNeural (azure-standard)",
        "  audio      as the phone provider sends it, not converted",
        "  language   detected",
        "  greeting   'Hello there.' (word for word)",
        "  turns      azure_semantic_vad, end after 500 ms of silence, listens for any of en, es, fr, it, de, ja, pt, "
        "zh, ko, hi",
        "  barge-in   the caller may interrupt",
        "  silence    after 8 s says 'Hello?', up to 2 times",
        "  written    the caller's words, by azure-speech",
        "  filters    none",
        "  tools      none",
        "  after      the call ends",
        "  on_failure the call ends",
        "  trouble    a soft tone, up to 6 tries at another session in 20 s",
        "  shutdown   as on_failure",
        "  when full  as gateway.yaml says",
        "  limits     1800 s a call, as many at once as the gateway takes",
    ]


EACH_KEY = [
    "region: US",
    "variables: {company: Contoso}",
    "parameters: [queue]",
    "timezone: Europe/Berlin",
    'hours: {open: {mon: "09:00-17:00"}, closed: {say: Closed.}}',
    "greeting: Hello.",
    "voice: {type: azure-standard, name: en-US-AvaMultilingualNeural, rate: +10%}",
    "strict: true",
    "tolerant: true",
    "model: gpt-4.1",
    "language: de-DE",
    "model: gpt-4.1\nturn_detection: server_vad",
    "digits: {}",
    'on_key: {"0": {say: Hello.}}',
    'transfers: {desk: "+14255550199"}',
    "noise_reduction: near_field",
    "echo_cancellation: server_echo_cancellation",
    "transcription: none",
    "barge_in: false",
    "silence: {after_s: 5, say: Hello?}",
    "after: {say: Goodbye.}",
    "after: {say: Goodbye., ends: [silence]}",
    "on_failure: {say: Sorry.}",
    "on_trouble: {say: One moment.}",
    "when_full: {say: Busy.}",
    "records: {keep_days: 30}",
    "deliver: []",
    "recording: true",
    "on_shutdown: {say: Sorry.}",
    "limits: {calls: 3}",
    "tools: [end_call]\nlimits: {tool_calls: 7}",
    "tools: [end_call]",
    "tools: [end_call]\ntool_choice: required",
    "history: [{system: A remark.}]",
    "modalities: [text]",
    "model: gpt-4.1\ntools: [end_call]\nparallel_tool_calls: true",
    "model: gpt-4.1\ntemperature: 0.7",
    "max_response_output_tokens: 300",
    "model: gpt-5\nreasoning_effort: low",
    "model: gpt-4.1\ninterim_response: {type: static_interim_response, texts: [Hm.]}",
    "metadata: {department: sales}",
]
"""Each key of a line once, as the last of its text; what it needs stands before."""


@pytest.mark.parametrize("text", EACH_KEY)
def test_every_key_of_a_line_is_told(read_line: ReadLine, text: str) -> None:
    """Whoever sets something sees it in the rows."""
    before, _, _ = text.rpartition("\n")
    base, line = read_line(before).line, read_line(text).line
    assert base
    assert line
    assert describe(line) != describe(base)


def test_no_key_is_forgotten() -> None:
    """Every key is among those above, or stands in the heading, or is the bot's own business."""
    told = {text.rpartition("\n")[2].partition(":")[0] for text in EACH_KEY}
    assert told | {"agent", "commit_on", "instructions", "instructions_file", "numbers"} == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("history: [{system: A remark.}, {user: Hi.}]", "  history    before the greeting: system, user"),
        ("after: {say: Goodbye.}", "  after      says 'Goodbye.', then the call ends"),
        ('after: {transfer: "+14255550199"}', "  after      transfers to +14255550199"),
        (
            'transfers: {desk: "+14255550199"}\nafter: {say: One moment., transfer: desk}',
            "  after      says 'One moment.', then transfers to desk, +14255550199",
        ),
        ("after: {say: Bye., ends: [silence]}", "  after      says 'Bye.', then the call ends (of silence)"),
        (
            'transfers: {desk: "+14255550199"}\non_failure: {transfer: desk}',
            "  on_failure transfers to desk, +14255550199",
        ),
        ("on_trouble: {say: Wait., limit_s: 9}", "  trouble    says 'Wait.', up to 6 tries at another session in 9 s"),
        ("on_trouble: {tries: 0}", "  trouble    a call ends with its session"),
        (
            'on_shutdown: {say: Sorry., transfer: "+14255550199"}',
            "  shutdown   says 'Sorry.', then transfers to +14255550199",
        ),
        ("when_full: busy", "  when full  busy"),
        ("records: {keep_days: forever}", "  records    kept forever"),
        ("records: {keep_days: 7}", "  records    kept for 7 days"),
        (
            'transfers: {desk: "+14255550199"}\nwhen_full: {say: Hold., wait_s: 60, transfer: desk}',
            "  when full  says 'Hold.', then lets the caller wait for 60 s, then transfers to +14255550199",
        ),
        (
            "limits: {calls_per_hour: 9, caller_calls: 1, caller_calls_per_hour: 3}",
            "  limits     1800 s a call, as many at once as the gateway takes, 9 calls an hour, "
            "1 calls at once of one caller, 3 calls an hour of one caller",
        ),
        ("language: de-DE", "  turns      azure_semantic_vad, end after 500 ms of silence, listens for de"),
        (
            "turn_detection: azure_semantic_vad_en",
            "  turns      azure_semantic_vad_en, end after 500 ms of silence, listens for en",
        ),
        (
            "voice: {type: azure-standard, name: en-US-AvaNeural, custom_lexicon_url: 'https://a.b/x?sig=secret'}",
            "  voice      en-US-AvaNeural (azure-standard), custom_lexicon_url a.b",
        ),
        (
            "voice: {type: azure-standard, name: en-US-AvaNeural, custom_lexicon_url: 'HTTPS://a.b/x?sig=secret'}",
            "  voice      en-US-AvaNeural (azure-standard), custom_lexicon_url a.b",
        ),
        (
            "voice: {type: azure-standard, name: en-US-AvaNeural, prefer_locales: [en-GB, en-AU], rate: 1.10}",
            "  voice      en-US-AvaNeural (azure-standard), rate 1.10, prefer_locales en-GB, en-AU",
        ),
        (
            "turn_detection: {type: azure_semantic_vad, remove_filler_words: true, threshold: 0.7}",
            "  turns      azure_semantic_vad, end after 500 ms of silence, threshold 0.7, remove_filler_words yes, "
            "listens for any of en, es, fr, it, de, ja, pt, zh, ko, hi",
        ),
        (
            "model: gpt-4.1\nturn_detection: {type: server_vad, end_of_utterance_detection: semantic_detection_v1}",
            "  turns      server_vad, end after 500 ms of silence, end_of_utterance_detection "
            "model semantic_detection_v1",
        ),
        (
            "language: 'de-DE,fr-FR'",
            "  turns      azure_semantic_vad, end after 500 ms of silence, listens for de, fr",
        ),
        ("language: 'de-DE,fr-FR'", "  language   de-DE,fr-FR"),
        (
            "transcription: {phrase_list: [Roses, Tulips], language: de-DE}\nmodel: gpt-4.1",
            "  written    the caller's words, by azure-speech, language de-DE, phrase_list Roses, Tulips",
        ),
        (
            "agent: {name: helper, project: shop}",
            "  agent      helper of the Foundry project shop",
        ),
        (
            "model: gpt-5\ntemperature: 1\nreasoning_effort: low\nmax_response_output_tokens: 300",
            "  answers    temperature 1, reasoning effort low, at most 300 tokens",
        ),
        ("model: gpt-4.1", "  model      gpt-4.1 (Azure speech to text and back)"),
        ("parameters: [queue, vip]", "  parameters queue, vip, as the stream brings them"),
        ("region: de", "  region     DE, for numbers without a country code"),
        ("timezone: Europe/Berlin", "  time zone  Europe/Berlin"),
        ("silence: {after_s: 8.5, say: Hello?, times: 1}", "  silence    after 8.5 s says 'Hello?', once"),
        (
            "noise_reduction: far_field\necho_cancellation: server_echo_cancellation",
            "  filters    far_field, echo cancellation",
        ),
        (
            "tools: [end_call]\nlimits: {calls: 3, tool_calls: 7, duration_s: 60, no_audio_s: 30}",
            "  limits     60 s a call, 30 s without audio, 3 calls at once, 7 tools a call",
        ),
        (
            "tools: [{name: a, description: b, http: {url: 'https://a.b'}, parameters: {pin: {secret: digits}}}]\n"
            "limits: {secret_attempts: 3}",
            "  limits     1800 s a call, as many at once as the gateway takes, 100 tools a call, "
            "secrets keyed in 3 times",
        ),
        ("metadata: {department: sales, shop: roses}", "  labels     department, shop"),
        (
            "after: {ends: [time_limit, silence]}",
            "  after      the call ends (of time_limit, silence)",
        ),
        ("variables: {token: abc}", "  variables  token"),
        ("voice: marin\ngreeting: Hi", "  greeting   'Hi' (the model is asked to say exactly this)"),
        (
            "greeting: {say: Listen., interruptible: false}",
            "  greeting   'Listen.' (word for word), heard to its end",
        ),
        ("greeting: {play: a.wav}", "  greeting   plays a.wav (1.0 s)"),
        ("greeting: {play: a.wav, text: Hello.}", "  greeting   plays a.wav (1.0 s, 'Hello.')"),
        ("greeting: {prompt: be kind}", "  greeting   in the model's words: 'be kind'"),
        ("transcription: none", "  written    nothing of what the caller says"),
        (
            'turn_detection: none\ncommit_on: "#"\ntranscription: none',
            "  turns      end when the caller presses #",
        ),
        (
            "turn_detection: {type: semantic_vad}\ntranscription: none",
            "  turns      semantic_vad, eagerness auto",
        ),
        (
            "model: [gpt-realtime, gpt-4.1-mini]",
            "  model      gpt-realtime (hears and speaks itself), else gpt-4.1-mini (Azure speech to text and back)",
        ),
        (
            "voice: marin",
            "  audio      as the phone provider sends it; on linear streams of 8 and 16 kHz the voice is converted",
        ),
        ("barge_in: false", "  barge-in   the bot finishes first"),
        ("barge_in: {}", "  barge-in   the caller may interrupt"),
        (
            "barge_in: {protect_ms: 500, min_speech_ms: 300, greeting: false}",
            "  barge-in   the caller may interrupt, by 300 ms of speech, but not the first 500 ms of a reply, "
            "not the greeting",
        ),
        ("echo_cancellation: server_echo_cancellation", "  filters    echo cancellation"),
        (
            "model: gpt-4.1\ninterim_response: {type: static_interim_response, texts: [Hm., So.], "
            "triggers: [latency, tool]}",
            "  meanwhile  says one of 2 texts when an answer takes 2000 ms or a tool runs",
        ),
        (
            "model: gpt-4.1\ninterim_response: {type: llm_interim_response, model: gpt-4.1-mini, triggers: [tool]}",
            "  meanwhile  says words of gpt-4.1-mini when a tool runs",
        ),
    ],
)
def test_a_setting_is_told_in_words(read_line: ReadLine, tmp_path: Path, text: str, row: str) -> None:
    """What differs from the usual is in the rows."""
    write_wav(tmp_path / "a.wav", np.zeros(8000, np.int16), 8000)
    line = read_line(text, base='numbers: ["*"]\n').line if "agent:" in text else read_line(text).line
    assert line
    assert row in describe(line).splitlines()
    assert describe(line).startswith("line: any other number" if "agent:" in text else "line: +14255550100")
