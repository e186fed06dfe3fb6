"""Sessions that the service refuses: the caller hears the greeting all the same, and the next call asks for no more.

Each case is a refusal of the emulator's, on the virtual clock, with delays as they were measured at the service.
"""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.audio import g711
from gateway.audio.formats import PCMU, AudioFormat
from gateway.audio.g711 import Samples
from tests.e2e.bare_phone import bare_phone
from tests.e2e.rig import NUMBER, Rig, configuration, instant, rig
from tests.virtual_time import virtual_time

MORE_S = 2.0
"""The greeting may come so much later than without a refusal."""
GREETING_S = 1.0
LATENCY_MS = {"handshake": 60, "update": 70, "create": 60, "first_delta": 250, "first_audio": 150}
PLAIN = f'numbers: ["{NUMBER}"]\ninstructions: Answer.\ngreeting: Hello.\n'
EVERYTHING = (
    "model: gpt-4.1\nlanguage: en-US\ntools: [end_call]\ntemperature: 0.7\nmetadata: {team: sales}\n"
    "voice: {type: azure-standard, name: en-US-AvaMultilingualNeural, rate: '+10%'}\n"
    "turn_detection: {type: azure_semantic_vad, remove_filler_words: true, "
    "end_of_utterance_detection: semantic_detection_v1}\n"
    "transcription: {model: azure-speech, phrase_list: [Contoso]}\n"
    "interim_response: {type: static_interim_response, texts: [Hm.]}\n"
)
"""A line with every setting that a text model takes."""
MEMBERS = (
    *("metadata", "parallel_tool_calls", "max_response_output_tokens", "tool_choice", "temperature"),
    *("input_audio_noise_reduction", "input_audio_echo_cancellation", "interim_response"),
    *("turn_detection.remove_filler_words", "turn_detection.end_of_utterance_detection", "turn_detection.languages"),
    *("turn_detection.threshold", "input_audio_transcription.phrase_list", "input_audio_transcription.language"),
    "voice.rate",
)
WAYS = ("named", "in_text", "invalid_message", "unnamed", "close", "reset")


@dataclass(frozen=True)
class Heard:
    """The first second that a caller heard, and how long after the start of the call."""

    audio: bytes
    after_s: float


async def tone(text: str, audio_format: AudioFormat, *, language: str = "en") -> bytes:
    """Stands in for the emulator's voice: a second of 440 Hz, which every format carries."""
    return g711.encode(samples_of_tone(audio_format.rate_hz), audio_format)


def samples_of_tone(rate_hz: int) -> Samples:
    """A second of 440 Hz."""
    samples: Samples = (8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype(np.int16)
    return samples


@pytest.fixture(autouse=True)
def speaks_in_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the emulator speak in the tone; what a phone hears is known in every format."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", tone)


async def call(held: Rig, call_id: str, **started: Any) -> Heard | int | None:
    """Call, and return what was heard of the greeting; the close code where the gateway ends the call before."""
    loop = asyncio.get_running_loop()
    async with bare_phone(held.stream_url, call_id) as phone:
        begun = loop.time()
        await phone.start(**started)
        heard, after_s = b"", 0.0
        while len(heard) < PCMU.bytes_for(1000):
            try:
                frame = (await phone.next("media"))["media"]["payload"]
            except EOFError:
                return phone.socket.close_code
            after_s = after_s or loop.time() - begun
            heard += base64.b64decode(frame)
        await phone.hang_up()
        await held.end_of(call_id)
        return Heard(heard, after_s)


def is_the_tone(heard: Heard, audio_format: AudioFormat = PCMU) -> bool:
    """``True`` if the phone's format holds the tone: any other format would be noise, silence, or another pitch."""
    rate_hz = audio_format.rate_hz
    samples = g711.decode(heard.audio, audio_format)[: round(0.95 * rate_hz)].astype(float)
    wanted = samples_of_tone(rate_hz)[: samples.size].astype(float)
    alike = float(np.dot(samples, wanted) / (np.linalg.norm(samples) * np.linalg.norm(wanted) + 1))
    return alike > 0.98


def settings(tmp_path: Path, line: str, gateway: str = "") -> Path:
    """A configuration with one line."""
    begins = 'providers: {twilio: {}}\nstreams: {auth: "off"}\n'
    return configuration(tmp_path, {"support": PLAIN + line + "on_trouble: {tries: 0}\n"}, begins + gateway)


async def without_refusal(tmp_path: Path, line: str, gateway: str) -> float:
    """Return when the caller hears the greeting where nothing is refused, in seconds; measured once for each line."""
    if (line, gateway) not in _heard_after_s:
        slow = instant(latency_ms=LATENCY_MS, pace=16)
        async with rig(settings(tmp_path, line, gateway), slow) as held:
            plain = await call(held, "CA0")
            assert isinstance(plain, Heard)
            assert is_the_tone(plain)
            _heard_after_s[line, gateway] = plain.after_s
    return _heard_after_s[line, gateway]


_heard_after_s: dict[tuple[str, str], float] = {}


async def two_calls(tmp_path: Path, line: str, *, gateway: str = "", **script: Any) -> tuple[Heard, Heard, Rig]:
    """Make two calls that must hear the greeting in time; the second needs one connection and one update."""
    plain_s = await without_refusal(tmp_path / "before", line, gateway)
    refusing = instant(latency_ms=LATENCY_MS, pace=16, **script)
    async with rig(settings(tmp_path / "refusing", line, gateway), refusing) as held:
        first = await call(held, "CA1")
        connections = len(held.emulator.sessions)
        second = await call(held, "CA2")
        assert isinstance(first, Heard), [notes[-1] for notes in held.notes.values()]
        assert isinstance(second, Heard)
        assert is_the_tone(first)
        assert is_the_tone(second)
        assert first.after_s <= plain_s + MORE_S
        assert second.after_s <= plain_s + 0.1
        assert len(held.emulator.sessions) == connections + 1
        assert len(held.emulator.sessions[-1].updates) == 1
        held.emulator.check()
        return first, second, held


def refused(*members: str, how: str = "named", **more: Any) -> dict[str, Any]:
    """A script's refusal of these members."""
    return {"refuse": {"updates": [{"member": member, "how": how, **more} for member in members]}}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("member", MEMBERS)
@virtual_time
async def test_a_member_that_is_refused(tmp_path: Path, member: str, how: str) -> None:
    """However it is refused, the caller hears the greeting; what is named is left out alone."""
    _, _, held = await two_calls(tmp_path, EVERYTHING, **refused(member, how=how))
    sent, accepted = held.emulator.sessions[0].updates[0], held.emulator.sessions[-1].updates[0]
    for kept in ("instructions", "tools", "input_audio_format", "modalities"):
        assert accepted[kept] == sent[kept]
    for answer in ("create_response", "interrupt_response", "auto_truncate"):
        assert accepted["turn_detection"][answer] == sent["turn_detection"][answer]
    if how in ("named", "in_text", "invalid_message"):
        top, _, inner = member.partition(".")
        without = {key: value for key, value in sent.items() if key != top}
        if inner:
            without[top] = {key: value for key, value in sent[top].items() if key != inner}
        assert {**accepted, "metadata": None} == {**without, "metadata": None}


@pytest.mark.parametrize("how", ["named", "unnamed", "close"])
@pytest.mark.parametrize("attempt", [1, 3, 5])
@virtual_time
async def test_a_refusal_at_a_later_attempt(tmp_path: Path, attempt: int, how: str) -> None:
    """One member after the other is refused; the last of them in another way."""
    members = ("metadata", "interim_response", "parallel_tool_calls", "turn_detection.threshold", "voice.rate")
    rules = [{"member": member} for member in members[: attempt - 1]]
    rules.append({"member": members[attempt - 1], "how": how})
    _, _, held = await two_calls(tmp_path, EVERYTHING, refuse={"updates": rules})
    assert max(len(session.updates) for session in held.emulator.sessions) <= 3


OUTPUT = {"member": "output_audio_format", "value": "g711_ulaw"}


@pytest.mark.parametrize("how", WAYS)
@virtual_time
async def test_a_format_that_the_service_lacks_is_converted(tmp_path: Path, how: str) -> None:
    """The caller hears the voice in the phone's format, whatever the service brings."""
    _, _, held = await two_calls(tmp_path, EVERYTHING, refuse={"updates": [{**OUTPUT, "how": how}]})
    assert held.emulator.sessions[-1].updates[0]["output_audio_format"] == "pcm16"


@virtual_time
async def test_a_format_that_is_echoed_wrong_is_converted(tmp_path: Path) -> None:
    """The service says that it speaks at 24 kHz, and does: noise on a phone without the comparison."""
    await two_calls(tmp_path, EVERYTHING, echo={"output_audio_format": "pcm16"})


NATIVE = "model: gpt-realtime\nvoice: marin\ntranscription: {model: whisper-1}\nturn_detection: server_vad\n"
RULES: Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]] = {
    "parallel_tool_calls on a native model": (
        NATIVE.replace("gpt-realtime", "gpt-realtime-2") + "tools: [end_call]\nparallel_tool_calls: true\n",
        [{"member": "parallel_tool_calls", "value": True}],
    ),
    "a voice that the region lacks": (
        EVERYTHING,
        [{"member": "voice", "value": {"name": "en-US-AvaMultilingualNeural"}}],
    ),
    "a noise filter": (
        EVERYTHING + "noise_reduction: azure_deep_noise_suppression\n",
        [{"member": "input_audio_noise_reduction", "how": "close"}],
    ),
    "reasoning_effort": ("model: gpt-5-mini\nreasoning_effort: low\n", [{"member": "reasoning_effort"}]),
    "azure-speech beside server_vad": (
        EVERYTHING + "tolerant: true\n",
        [{"member": "input_audio_transcription", "value": {"model": "azure-speech"}, "how": "unnamed"}],
    ),
    "azure_semantic_vad on a tolerant line": (
        EVERYTHING + "tolerant: true\n",
        [{"member": "turn_detection", "value": {"type": "azure_semantic_vad"}}],
    ),
}


@pytest.mark.parametrize("rule", RULES)
@virtual_time
async def test_rules_of_models_and_voices(tmp_path: Path, rule: str) -> None:
    """What one model takes another refuses; the call goes on where that may be left out."""
    line, updates = RULES[rule]
    await two_calls(tmp_path, line, refuse={"updates": list(updates)})


@virtual_time
async def test_an_older_version_is_not_asked_for_what_it_does_not_know(tmp_path: Path) -> None:
    """The first update is accepted: the emulator refuses newer members."""
    line = EVERYTHING.replace("interim_response: {type: static_interim_response, texts: [Hm.]}\n", "")
    gateway = 'voice_live: {api_version: "2025-10-01"}\n'
    async with rig(settings(tmp_path, line, gateway), instant()) as held:
        async with bare_phone(held.stream_url) as phone:
            await phone.start()
            session = await held.emulator.session()
            await session.until(lambda one: any(record.type == "session.updated" for record in one.sent))
        assert len(session.updates) == 1
        assert "metadata" not in session.updates[0]


NEVER: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    **{
        member: (EVERYTHING + "tolerant: true\n", refused(member))
        for member in ("instructions", "tools", "input_audio_format", "turn_detection.interrupt_response")
    },
    "turn_detection: null": (
        EVERYTHING.partition("turn_detection")[0] + "turn_detection: none\ncommit_on: '#'\n",
        refused("turn_detection"),
    ),
    "the voice of a strict line": (EVERYTHING + "strict: true\n", refused("voice")),
    "azure_semantic_vad": (EVERYTHING, refused("turn_detection", value={"type": "azure_semantic_vad"})),
    "a format that stays wrong": (EVERYTHING, {"echo": {"output_audio_format": "g711_alaw"}}),
    "a model that the region lacks": (EVERYTHING, {"refuse": {"models": ["gpt-4.1"]}}),
    "every update": (EVERYTHING, {"refuse": {"updates": [{"how": "unnamed"}]}}),
    "every update, by closing": (EVERYTHING, {"refuse": {"updates": [{"how": "close"}]}}),
    "every update, by a reset": (EVERYTHING, {"refuse": {"updates": [{"how": "reset"}]}}),
}


@pytest.mark.parametrize("case", NEVER)
@virtual_time
async def test_where_nothing_may_be_left_out_the_line_s_rescue_follows(tmp_path: Path, case: str) -> None:
    """Within four seconds, in the service's own words; no connection has more than three updates."""
    line, script = NEVER[case]
    refusing = instant(latency_ms=LATENCY_MS, **script)
    async with rig(settings(tmp_path, line + "on_failure: {say: Sorry.}\n"), refusing) as held:
        begun = asyncio.get_running_loop().time()
        assert await call(held, "CA1") == 1000
        assert asyncio.get_running_loop().time() - begun < 5.0
        end = await held.end_of("CA1")
        assert end["reason"] in ("voice_refused", "voice_lost")
        assert end["detail"]
        assert all(len(session.updates) <= 3 for session in held.emulator.sessions)
        assert len(held.emulator.sessions) <= 4
        assert not held.gateway.voice_live.shown_reductions()


@pytest.mark.parametrize("mode", ["log", "off"])
@virtual_time
async def test_negotiation_can_be_turned_off(tmp_path: Path, mode: str) -> None:
    """The call ends at the first refusal, with the service's own words."""
    gateway = f"voice_live: {{negotiate: {mode}}}\n"
    async with rig(settings(tmp_path, EVERYTHING, gateway), instant(**refused("metadata"))) as held:
        assert await call(held, "CA1") == 1000
        end = await held.end_of("CA1")
        assert end["reason"] == "voice_refused"
        assert "Invalid parameter: 'session.metadata'." in str(end["detail"])
        assert len(held.emulator.sessions[0].updates) == 1


CHAIN = "model: [gpt-realtime, gpt-4.1-mini]\n"


@pytest.mark.parametrize(
    "script",
    [
        {"refuse": {"models": ["gpt-realtime"]}},
        {"refuse": {"updates": [{"member": "instructions", "models": ["gpt-realtime"]}]}},
        {"refuse": {"updates": [{"how": "close", "models": ["gpt-realtime"]}]}},
        {"refuse": {"opening": [{"models": ["gpt-realtime"], "code": "server_error", "then": "close"}]}},
    ],
    ids=["lacks the model", "refuses its session", "closes it", "fails with it"],
)
@virtual_time
async def test_the_next_model_of_the_line_answers(tmp_path: Path, script: dict[str, Any]) -> None:
    """The caller hears the greeting, and the next caller from that model at once; ``/readyz`` shows it."""
    _, _, held = await two_calls(tmp_path, CHAIN, **script)
    assert held.emulator.sessions[-1].model == "gpt-4.1-mini"
    passed_over = {"answering": "gpt-realtime", "left_out": [], "passed_over": True}
    assert passed_over in held.gateway.voice_live.shown_reductions()


@pytest.mark.parametrize(
    "script",
    [
        {"faults": {"handshake": {"status": 429, "times": 1}}},
        {"faults": {"handshake": {"status": 503, "times": 1}}},
        {"faults": {"handshake": {"reset": True, "times": 1}}},
        {"refuse": {"opening": [{"code": "rate_limit_exceeded", "connections": [1], "then": "close"}]}},
        {"refuse": {"opening": [{"code": "rate_limit_exceeded", "connections": [1], "then": "stay"}]}},
    ],
)
@virtual_time
async def test_what_passes_is_tried_once_more(tmp_path: Path, script: dict[str, Any]) -> None:
    """A quota, a service in trouble, a reset: the caller waits half a second."""
    await two_calls(tmp_path, EVERYTHING, **script)


AGENT = "agent: {name: desk, project: contoso}\nvoice: en-US-AvaMultilingualNeural\n"


def of_an_agent(tmp_path: Path) -> Path:
    """A configuration with a line that an agent answers."""
    line = PLAIN.replace("instructions: Answer.\n", AGENT)
    return configuration(tmp_path, {"support": line}, 'providers: {twilio: {}}\nstreams: {auth: "off"}\n')


@pytest.mark.parametrize("kind", ["any", "configured", "bare"])
@virtual_time
async def test_agents_of_every_kind_answer(tmp_path: Path, kind: str) -> None:
    """One that has its own voice and turn detection is left them, one that has none gets ours."""
    path = of_an_agent(tmp_path)
    async with rig(path, instant(latency_ms=LATENCY_MS, pace=16, refuse={"agent": kind})) as held:
        for number in (1, 2):
            heard = await call(held, f"CA{number}")
            assert isinstance(heard, Heard)
            assert is_the_tone(heard)
        assert len(held.emulator.sessions[-1].updates) == 1
        assert ("voice" in held.emulator.sessions[-1].updates[0]) == (kind != "configured")


@virtual_time
async def test_an_agent_of_the_other_kind_is_told_in_words(tmp_path: Path) -> None:
    """The service says no more than 1008."""
    path = of_an_agent(tmp_path)
    async with rig(path, instant(refuse={"agent": "voice"})) as held:
        assert await call(held, "CA1") == 1000
        end = await held.end_of("CA1")
    assert end["reason"] == "voice_refused"
    assert "kind: voice" in str(end["detail"])


@virtual_time
async def test_an_agent_at_the_old_host_is_told_where_agents_are(tmp_path: Path) -> None:
    """The service answers 400, and gives no reason that helps."""
    path = of_an_agent(tmp_path)
    async with rig(path, instant(host="contoso.cognitiveservices.azure.com")) as held:
        assert await call(held, "CA1") == 1000
        end = await held.end_of("CA1")
    assert end["reason"] == "voice_refused"
    assert "answered the connection with 400" in str(end["detail"])
