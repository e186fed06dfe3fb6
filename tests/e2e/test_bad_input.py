"""What peers and operators get wrong: told in a line, counted, and survived."""

import asyncio
import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import PCMU
from gateway.audio.wav import write_wav
from gateway.cli import main
from gateway.sim.emulator import Emulator
from gateway.sim.prompts import FOLDER, read_mulaw
from tests.e2e.bare_phone import bare_phone, media, start
from tests.e2e.rig import GATEWAY, LINE, configuration, instant, rig, session_of

GOODBYE = FOLDER / "caller" / "goodbye.wav"
DIGIT = '{"event":"dtmf","streamSid":"MZ","dtmf":{"digit":"5"}}'

# The stream


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "garbage",
        "[]",
        "null",
        '{"event":7}',
        '{"event":"media"}',
        '{"event":"media","streamSid":"MZ","media":{"payload":"%%%"}}',
        '{"event":"mark","streamSid":"MZ"}',
        '{"event":"dtmf","streamSid":"MZ","dtmf":{"digit":"55"}}',
        '{"event":"\\ud800"}',
        "{" * 30_000,
        b"\x00\x01\x02",
        start("CA2"),
    ],
    ids=range(13),
)
async def test_garbage_in_a_call(tmp_path: Path, garbage: str | bytes) -> None:
    """One broken message is noted and counted; the call goes on as if it had not been."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        await phone.next("media")
        await phone.send(garbage, DIGIT)
        await held.until(lambda: held.fields(phone.call_id, "digit_pressed"))
        assert len(held.fields(phone.call_id, "malformed_message")) == 1
        assert await held.metric("gateway_messages_odd_total", kind="malformed", leg="phone") == 1
        await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


async def test_garbage_without_end(tmp_path: Path) -> None:
    """Whoever sends nothing else is no phone: the call ends, and the bot hears none of it."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        await phone.next("media")
        await phone.send(*["garbage"] * 60)
        assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("stream_broken", "provider")


async def test_what_overtakes_the_start(tmp_path: Path) -> None:
    """Audio, keys, marks and nonsense before the start turn no call away; one line of the log tells of them."""
    mark = '{"event":"mark","streamSid":"MZ","mark":{"name":null}}'
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.send(*[media()] * 120, DIGIT, mark, "", b"", '{"event":"new"}')
        await phone.start()
        await phone.next("media")
        assert not held.fields(phone.call_id, "digit_pressed")
        assert held.fields(phone.call_id, "odd_message") == [
            {
                "leg": "phone",
                "detail": "let go before the start: 120 × audio, 1 × a key, 1 × mark without its name,"
                " 2 × an empty message, 1 × new",
            }
        ]
        assert await held.metric("gateway_messages_odd_total", kind="odd", leg="phone") == 1
        await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


async def test_a_start_that_never_comes(tmp_path: Path) -> None:
    """The time alone ends the wait, and the log says what came in place of a start."""
    gateway = GATEWAY + "limits: {start_timeout_s: 1}\n"
    async with rig(configuration(tmp_path, gateway=gateway), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.send(*[media()] * 60)
        closed = await phone.socket.receive()
        assert closed.data == 1008
        assert re.fullmatch(r"no start within 1 s; what came: \d+ × audio", str(closed.extra))
        await held.until_quiet()
        assert await held.metric("gateway_calls_refused_total", reason="no_start") == 1


async def test_harmless_garbage_without_end(tmp_path: Path) -> None:
    """What can be read and is wrong ends no call, however much of it there is, and does not fill the log."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        await phone.next("media")
        await phone.send(*['{"event":"mark","mark":{"name":null}}'] * 300, DIGIT)
        await held.until(lambda: held.fields(phone.call_id, "digit_pressed"))
        assert len(held.fields(phone.call_id, "malformed_message")) == 50
        await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


@pytest.mark.parametrize("before", [False, True], ids=["in a call", "before the start"])
async def test_a_frame_that_is_too_large(tmp_path: Path, before: bool) -> None:
    """It is not read: the stream ends with 1009, and the reason says how large was too large."""
    gateway = GATEWAY + "limits: {message_kb: 4}\n"
    async with rig(configuration(tmp_path, gateway=gateway), instant()) as held, bare_phone(held.stream_url) as phone:
        if not before:
            await phone.start()
            await phone.next("media")
        await phone.send(media(b"\xff" * 4096))
        assert await phone.closed() == 1009
        if before:
            await held.until_quiet()
            assert await held.metric("gateway_calls_refused_total", reason="closed_before_start") == 1
        else:
            end = await held.end_of(phone.call_id)
            assert (end["reason"], end["by"]) == ("stream_lost", "provider")
            assert "exceeds limit 4096" in str(end["detail"])


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("garbage", "not a Media Streams message"),
        (b"\x00", "expected text"),
        (start("CA1", encoding="audio/x-l16", rate_hz=16_000), "expected audio/x-mulaw or audio/x-alaw, 8000 Hz"),
        (start("CA1", rate_hz=16_000), "16000 Hz"),
        ('{"event":"start","streamSid":"MZ"}', "start without its start member"),
        ('{"event":"start","streamSid":"MZ","start":{"callSid":"CA1"}}', "mediaFormat"),
    ],
)
async def test_a_stream_that_does_not_begin_as_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str | bytes, told: str
) -> None:
    """Policy violation, with what was wrong in the close frame; no session is opened for it."""
    monkeypatch.setattr("gateway.routes.media_stream.CLOSE_TIMEOUT_S", 0.1)
    async with (
        rig(configuration(tmp_path), instant()) as held,
        bare_phone(held.stream_url, answers_close=False) as phone,
    ):
        await phone.send('{"event":"connected"}', message)
        closed = await phone.socket.receive()
        assert closed.data == 1008
        assert told in str(closed.extra)
        await held.until_quiet()
        assert await held.metric("gateway_calls_refused_total", reason="bad_start") == 1
        assert held.emulator.handshakes == 0


# The service


async def test_an_error_of_the_service_in_a_call(tmp_path: Path) -> None:
    """It is noted and counted by its code, if that is a known one; the call goes on."""
    async with rig(configuration(tmp_path), instant()) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        session = await session_of(held, phone.call_id)
        for code in ("rate_limit_exceeded", "made_up_by_a_peer"):
            await session.inject(
                {"type": "error", "error": {"type": "server_error", "code": code, "message": "Later."}}
            )
        await session.send_raw("{not json")
        await session.inject({"type": "something.new"})
        await held.until(lambda: held.fields(phone.call_id, "unknown_message"))
        assert [note["detail"] for note in held.fields(phone.call_id, "service_error")] == ["Later.", "Later."]
        assert await held.metric("gateway_service_errors_total", code="rate_limit_exceeded") == 1
        assert await held.metric("gateway_service_errors_total", code="other") == 1
        assert await held.metric("gateway_messages_odd_total", kind="malformed", leg="voice") == 1
        await phone.hang_up()
        assert (await held.end_of(phone.call_id))["reason"] == "caller_hung_up"


async def test_a_session_that_is_refused(tmp_path: Path) -> None:
    """The service's own words are the reason's detail."""
    refusal = {"type": "invalid_request_error", "code": "invalid_profile", "message": "No such voice."}
    error = {"type": "error", "error": refusal}
    script = instant(faults={"send": [{"at": "session.created", "event": error}]})
    async with rig(configuration(tmp_path), script) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert (end["reason"], end["by"]) == ("voice_refused", "service")
        words = r"Voice Live refused the session: No such voice\. \(invalid_profile\) \(session sess_\w+\)"
        assert re.fullmatch(words, str(end["detail"]))


async def test_a_wrong_key(tmp_path: Path) -> None:
    """The reason says what to do about the 401."""
    async with rig(configuration(tmp_path), instant(), api_key="right") as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert end["reason"] == "voice_refused"
        assert "401: the API key or token is wrong for this resource" in str(end["detail"])


async def test_an_endpoint_that_never_answers(tmp_path: Path) -> None:
    """The caller is not kept longer than the connect time-out."""
    gateway = GATEWAY + "voice_live: {connect_timeout_s: 0.2}\n"
    script = instant(faults={"handshake": {"never": True}})
    async with rig(configuration(tmp_path, gateway=gateway), script) as held, bare_phone(held.stream_url) as phone:
        await phone.start()
        async with asyncio.timeout(5):
            assert await phone.closed() == 1000
        end = await held.end_of(phone.call_id)
        assert end["reason"] == "voice_unavailable"
        assert "did not answer within 0.2 s" in str(end["detail"])


# The operator


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory and an environment without any of our variables."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("AZURE_", "VOICE_LIVE", "TWILIO_", "GATEWAY_")):
            monkeypatch.delenv(name)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str]]:
    """Exit code and lines on standard error of a command; there is never a traceback."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse's own way out
        assert isinstance(stop.code, int)
        code = stop.code
    told = capsys.readouterr()
    assert "Traceback" not in told.err + told.out
    return code, told.err.splitlines()


UNREADABLE = "not a recording that can be read"
RECORDINGS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "missing": ("no such file", lambda path: None),
    "empty": ("an empty file", lambda path: path.write_bytes(b"")),
    "only a header": ("a truncated WAV file", lambda path: path.write_bytes(GOODBYE.read_bytes()[:20])),
    "no audio": (
        "not a recording that can be read: it looks like an MP3 file",
        lambda path: path.write_bytes(b"ID3" + b"\0" * 999),
    ),
    "text": ("not a recording that can be read", lambda path: path.write_bytes(b"This is not audio.\n" * 9)),
    "a directory": ("a directory", lambda path: path.mkdir()),
}


@pytest.mark.parametrize("kind", RECORDINGS)
def test_a_recording_that_is_none(at_home: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """Exit 2 and one line that names the file and what was expected."""
    words, make = RECORDINGS[kind]
    path = at_home / "hello.wav"
    make(path)
    code, (line,) = run(capsys, "call", path)
    assert code == 2
    assert line.startswith(f"{path}: {words}")
    assert "expected" in line or "truncated" in words


def test_a_side_that_a_recording_does_not_have(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 before anything is dialled."""
    code, (line,) = run(capsys, "call", GOODBYE, "--channel", "right")
    assert code == 2
    assert line == f"{GOODBYE}: a recording with one channel; it has no right one"


def test_two_sides_of_a_call_in_one_recording_are_told(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are heard as one voice, which is hardly what was meant; the option is named."""
    voice = g711.decode(read_mulaw(GOODBYE), PCMU)
    write_wav(at_home / "call.wav", np.stack([voice, np.roll(voice, voice.size // 2)], axis=1), 8_000)
    code, lines = run(capsys, "call", at_home / "call.wav", "--url", "ws://127.0.0.1:9/stream/twilio")
    assert code == 1  # nobody answers there
    assert lines[0].startswith("call.wav: two channels with different sounds")
    assert "--channel left" in lines[0]


def test_a_recording_of_an_unknown_kind(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What can be read is said."""
    (at_home / "hello.xyz").write_bytes(b"x" * 999)
    code, (line,) = run(capsys, "call", at_home / "hello.xyz")
    assert code == 2
    assert "expected WAV, FLAC, Ogg, MP3 or AIFF, or raw .ulaw or .alaw of 8 kHz" in line


def test_no_endpoint(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and one line that names the variables."""
    code, lines = run(capsys, "serve", "--config", configuration(at_home), "--port", "0", "--log-level", "error")
    assert code == 2
    (line,) = lines
    for name in ("AZURE_COGNITIVE_SERVICES_ENDPOINT", "AZURE_VOICE_LIVE_ENDPOINT", "AZURE_VOICELIVE_ENDPOINT"):
        assert name in line


@pytest.mark.parametrize("command", [("serve", "--emulator"), ("emulator",)])
def test_a_port_in_use(at_home: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    """Exit 1 and one line with the address."""
    config = ("--config", configuration(at_home)) if "serve" in command else ()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        where = ("--host", "127.0.0.1", "--port", str(port), "--log-level", "error")
        code, (line,) = run(capsys, *command, *config, *where)
    assert code == 1
    assert line.startswith(f"cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("gretting: Hi.\n", "5:1", "did you mean greeting"),
        ("greeting: [Hi\n", "5:11", "never closed"),
        ("\tgreeting: Hi\n", "5:1", ""),
        ("model: gpt-4.1\n", "5:1", "model"),
        ("limits: {calls: none}\n", "5:10", "calls"),
        ("limits: {duration_s: 5}\n", "5:10", "duration_s"),
        ("silence: {after_s: 8}\n", "5:1", "say"),
        ("turn_detection: {type: server_vad, threshold: 2}\n", "5:36", "threshold"),
        ("voice: ${NO_SUCH_VOICE}\n", "5:8", "NO_SUCH_VOICE"),
        ("barge_in: maybe\n", "5:1", "barge_in"),
        ("timezone: Mars/Base\n", "5:1", "time zone"),
        ("turn_detection: none\n", "5:1", "commit_on"),
    ],
)
def test_a_line_that_is_wrong(
    at_home: Path, capsys: pytest.CaptureFixture[str], text: str, where: str, words: str
) -> None:
    """Exit 2, with file, line, column and what was expected; the same from every command that reads it."""
    config = configuration(at_home, {"support": LINE + text})
    file = at_home / "lines" / "support.yaml"
    told = []
    for command in (("check",), ("serve", "--emulator", "--log-level", "error"), ("call", GOODBYE), ("demo",)):
        code, lines = run(capsys, *command, "--config", config)
        assert code == 2
        told.append(lines)
    assert told[0] == told[1] == told[2] == told[3]
    (line,) = told[0]
    assert line.startswith(f"{file}:{where}: "), line
    assert words in line


def test_a_configuration_that_is_not_there(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, one line, and what to type; one line of the directory without any lines."""
    code, (line, hint) = run(capsys, "check")
    assert code == 2
    assert "config/gateway.yaml" in line
    assert hint.startswith("gateway init ")
    (at_home / "gateway.yaml").write_text(GATEWAY, "utf-8")
    code, (line,) = run(capsys, "check", "--config", at_home / "gateway.yaml")
    assert code == 2
    assert "no file matches" in line


def test_a_script_that_is_wrong(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The emulator's script has places too."""
    (at_home / "script.yaml").write_text("turns:\n  - say: Hi\n    hear: Hello\n", "utf-8")
    code, (line,) = run(capsys, "emulator", "--script", at_home / "script.yaml")
    assert code == 2
    assert line.startswith(f"{at_home / 'script.yaml'}:3:5: ")
    assert "heard" in line


@pytest.mark.parametrize("arguments", [(), ("answer",), ("serve", "--port", "many"), ("schema", "phone")])
def test_commands_that_do_not_exist(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """Exit 2 with the usage."""
    code, lines = run(capsys, *arguments)
    assert code == 2
    assert lines[0].startswith("usage: gateway")
    assert "error: " in lines[-1]


def test_a_caller_who_would_do_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A call without a recording and without keys is refused."""
    code, (line,) = run(capsys, "call")
    assert code == 2
    assert "expected a RECORDING or --press" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--press", "12E"), "--press: character 3 is no key of a phone, expected 0-9, *, # or A-D"),
        (("--to", "+19995550100"), "--to: no line takes +19995550100, expected one of +14255550100"),
        (("--interrupt-after", "-5"), "--interrupt-after: -5 is negative"),
    ],
)
def test_a_call_that_makes_no_sense(
    at_home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """Exit 2 before anything is dialled."""
    code, (line,) = run(capsys, "call", GOODBYE, "--config", configuration(at_home), *arguments)
    assert code == 2
    assert line.startswith(words)


def test_a_call_to_nobody(at_home: Path, capsys: pytest.CaptureFixture[str], unused_tcp_port: int) -> None:
    """Exit 1 and one line with the address."""
    url = f"ws://127.0.0.1:{unused_tcp_port}/stream/twilio"
    code, (line,) = run(capsys, "call", GOODBYE, "--url", url)
    assert code == 1
    assert url in line
    assert "refused" in line


async def test_a_call_with_a_wrong_key(tmp_path: Path) -> None:
    """Exit 1: the call ended by what the service said, and the folder tells of it all the same."""
    config = configuration(tmp_path)
    async with Emulator(instant(), api_key="right") as emulator:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "call", str(GOODBYE), "--config", str(config), "--out", "out"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={"AZURE_VOICE_LIVE_ENDPOINT": emulator.endpoint, "AZURE_VOICE_LIVE_API_KEY": "wrong"},
        )
        _, stderr = await process.communicate()
    line, *_ = stderr.decode().splitlines()
    assert process.returncode == 1
    assert line.startswith("the call ended by voice_refused: ")
    assert "401" in line
    assert "wrong for this resource" in line
    assert (tmp_path / "out" / "call.json").exists()
