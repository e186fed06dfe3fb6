"""The settings with which a call begins, from its line and its stream."""

import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.audio.formats import PCMA, PCMU
from gateway.call.settings import (
    Approval,
    CallSettings,
    Digits,
    KeyAction,
    Parting,
    Recorded,
    Silence,
    Target,
    Waiting,
)
from gateway.call_setup import SessionRules, call_settings_for, prepare
from gateway.config import Lines, load_deployment
from gateway.config.line_file import LineFile
from gateway.voice.commands import CreateResponse, SayText
from gateway.voice.endpoints.pooled import Single
from gateway.voice.leg import NoVoice, VoiceLeg
from gateway.voice.service import VoiceLive
from gateway.voice.texts import CallFacts
from tests.e2e.rig import configuration

FACTS = CallFacts("CA1", "+14155550123", "+14255550100", datetime(2026, 5, 4, 9, 30, tzinfo=UTC))
"""The facts of a call on a Monday."""
SERVICE = Single(VoiceLive("http://127.0.0.1:1", "any"))


def lines_of(folder: Path, text: str) -> Lines:
    """One line with this text behind its numbers and instructions."""
    base = 'numbers: ["+14255550100"]\ninstructions: Answer.\n'
    return Lines(load_deployment(configuration(folder, {"support": base + text}), {}))


def test_a_greeting_is_said_or_asked_for(tmp_path: Path) -> None:
    """Word for word where Azure speaks, by the model where the voice is its own, none where there is none."""
    for number, (text, greeting) in enumerate(
        [
            ("greeting: Hello {caller}.\nmodel: gpt-4.1\n", SayText("Hello +14155550123.")),
            ("model: gpt-4.1\n", None),
        ]
    ):
        (line,) = lines_of(tmp_path / str(number), text)
        assert call_settings_for(line, FACTS, PCMU).greeting == greeting
    (line,) = lines_of(tmp_path / "prompted", "greeting: {prompt: Be short.}\n")
    asked = call_settings_for(line, FACTS, PCMU).greeting
    assert isinstance(asked, CreateResponse)
    assert asked.instructions.endswith("Greet the caller: Be short.")


def test_what_the_conversation_knows_of_a_line(tmp_path: Path) -> None:
    """Barge-in, the key of manual turns, silence and the time limit come from the line's file."""
    text = "model: gpt-4.1\nbarge_in: false\nsilence: {after_s: 7, say: Hello?, times: 3}\nlimits: {duration_s: 90}\n"
    (line,) = lines_of(tmp_path, text)
    settings = call_settings_for(line, FACTS, PCMU)
    assert (settings.barge_in, settings.duration_limit_s) == (False, 90)
    assert settings.silence == Silence(7, SayText("Hello?"), 3)
    assert (settings.tool_calls_limit, settings.secret_attempts_limit) == (100, 5)
    (line,) = lines_of(
        tmp_path / "bounded", "model: gpt-4.1\nlimits: {tool_calls: 7, secret_attempts: 2, no_audio_s: 60}\n"
    )
    settings = call_settings_for(line, FACTS, PCMU)
    assert (settings.tool_calls_limit, settings.secret_attempts_limit, settings.no_audio_limit_s) == (7, 2, 60)
    (line,) = lines_of(tmp_path / "manual", "model: gpt-4.1\nturn_detection: none\ncommit_on: '#'\n")
    assert call_settings_for(line, FACTS, PCMU).commit_on == "#"
    (line,) = lines_of(tmp_path / "plain", "")
    settings = call_settings_for(line, FACTS, PCMU)
    assert (settings.barge_in, settings.commit_on, settings.silence, settings.greeting) == (True, "", None, None)


def call_settings_of(folder: Path, text: str) -> CallSettings:
    """The settings of a call on a line with this text."""
    (line,) = lines_of(folder, f"model: gpt-4.1\n{text}")
    return call_settings_for(line, FACTS, PCMU)


def recording(file: Path, seconds: int = 1) -> None:
    """Write a WAV file of a constant tone's length; what is in it does not matter here."""
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(16_000)
        wav.writeframes(b"\x00\x10" * 16_000 * seconds)


HOURS = 'hours: {{open: {{mon-fri: "{span}"}}, closed: {closed}}}\ntransfers: {{desk: "+14255550199"}}\n'


def test_tools_become_rules(tmp_path: Path) -> None:
    """The conversation gets the rules of each function, and the names of the built-in tools."""
    settings = call_settings_of(
        tmp_path,
        "tools:\n"
        "- end_call\n"
        "- name: pay\n"
        "  description: Takes a payment.\n"
        '  parameters: {amount: number, card: {secret: digits, prompt: "Your card, {caller}?"}}\n'
        "  http: {url: https://shop.example.com/pay}\n"
        "  while_waiting: {say: One moment., after_s: 2}\n",
    )
    assert settings.built_in == {"end_call"}
    pay = settings.functions["pay"]
    assert pay.waiting == Waiting(SayText("One moment."), 2)
    (secret,) = pay.secrets
    assert (secret.digits.parameter, secret.prompt) == ("card", SayText("Your card, +14155550123?"))


def test_keys_and_transfers_become_rules(tmp_path: Path) -> None:
    """Targets by name, with the announcement of the line or one in the model's words; keys that act, and digits."""
    settings = call_settings_of(
        tmp_path,
        'transfers: {desk: "+14255550199", sales: {to: "sip:sales@example.com", announce: Just a second.}}\n'
        'on_key: {"0": {transfer: sales}, "9": {say: Nine to five.}, "*": {hang_up: true}}\n'
        'digits: {finish_on: "#", pause_s: 3}\n',
    )
    sales = Target("sales", "sip:sales@example.com", SayText("Just a second."))
    assert settings.targets["sales"] == sales
    announce = settings.targets["desk"].announce
    assert isinstance(announce, CreateResponse)
    assert "desk" in announce.instructions
    assert settings.on_key == {"0": KeyAction(sales), "9": KeyAction(say=SayText("Nine to five.")), "*": KeyAction()}
    assert settings.digits == Digits("#", 3)


def test_approvals_become_rules(tmp_path: Path) -> None:
    """By the label of the MCP server."""
    settings = call_settings_of(
        tmp_path,
        "tools:\n"
        "- mcp: {server_label: crm, server_url: https://mcp.example.com/}\n"
        '  approval: {ask: May I?, key: "1", words: [yes], timeout_s: 10}\n',
    )
    assert settings.approvals == {"crm": Approval(SayText("May I?"), "1", ("yes",), 10)}


def test_the_words_for_a_slow_server_become_rules(tmp_path: Path) -> None:
    """By the label of the server, with the call's facts filled in; a text alone has the usual delay."""
    mcp = "mcp: {{server_label: {}, server_url: https://mcp.example.com/, require_approval: never}}"
    settings = call_settings_of(
        tmp_path,
        f"tools:\n- {mcp.format('crm')}\n  while_waiting: {{say: 'One moment, {{caller}}.', after_s: 3}}\n"
        f"- {mcp.format('wiki')}\n  while_waiting: Just a second.\n- {mcp.format('news')}\n",
    )
    assert settings.mcp_waiting == {
        "crm": Waiting(SayText("One moment, +14155550123."), 3),
        "wiki": Waiting(SayText("Just a second."), 1.5),
    }


def test_a_recorded_greeting_is_in_the_phones_format(tmp_path: Path) -> None:
    """A WAV file of any rate becomes as many bytes of G.711 as it lasts."""
    (tmp_path / "lines").mkdir()
    recording(tmp_path / "lines" / "hello.wav")
    settings = call_settings_of(tmp_path, "greeting: {play: hello.wav, text: Welcome., interruptible: false}\n")
    assert isinstance(settings.greeting, Recorded)
    assert (len(settings.greeting.audio), settings.greeting.text, settings.interruptible) == (8000, "Welcome.", False)


def test_an_open_line_is_as_written(tmp_path: Path) -> None:
    """Within its hours a line greets as ever."""
    settings = call_settings_of(
        tmp_path, "greeting: Hello.\n" + HOURS.format(span="09:00-17:00", closed="{say: Closed.}")
    )
    assert (settings.closed, settings.greeting) == (False, SayText("Hello."))


@pytest.mark.parametrize(
    ("closed", "greeting", "needs_session"),
    [
        ("{say: We are closed.}", SayText("We are closed."), True),
        ("{say: We are closed., transfer: desk}", SayText("We are closed."), True),
        ("{transfer: desk}", None, False),
        ("{play: closed.wav, transfer: desk}", "recorded", False),
    ],
)
def test_a_closed_line(tmp_path: Path, closed: str, greeting: object, *, needs_session: bool) -> None:
    """Outside its hours it says its words and leaves; a session is opened only where the service has to speak them."""
    (tmp_path / "lines").mkdir()
    recording(tmp_path / "lines" / "closed.wav")
    (line,) = lines_of(tmp_path, "model: gpt-4.1\n" + HOURS.format(span="10:00-17:00", closed=closed))
    settings, voice = prepare(line, PCMA, FACTS, SERVICE)
    assert settings.closed
    assert not settings.interruptible
    assert isinstance(settings.greeting, Recorded) if greeting == "recorded" else settings.greeting == greeting
    assert (settings.closed_to is not None) == ("transfer" in closed)
    assert isinstance(voice, VoiceLeg if needs_session else NoVoice)


def test_a_parameter_that_the_stream_lacks_is_logged(tmp_path: Path) -> None:
    """It is filled with nothing, and the log names it; its value never stands there."""
    (line,) = lines_of(tmp_path, "model: gpt-4.1\nparameters: [name, order]\ngreeting: Hello {name}, {order}.\n")
    facts = CallFacts("CA1", "", "", FACTS.started, {"name": "Ana"})
    with capture_logs() as logs:
        settings, _ = prepare(line, PCMU, facts, SERVICE)
    assert settings.greeting == SayText("Hello Ana, .")
    assert [(entry["event"], entry["names"]) for entry in logs] == [("stream_parameters_missing", ["order"])]


def test_a_greeting_that_is_empty_is_none(tmp_path: Path) -> None:
    """A greeting of one missing parameter is not asked of the service, which would refuse it."""
    settings = call_settings_of(tmp_path, 'parameters: [words]\ngreeting: "{words}"\n')
    assert settings.greeting is None


PARTINGS = [
    ("", None),
    ("on_failure: {say: Sorry.}", Parting(SayText("Sorry."))),
    (
        'on_failure: {say: Sorry., transfer: "+14255550199"}\non_shutdown: {say: "We restart, {caller}."}',
        Parting(SayText("We restart, +14155550123."), Target("on_failure", "+14255550199", CreateResponse())),
    ),
    (
        'transfers: {desk: "+14255550198"}\non_shutdown: {transfer: desk}',
        Parting(None, Target("on_shutdown", "+14255550198", CreateResponse())),
    ),
]


@pytest.mark.parametrize(("keys", "parting"), PARTINGS)
def test_a_key_that_on_shutdown_lacks_is_that_of_on_failure(tmp_path: Path, keys: str, parting: Parting | None) -> None:
    """Each of its keys, and both where it is not there; a line without either ends its calls at once."""
    (line,) = lines_of(tmp_path, f"model: gpt-4.1\n{keys}\n")
    assert call_settings_for(line, FACTS, PCMU).parting == parting


def test_a_lost_session_is_sought_as_the_line_and_the_deployment_say(tmp_path: Path) -> None:
    """Each call waits otherwise, and the same call always alike; a closed line ends with its session."""
    (tmp_path / "a.yaml").write_text('numbers: ["*"]\ninstructions: x\non_trouble: {tries: 3, limit_s: 9}\n')
    line = LineFile(tmp_path / "a.yaml", "gpt-4.1", {}).line
    assert line is not None
    rules = SessionRules(4.0, 120.0, lambda: b"phrase")
    facts = CallFacts("CA1", "", "", datetime.now(UTC))
    first, _ = prepare(line, PCMU, facts, Single(VoiceLive("http://127.0.0.1:1", "k")), sessions=rules)
    again, _ = prepare(line, PCMU, facts, Single(VoiceLive("http://127.0.0.1:1", "k")), sessions=rules)
    trouble = first.trouble
    assert (trouble.tries, trouble.limit_s, trouble.connect_limit_s, trouble.phrase()) == (3, 9, 4.0, b"phrase")
    assert first.session_limit_s == 120.0
    assert trouble.seed == again.trouble.seed
