"""What a simulated call is worth as a check: its exit code and what it complains of."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
import structlog
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from gateway.app import serving
from gateway.cli import main
from gateway.cli.call import _call, _demo, _running_gateway
from gateway.cli.calling.own_gateway import CalledGateway, number_to_call
from gateway.cli.starting.commands import command_line
from gateway.config import Lines, load_deployment
from gateway.sim.caller.call import CallPlan
from gateway.sim.emulator import Emulator
from tests.e2e.rig import NUMBER, configuration, instant, load
from tests.virtual_time import in_virtual_time, virtual_time

PROMPTS = Path(__file__).parents[2] / "gateway" / "sim" / "prompts" / "caller"
GOODBYE = PROMPTS / "goodbye.wav"


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """The commands configure logging for their process."""
    yield
    structlog.reset_defaults()


def deployment(tmp_path: Path, *numbers: str) -> Path:
    """A gateway.yaml, and a line with these numbers for each of them."""
    (tmp_path / "lines").mkdir()
    for index, number in enumerate(numbers):
        (tmp_path / "lines" / f"line{index}.yaml").write_text(f'numbers: ["{number}"]\ninstructions: Answer.\n')
    file = tmp_path / "gateway.yaml"
    file.write_text("providers: {twilio: {}}\n")
    return file


async def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, list[str]]:
    """Run ``gateway call``; its exit code and what it wrote to standard error."""
    options = command_line().parse_args(["call", str(GOODBYE), *map(str, words)])
    code = await _call(options)  # the parser's own ``run`` would start a second loop
    return code, capsys.readouterr().err.splitlines()


async def gateway_that_closes_with(code: int, first: str = "") -> TestServer:
    """A gateway elsewhere that ends every stream at its start."""

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT and json.loads(message.data)["event"] == "start":
                if first:
                    await socket.send_str(first)
                await socket.close(code=code)
        return socket

    app = web.Application()
    app.router.add_get("/stream/twilio", stream)
    server = TestServer(app)
    await server.start_server()
    return server


@pytest.mark.parametrize(
    ("code", "complaints"),
    [
        (1000, []),
        (1008, ["the gateway closed the stream with 1008: it knows no line for that number, or refuses the stream"]),
        (1011, ["the gateway closed the stream with 1011: it failed"]),
        (1013, ["the gateway closed the stream with 1013: it takes no more calls now"]),
        (4000, ["the gateway closed the stream with 4000: expected 1000"]),
    ],
)
async def test_a_call_that_was_turned_away_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, complaints: list[str]
) -> None:
    """Exit 1 and why, although the phone's side of it went well."""
    server = await gateway_that_closes_with(code)
    try:
        url = server.make_url("/stream/twilio").with_scheme("ws")
        found = await call(capsys, "--url", str(url), "--out", tmp_path / "out")
    finally:
        await server.close()
    silent = ["the gateway closed the stream at once, after 0.0 s", "the bot never spoke"]
    assert found == (1, [*complaints, *silent])


async def test_a_warning_of_the_provider_is_told_as_code_and_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the provider's own debugger shows it."""
    server = await gateway_that_closes_with(1000, first="[]")
    try:
        url = server.make_url("/stream/twilio").with_scheme("ws")
        code, (complaint, *_) = await call(capsys, "--url", str(url), "--out", tmp_path / "out")
    finally:
        await server.close()
    assert code == 1
    assert complaint.startswith("Twilio would warn: 31951 ")


@virtual_time
async def test_a_gateway_elsewhere_is_asked_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An HTTP address is its webhook's, signed with the secrets of the environment; its answer names the stream."""
    file = configuration(tmp_path, gateway="providers: {twilio: {}}\n")
    for secret, expected in (("12345", (0, [])), ("54321", None)):
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", secret)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            settings = {"TWILIO_AUTH_TOKEN": "12345", "GATEWAY_PUBLIC_URL": url}
            deployment, lines = load(file, settings)
            async with (
                Emulator(instant({"call": {"name": "end_call"}})) as service,
                serving(
                    deployment,
                    lines,
                    endpoint=service.endpoint,
                    api_key="any",
                    listener=listener,
                    clock=asyncio.get_running_loop().time,
                ),
            ):
                calling = call(capsys, "--url", url, "--to", NUMBER, "--out", tmp_path / f"out{secret}")
                if expected:
                    assert await calling == expected
                    assert len(service.sessions) == 1
                else:
                    code, (refused, why) = await calling
                    assert code == 1
                    assert "/answer/twilio refused the call: 403" in refused
                    assert why.startswith("TWILIO_AUTH_TOKEN here is not what the gateway has")
                    assert not service.sessions


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--press", "12x"], "--press: character 3 is no key of a phone"),
        (["--press", "1@soon"], "--press: 'soon' behind the @ is no time"),
        (["--press", "5", "--provider", "bandwidth"], "Bandwidth carries no keys"),
        ([], "expected a RECORDING or --press"),
    ],
)
def test_keys_that_cannot_be_pressed_are_one_clear_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    complaint: str,
) -> None:
    """Exit 2, before anybody is called."""
    monkeypatch.chdir(tmp_path)
    url = "ws://127.0.0.1:1/stream/twilio"
    assert main(["call", *words, "--url", url, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


async def test_a_caller_may_press_keys_and_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is on the screen and in the folder is that they were pressed."""
    keys: list[str] = []

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            event = json.loads(message.data)
            if event["event"] == "dtmf":
                keys.append(event["dtmf"]["digit"])
            if len(keys) == 5:
                await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/stream/twilio", stream)
    async with TestServer(app) as server:
        url = str(server.make_url("/stream/twilio").with_scheme("ws"))
        words = ["call", "--press", "*#*#A@0.1", "--url", url, "--out", str(tmp_path / "out")]
        assert await _call(command_line().parse_args(words)) == 1  # the bot never spoke
    assert "".join(keys) == "*#*#A"
    shown = capsys.readouterr().out
    assert shown.count("key     pressed") == 5
    written = "".join((tmp_path / "out" / name).read_text("utf-8") for name in ("call.json", "events.jsonl"))
    assert "*#" not in shown + written
    assert [key["digit"] for key in json.loads((tmp_path / "out" / "call.json").read_text("utf-8"))["keys"]] == [
        None
    ] * 5


@pytest.mark.parametrize(("keys", "is_recorded"), [("1@4", True), ("2@4", False)])
def test_a_line_that_records_is_tried_with_its_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str, is_recorded: bool
) -> None:
    """The caller presses the key that agrees, or another one; the recording is in the call's folder."""
    file = deployment(tmp_path, NUMBER)
    line = file.parent / "lines" / "line0.yaml"
    line.write_text(f"{line.read_text()}greeting: Hello.\nrecording: {{consent: {{ask: May we record this call?}}}}\n")
    out = tmp_path / "out"
    command = ("--config", file, "--press", keys, "--out", out)
    code, errors = in_virtual_time(lambda: call(capsys, *command))
    assert (code, errors) == (0, [])
    assert (out / "recording.wav").exists() == is_recorded
    events = [json.loads(row)["kind"] for row in (out / "events.jsonl").read_text().splitlines()]
    assert [kind for kind in events if kind.startswith("recording_")] == (
        ["recording_started", "recording_stopped"] if is_recorded else ["recording_declined"]
    )
    if is_recorded:
        assert 0.5 < soundfile.info(out / "recording.wav").duration < soundfile.info(out / "call.wav").duration
        in_virtual_time(lambda: call(capsys, "--config", file, "--press", "2@4", "--out", out, "--force"))
        assert not (out / "recording.wav").exists()


def test_a_codec_that_the_answer_overrides_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Our answer to Vonage asks for 24 kHz; the caller who was to speak at 8 kHz does so, and the user reads it."""
    file = deployment(tmp_path, NUMBER)
    spoken = ("--config", file, "--provider", "vonage", "--press", "1@1", "--hang-up-after", "4", "--force")
    _, errors = in_virtual_time(lambda: call(capsys, *spoken, "--codec", "l16-8k", "--out", tmp_path / "out"))
    assert [line for line in errors if line.startswith("--codec: the gateway's answer asked for")]
    assert json.loads((tmp_path / "out" / "call.json").read_text("utf-8"))
    _, errors = in_virtual_time(lambda: call(capsys, *spoken, "--out", tmp_path / "out"))
    assert not [line for line in errors if "--codec" in line]


@pytest.mark.parametrize(
    ("numbers", "called"),
    [
        (["*"], "+14255550100"),
        (["*", "+14255550177"], "+14255550177"),
        (["+14255550177", "+14255550178"], "+14255550177"),
    ],
)
def test_a_call_without_a_number_reaches_a_line(tmp_path: Path, numbers: list[str], called: str) -> None:
    """Where the only line takes any number, any number will do."""
    assert number_to_call(Lines(load_deployment(deployment(tmp_path, *numbers), {}))) == called


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_number_that_is_no_text_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell hands over any byte."""
    with pytest.raises(SystemExit) as ended:
        main(["call", option, "\udcff", "--press", "1"])
    assert ended.value.code == 2
    assert (
        f"argument {option}: holds U+DCFF, which is half of a character, expected a number" in capsys.readouterr().err
    )


async def test_the_demo_needs_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It brings its line, and settings of a real deployment do not reach it, however wrong they are."""
    plans: list[CallPlan] = []

    async def placed(plan: CallPlan, stream: CalledGateway, *_: object) -> int:
        assert stream.emulator is not None
        plans.append(plan)
        return 0

    monkeypatch.setattr("gateway.cli.call.place", placed)
    monkeypatch.setenv("AZURE_COGNITIVE_SERVICES_ENDPOINT", "no address at all")
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "neither")
    assert await _demo(command_line().parse_args(["demo"])) == 0
    assert [utterance.recording.name for utterance in plans[0].utterances] == [
        "order_status.wav",
        "change_delivery.wav",
        "goodbye.wav",
    ]


async def test_an_account_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the wire of its provider, on its own routes."""
    asked: list[tuple[str, str]] = []

    async def placed(plan: CallPlan, stream: CalledGateway, *_: object) -> int:
        asked.append((plan.provider, stream.answer_url.rpartition("/")[2]))
        return 0

    monkeypatch.setattr("gateway.cli.call.place", placed)
    file = deployment(tmp_path, NUMBER)
    file.write_text("providers: {twilio: {}, telnyx-eu: {provider: telnyx}}\n")
    words = ["call", str(GOODBYE), "--config", str(file), "--provider", "telnyx-eu"]
    assert await _call(command_line().parse_args(words)) == 0
    assert asked == [("telnyx", "telnyx-eu")]


def test_an_account_that_nobody_has_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest name that there is."""
    file = deployment(tmp_path, NUMBER)
    file.write_text("providers: {twilio-eu: {provider: twilio}}\n")
    assert main(["call", str(GOODBYE), "--config", str(file), "--provider", "twilio-us"]) == 2
    assert "twilio-us is neither a provider nor an account" in capsys.readouterr().err


def test_an_account_of_a_gateway_elsewhere_has_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its webhook is asked on its own route, signed by its own secret, line end or not."""
    monkeypatch.setenv("TWILIO_EU_AUTH_TOKEN", "t0ken-of-europe\n")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "t0ken-of-america")
    words = ["call", str(GOODBYE), "--provider", "twilio-eu", "--url", "https://voice.example.com/"]
    called = _running_gateway(command_line().parse_args(words), "twilio")
    assert called.answer_url == "https://voice.example.com/answer/twilio-eu"
    assert called.status_url == "https://voice.example.com/status/twilio-eu"
    assert called.secrets["auth_token"] == "t0ken-of-europe"
