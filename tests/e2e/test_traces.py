"""Whole calls whose traces reach a collector: what they show, whose child is whose, and what they never show."""

import asyncio
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.tracing.environment import Exports
from tests.e2e.bare_phone import bare_phone
from tests.e2e.exchange import exchange
from tests.e2e.rig import LINE, NUMBER, configuration, instant, listening, noise, rig
from tests.e2e.test_secrets import CARD
from tests.e2e.test_secrets import traces as pieces_of
from tests.e2e.test_tools import ANSWER, CALLER, answered, calling, function, line, outputs, turn
from tests.e2e.tool_server import tool_server
from tests.tracing.collector import Collector, attributes, collector
from tests.virtual_time import virtual_time

TRACES = Exports(traces=True)


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator speaks as long as a text says."""
    monkeypatch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)


@asynccontextmanager
async def collecting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """A collector that the environment names."""
    async with collector() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
        yield made


def events(span: Span) -> list[str]:
    """The names of a span's events."""
    return [event.name for event in span.events]


def is_child(child: Span, parent: Span) -> bool:
    """Whether a span belongs directly to another, within its time."""
    is_within = parent.start_time_unix_nano <= child.start_time_unix_nano <= parent.end_time_unix_nano
    return child.parent_span_id == parent.span_id and child.trace_id == parent.trace_id and is_within


@virtual_time
async def test_a_call_with_two_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is the root, its turn the parent of both tools, and each tool that of what its server does."""
    async with tool_server() as server, collecting(monkeypatch) as collected:
        lines = line(tools=[function(server, "ok"), function(server, "fails")], parallel_tool_calls=True)
        calls = [{"name": name, "arguments": {"number": "42"}} for name in ("ok", "fails")]
        script = instant({"calls": calls, "after_call": ANSWER})
        with listening(bound=True) as log:
            async with rig(configuration(tmp_path, lines), script, exports=TRACES) as held:
                async with calling(held) as (_, session):
                    await held.until(lambda: held.fields("CA1", "reply_heard"))
                    await turn(session)
                    await answered(session)
                    await held.until(lambda: len(held.fields("CA1", "reply_heard")) == 2)
                held.emulator.check()
        assert len(outputs(session)) == 2
        call, connect = collected.one("call"), collected.one("connect")
        greeting, turned = collected.named("turn")
        tools = {attributes(span)["gen_ai.tool.name"]: span for span in collected.spans if "execute_tool" in span.name}
        opened = next(span for span in collected.spans if span.name.startswith("open_session"))
    assert (call.parent_span_id, call.kind) == (b"", Span.SPAN_KIND_SERVER)
    assert is_child(connect, call)
    assert is_child(opened, connect)
    assert is_child(greeting, call)
    assert is_child(turned, call)
    assert all(is_child(tool, turned) for tool in tools.values())
    seen = {said["tool"]: headers["traceparent"] for said, headers in zip(server.asked, server.headers, strict=True)}
    assert {name: header[:-3] for name, header in seen.items()} == {
        name: f"00-{call.trace_id.hex()}-{span.span_id.hex()}" for name, span in tools.items()
    }
    assert all(int(header[-2:], 16) & 1 for header in seen.values()), "sampled"
    said = attributes(call)
    assert (said["gateway.provider"], said["gateway.line"], said["gateway.call.id"]) == ("twilio", "support", "CA1")
    assert (said["gateway.end.reason"], said["gateway.end.by"], said["gateway.turns"]) == (
        "caller_hung_up",
        "caller",
        2,
    )
    assert said["gateway.generation"]
    assert call.status.code == Status.STATUS_CODE_UNSET
    ways = [[event.name for event in sorted(one.events, key=lambda e: e.time_unix_nano)] for one in (greeting, turned)]
    assert ways == [["reply_started", "first_byte_sent", "first_heard", "reply_heard"]] * 2
    responses = [span for span in collected.spans if span.name == "chat gpt-4.1"]
    assert [is_child(one, greeting) for one in responses] == [True, False, False]
    assert [is_child(one, turned) for one in responses] == [False, True, True]
    asked, told = responses[1:]
    assert asked.end_time_unix_nano <= tools["fails"].end_time_unix_nano <= told.start_time_unix_nano
    assert attributes(turned)["gateway.turn.latency_ms"] >= 0
    assert attributes(tools["ok"])["gateway.tool.outcome"] == "ok"
    assert tools["fails"].status.code == Status.STATUS_CODE_ERROR
    assert attributes(connect)["gen_ai.conversation.id"] == session.id
    assert attributes(connect)["gen_ai.response.model"] == "gpt-4.1"
    ids = {"trace_id": call.trace_id.hex(), "span_id": call.span_id.hex()}
    assert log.of("tool_returned", call="CA1", line="support", **ids)
    assert log.of("function_failed", tool="fails", trace_id=ids["trace_id"], span_id=tools["fails"].span_id.hex())


@virtual_time
async def test_nobody_is_in_a_trace_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No words, keys or numbers by default; with the keys of traces, words and masked numbers."""
    asked_for = {
        "": set(),
        "traces: {words: true, numbers: masked}\n": {"Where is it?", ANSWER, "+1415\u202623", "+1425\u202600"},
    }
    for traces, shown in asked_for.items():
        gateway = f'providers: {{twilio: {{}}}}\nstreams: {{auth: "off"}}\n{traces}'
        opened = configuration(tmp_path / str(len(shown)), line(digits={"finish_on": "#"}), gateway)
        script = instant({"heard": "Where is it?", "say": ANSWER})
        async with collecting(monkeypatch) as collected:
            async with rig(opened, script, exports=TRACES) as held, calling(held) as (phone, session):
                await phone.press("7")
                await session.speech_started()
                await session.speech_stopped("Where is it?")
                await held.until(lambda held=held: len(held.fields("CA1", "reply_heard")) == 2)  # type: ignore[misc]
            text = collected.text()
        assert collected.named("call")
        private = {CALLER, NUMBER, "Where is it?", ANSWER, "+1415\u202623", "+1425\u202600"}
        assert {one for one in private if one in text} == shown


@virtual_time
async def test_digits_keyed_in_confidence_are_in_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where words and numbers are asked for, and the tool's server says them back."""
    async with tool_server() as server, collecting(monkeypatch) as collected:
        secret = {"secret": "digits", "prompt": "120 ms", "length": len(CARD)}
        tools = [function(server, "echoes", parameters={"card": secret})]
        gateway = 'providers: {twilio: {}}\nstreams: {auth: "off"}\ntraces: {words: true, numbers: full}\n'
        script = instant({"call": {"name": "echoes", "arguments": {}}, "after_call": ANSWER})
        opened = configuration(tmp_path, line(tools=tools), gateway)
        async with rig(opened, script, exports=TRACES) as held, calling(held) as (phone, session):
            await turn(session)
            await held.until(lambda: held.fields("CA1", "secure_entry_started"))
            for key in CARD:
                await phone.press(key)
            await answered(session)
        assert server.asked[0]["arguments"] == {"card": CARD}
        assert "secure_entry_ended" in collected.text()
        assert CALLER in collected.text()
        assert pieces_of(collected.text()) == []


PYTHON_TOOLS = '''
    """Tools of a line that tell in whose span they run."""

    from opentelemetry import trace


    async def waits() -> str:
        """Look up."""
        return f"{trace.get_current_span().get_span_context().span_id:016x}"


    def blocks() -> str:
        """Look up."""
        return f"{trace.get_current_span().get_span_context().span_id:016x}"
'''


@pytest.mark.parametrize("tool", ["waits", "blocks"])
@virtual_time
async def test_a_function_in_python_runs_in_its_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """A coroutine function, and one in a thread: what it starts by OpenTelemetry's API is a child of the tool."""
    module = f"traced_tools_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(textwrap.dedent(PYTHON_TOOLS), "utf-8")
    lines = line(tools=[{"python": f"{module}:{tool}"}])
    script = instant({"call": {"name": tool, "arguments": {}}, "after_call": ANSWER})
    async with collecting(monkeypatch) as collected:
        opened = configuration(tmp_path, lines)
        async with rig(opened, script, exports=TRACES) as held, calling(held) as (_, session):
            await turn(session)
            await answered(session)
        ran_in = collected.one(f"execute_tool {tool}").span_id.hex()
    assert outputs(session) == [{"result": ran_in}]


@virtual_time
async def test_a_session_that_is_lost_is_a_span_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lasts from the loss to the next session, and has the tries at that."""
    async with collecting(monkeypatch) as collected:
        async with (
            rig(configuration(tmp_path), instant({"say": ANSWER}), exports=TRACES) as held,
            calling(held) as (_, session),
        ):
            session.cut("reset")
            await held.until(lambda: held.fields("CA1", "session_recovered"))
        call, recover = collected.one("call"), collected.one("recover")
        tries = [span for span in collected.spans if span.name.startswith("open_session")]
    assert is_child(recover, call)
    assert [is_child(one, recover) for one in tries] == [False, True]
    assert attributes(recover)["gateway.session.tries"] == 1
    assert recover.status.code == Status.STATUS_CODE_UNSET
    assert "session_lost" in events(call)


@virtual_time
async def test_a_call_that_fails_has_the_status_of_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end reason is its status; the session that did not come about has it too, with each try and why it failed."""
    async with collecting(monkeypatch) as collected:
        opened = configuration(tmp_path, {"support": f"{LINE}on_trouble: {{tries: 0}}\n"})
        script = instant(faults={"handshake": {"status": 503}})
        async with rig(opened, script, exports=TRACES) as held, bare_phone(held.stream_url) as phone:
            await phone.start()
            await held.end_of(phone.call_id)
        call, connect = collected.one("call"), collected.one("connect")
        tries = [span for span in collected.spans if span.name.startswith("open_session")]
    assert call.status.code == connect.status.code == Status.STATUS_CODE_ERROR
    assert call.status.message == "voice_unavailable, by the service"
    assert [one.status.code for one in tries] == [Status.STATUS_CODE_ERROR]
    assert "503" in tries[0].status.message


@virtual_time
async def test_a_reply_that_is_interrupted_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The turn says that it was interrupted, and what was heard of the reply."""
    async with collecting(monkeypatch) as collected:
        async with (
            rig(configuration(tmp_path, line()), instant({"say": "4000 ms"}), exports=TRACES) as held,
            calling(held) as (_, session),
        ):
            await turn(session)
            await held.until(lambda: len(held.fields("CA1", "reply_started")) == 2)
            await asyncio.sleep(1)
            await session.speech_started()
            await held.until(lambda: held.fields("CA1", "barge_in"))
            await session.speech_stopped()
        _, turned, *_ = collected.named("turn")
    assert attributes(turned)["gateway.turn.interrupted"] is True
    assert turned.status.code == Status.STATUS_CODE_UNSET
    assert {"barge_in", "reply_heard"} <= set(events(turned))


@virtual_time
async def test_a_sampler_that_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No span is sent; the tool's header is valid, and says that the trace is not sampled."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    async with tool_server() as server, collecting(monkeypatch) as collected:
        script = instant({"call": {"name": "ok", "arguments": {"number": "1"}}, "after_call": ANSWER})
        async with (
            rig(configuration(tmp_path, line(tools=[function(server, "ok")])), script, exports=TRACES) as held,
            calling(held) as (_, session),
        ):
            await turn(session)
            await answered(session)
        version, trace_id, span_id, flags = server.headers[0]["traceparent"].split("-")
        assert (version, len(trace_id), len(span_id)) == ("00", 32, 16)
        assert int(flags, 16) & 1 == 0
        assert collected.spans == []


@virtual_time
async def test_a_call_is_a_child_of_its_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it opens its session or waits for the stream; the token carries the span to whoever takes the stream."""
    for ahead, parent in ((0, "connect"), (1, "webhook")):
        async with collecting(monkeypatch) as collected:
            opened = exchange(
                tmp_path / str(ahead),
                ["twilio"],
                line(),
                instant({"say": ANSWER}),
                gateway_yaml=f"voice_live: {{open_ahead: {ahead}}}\n",
                exports=TRACES,
            )
            async with opened as held, held.call("twilio", NUMBER, setup_s=0.5):
                await held.told("support", "reply_started")
            webhook, call = collected.one("webhook"), collected.one("call")
            (tried,) = [span for span in collected.spans if span.name.startswith("open_session")]
        assert webhook.kind == Span.SPAN_KIND_SERVER
        assert (call.parent_span_id, call.trace_id) == (webhook.span_id, webhook.trace_id)
        assert tried.parent_span_id == collected.one(parent).span_id


@virtual_time
async def test_without_exports_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool's request has no trace, and the collector is not asked."""
    async with tool_server() as server, collecting(monkeypatch) as collected:
        script = instant({"call": {"name": "ok", "arguments": {"number": "1"}}, "after_call": ANSWER})
        async with (
            rig(configuration(tmp_path, line(tools=[function(server, "ok")])), script) as held,
            calling(held) as (_, session),
        ):
            await turn(session)
            await answered(session)
        assert "traceparent" not in server.headers[0]
        assert collected.headers == []
