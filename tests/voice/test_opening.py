"""The opening of a session over sockets whose messages are known: what is sent, tried again and given up."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.voice import opening as module
from gateway.voice.bot import Agent, Answering, Model
from gateway.voice.events import SessionReady, VoiceClosed, VoiceEnd
from gateway.voice.negotiation.reductions import Policy
from gateway.voice.opening import Opened, Opening
from gateway.voice.proposals import Proposal
from gateway.voice.service import Negotiate, VoiceLive, VoiceRefusedError, VoiceUnreachableError
from tests.fakes import FakeSocket
from tests.virtual_time import virtual_time
from tests.voice.negotiation.session import SESSION

ENDPOINT = "https://contoso.services.ai.azure.com"
FIRST, SECOND = Model("gpt-realtime"), Model("gpt-4.1-mini")


def ready(**session: object) -> str:
    """The answer to an accepted update."""
    return json.dumps({"type": "session.updated", "session": {"id": "s", "model": "m", **session}})


def error(number: int = 1, **fields: object) -> str:
    """The refusal of the update with this number on its connection."""
    event_id = "session" if number == 1 else f"session_{number}"
    about = {"code": "invalid_request_error", "message": "The request is invalid.", "event_id": event_id, **fields}
    return json.dumps({"type": "error", "error": about})


class Watched:
    """Keeps what is counted."""

    def __init__(self) -> None:
        self.reduced: list[str] = []
        self.differ: list[str] = []
        self.errors: list[str] = []

    def session_reduced(self, member: str) -> None:
        self.reduced.append(member)

    def session_differs(self, member: str) -> None:
        self.differ.append(member)

    def service_error(self, code: str) -> None:
        self.errors.append(code)


class Service(VoiceLive):
    """A service whose connections, or their failures, are there already."""

    def __init__(self, *connections: FakeSocket | Exception, negotiate: Negotiate = "on") -> None:
        self.watched = Watched()
        super().__init__(ENDPOINT, "key", negotiate=negotiate, watch=self.watched)
        self.connections = list(connections)
        self.asked: list[Answering] = []

    async def connect(
        self, answering: Answering, query: Any = None, *, limit_s: float | None = None, call_id: str = ""
    ) -> Any:
        """Return the next socket, or raise the next failure."""
        self.asked.append(answering)
        connection = self.connections.pop(0)
        if isinstance(connection, Exception):
            raise connection
        return connection


def sent(socket: Any) -> list[dict[str, Any]]:
    """The sessions that were asked for on a socket."""
    return [json.loads(message)["session"] for message in socket.sent]


async def opened(service: Service, *answering: Answering, policy: Policy | None = None) -> tuple[Opening, Any]:
    """An opening, and what came of it."""
    proposals = [Proposal(one, SESSION, policy or Policy()) for one in answering or (FIRST,)]
    opening = Opening(service, proposals)
    return opening, await opening.run()


async def test_a_session_that_is_accepted_costs_one_update() -> None:
    """And nothing else: the whole session, once."""
    socket = FakeSocket(ready(**SESSION))
    service = Service(socket)
    opening, result = await opened(service)
    assert isinstance(result, Opened)
    assert sent(result.socket) == [SESSION]
    assert (result.ready, result.session, result.left_out) == (
        SessionReady("s", "m", voice="azure-standard"),
        SESSION,
        (),
    )
    assert service.asked == [FIRST]
    assert len(opening.attempts) == 1
    assert socket.closed_with is None
    assert service.watched.reduced == []


async def test_the_session_is_asked_for_again_without_what_was_refused() -> None:
    """On the same connection; the next call does not ask for it, and the log says so once."""
    first = FakeSocket(error(param="session.metadata"), ready())
    second = FakeSocket(ready())
    service = Service(first, second)
    with capture_logs() as logs:
        opening, result = await opened(service)
        without = {key: value for key, value in SESSION.items() if key != "metadata"}
        assert sent(first) == [SESSION, without]
        assert (result.session, result.left_out) == (without, ("metadata",))
        assert [attempt.left_out for attempt in opening.attempts] == [("metadata",), ()]
        await opened(service)
    assert sent(second) == [without]
    (entry,) = [entry for entry in logs if entry["event"] == "session_reduced"]
    assert entry["left_out"] == ["metadata"]
    assert entry["detail"] == "The request is invalid. (invalid_request_error)"
    assert service.watched.reduced == ["metadata", "metadata"]
    assert service.shown_reductions() == [
        {"answering": "gpt-realtime", "left_out": ["metadata"], "passed_over": False},
    ]


async def test_three_tries_on_a_connection_then_another() -> None:
    """Six in all, of which the last is the plainest."""
    first = FakeSocket(*(error(number) for number in (1, 2, 3)))
    second = FakeSocket(*(error(number) for number in (1, 2, 3)))
    service = Service(first, second)
    opening, result = await opened(service, policy=Policy(tolerant=True))
    assert (len(sent(first)), len(sent(second)), first.closed_with) == (3, 3, 1000)
    assert sent(second)[-1]["turn_detection"]["type"] == "server_vad"
    assert sent(second)[-1]["input_audio_transcription"] is None
    assert [attempt.connection for attempt in opening.attempts] == [1, 1, 1, 2, 2, 2]
    assert result == VoiceClosed(
        VoiceEnd.REFUSED, "Voice Live refused the session: The request is invalid. (invalid_request_error)"
    )


async def test_a_close_without_a_word_is_followed_by_the_plainest() -> None:
    """There is one more connection alone."""
    service = Service(FakeSocket(close_code=1008), FakeSocket(ready()))
    _, result = await opened(service)
    assert isinstance(result, Opened)
    assert result.session["output_audio_format"] == "pcm16"
    assert result.session["voice"] == {"type": "azure-standard", "name": "en-US-AvaMultilingualNeural"}
    again = Service(FakeSocket(close_code=1008), FakeSocket(close_code=1008))
    _, result = await opened(again)
    assert result == VoiceClosed(VoiceEnd.REFUSED, "Voice Live refused the session: it closed the session with 1008")


@pytest.mark.parametrize("code", [1006, 1011, 1012, 1013])
async def test_the_service_s_own_trouble_is_waited_out_once(code: int) -> None:
    """The same session on another connection; only then may the session be the cause."""
    again = FakeSocket(ready())
    service = Service(FakeSocket(close_code=code), again)
    await opened(service)
    assert sent(again) == [SESSION]
    third = FakeSocket(ready())
    _, result = await opened(Service(FakeSocket(close_code=code), FakeSocket(close_code=code), third))
    assert isinstance(result, Opened)
    assert result.session["output_audio_format"] == "pcm16"
    sockets = [FakeSocket(close_code=code) for _ in range(3)]
    _, result = await opened(Service(*sockets))
    assert result == VoiceClosed(VoiceEnd.LOST, f"Voice Live closed the session with {code}", passes=True)


async def test_too_many_attempts_need_another_connection() -> None:
    """The service is about to close this one."""
    first = FakeSocket(error(code="max_config_attempts_exceeded", param="type"))
    second = FakeSocket(ready())
    await opened(Service(first, second))
    assert (len(sent(first)), len(sent(second))) == (1, 1)


async def test_an_error_that_is_not_about_the_session_is_noted() -> None:
    """It is logged and counted, and the session comes about behind it."""
    service = Service(FakeSocket(error(event_id=None, code="server_error"), "{not json", "[]", ready()))
    with capture_logs() as logs:
        opening, result = await opened(service)
    assert isinstance(result, Opened)
    assert [one.code for one in opening.noted] == service.watched.errors == ["server_error"]
    assert [entry["code"] for entry in logs if entry["event"] == "service_error"] == ["server_error"]


@virtual_time
async def test_an_error_behind_which_nothing_comes() -> None:
    """It is waited for 4 s, and said."""
    opening = Opening(Service(FakeSocket(error(event_id=None, code="server_error"), None)), [Proposal(FIRST, SESSION)])
    begun = module._now()
    result = await opening.run()
    assert 4.0 <= module._now() - begun < 4.1
    assert result == VoiceClosed(
        VoiceEnd.UNREACHABLE,
        "Voice Live did not take the session settings within 4 s; it said: The request is invalid.",
    )
    assert [attempt.took_s for attempt in opening.attempts] == [pytest.approx(4.0, abs=0.1)]


@virtual_time
async def test_a_negotiation_takes_four_seconds_at_most() -> None:
    """From the first refusal; a service that then says nothing is given up."""
    opening = Opening(Service(FakeSocket(error(), None)), [Proposal(FIRST, SESSION), Proposal(SECOND, SESSION)])
    begun = module._now()
    result = await opening.run()
    assert 4.0 <= module._now() - begun < 4.1
    assert isinstance(result, VoiceClosed)
    assert result.end is VoiceEnd.UNREACHABLE


@virtual_time
async def test_a_service_that_says_nothing() -> None:
    """The first update is waited for as long as ever."""
    begun = module._now()
    _, result = await opened(Service(FakeSocket(None)))
    assert 10.0 <= module._now() - begun < 10.1
    assert result == VoiceClosed(VoiceEnd.UNREACHABLE, "Voice Live did not take the session settings within 10 s")


@pytest.mark.parametrize("mode", ["log", "off"])
async def test_a_negotiation_that_is_off(mode: Negotiate) -> None:
    """The call ends at the first refusal; ``log`` says what would have been left out."""
    socket = FakeSocket(error(param="session.metadata"), ready())
    with capture_logs() as logs:
        _, result = await opened(Service(socket, negotiate=mode))
    assert isinstance(result, VoiceClosed)
    assert result.end is VoiceEnd.REFUSED
    assert sent(socket) == [SESSION]
    entries = [entry for entry in logs if entry["event"] == "session_reduced"]
    assert [(entry["left_out"], entry["only_logged"]) for entry in entries] == (
        [(["metadata"], True)] if mode == "log" else []
    )


@pytest.mark.parametrize("echoed", ["pcm16", "g711_alaw"])
async def test_another_format_than_asked_for_is_a_refusal(echoed: str) -> None:
    """The caller would hear noise: ``pcm16`` is asked for, which is converted."""
    socket = FakeSocket(ready(output_audio_format=echoed), ready(output_audio_format="pcm16"))
    opening, result = await opened(Service(socket))
    assert isinstance(result, Opened)
    assert [session["output_audio_format"] for session in sent(socket)] == ["g711_ulaw", "pcm16"]
    assert result.left_out == ("output_audio_format",)
    refusal = opening.attempts[0].refusal
    assert refusal is not None
    assert refusal.words == f"output_audio_format is {echoed}, where g711_ulaw was asked for"


async def test_a_format_that_stays_wrong_ends_the_call() -> None:
    """So does another rate of the caller's audio, which is never anything else."""
    wrong = ready(output_audio_format="g711_alaw")
    _, result = await opened(Service(FakeSocket(*[wrong] * 3), FakeSocket(*[wrong] * 3)))
    assert isinstance(result, VoiceClosed)
    assert result.end is VoiceEnd.REFUSED
    socket = FakeSocket(ready(input_audio_format="pcm16"))
    _, result = await opened(Service(socket))
    assert isinstance(result, VoiceClosed)
    assert len(sent(socket)) == 1


async def test_another_voice_is_a_warning() -> None:
    """Once an hour in the log, and counted each time."""
    voice = {"type": "azure-standard", "name": "en-US-AvaNeural"}
    service = Service(FakeSocket(ready(voice=voice)), FakeSocket(ready(voice=voice)))
    with capture_logs() as logs:
        for _ in range(2):
            _, result = await opened(service)
            assert isinstance(result, Opened)
    (entry,) = [entry for entry in logs if entry["event"] == "session_differs"]
    assert entry["detail"] == "voice.name is en-US-AvaNeural, where en-US-AvaMultilingualNeural was asked for"
    assert service.watched.differ == ["voice", "voice"]


NO_MODEL = error(code="invalid_model", event_id=None, message="Model gpt-realtime is not supported in this region.")


@pytest.mark.parametrize(
    "failure",
    [
        lambda: FakeSocket(NO_MODEL),
        lambda: FakeSocket(error(param="session.instructions")),
        lambda: VoiceRefusedError("404", status=404),
    ],
)
async def test_another_model_of_the_line_answers(failure: Callable[[], FakeSocket | Exception]) -> None:
    """At once; the next call begins with it, and says so."""
    service = Service(failure(), FakeSocket(ready()), FakeSocket(ready()))
    with capture_logs() as logs:
        _, result = await opened(service, FIRST, SECOND)
        assert isinstance(result, Opened)
        assert result.proposal.answering == SECOND
        await opened(service, FIRST, SECOND)
    assert service.asked == [FIRST, SECOND, SECOND]
    assert service.watched.reduced == ["model", "model"]
    (entry,) = [entry for entry in logs if entry["event"] == "session_reduced"]
    assert (entry["model"], entry["left_out"]) == ("gpt-4.1-mini", ["model"])


async def test_a_model_whose_sessions_fail_may_be_tried_again() -> None:
    """Where every model of the line failed, they are tried in their order."""
    service = Service(*(FakeSocket(NO_MODEL) for _ in range(3)), FakeSocket(ready()))
    _, result = await opened(service, FIRST, SECOND)
    assert isinstance(result, VoiceClosed)
    assert "not supported in this region" in result.detail
    _, result = await opened(service, FIRST, SECOND)
    assert isinstance(result, Opened)
    assert service.asked == [FIRST, SECOND, FIRST, SECOND]


@pytest.mark.parametrize(
    "failure", [VoiceRefusedError("401", status=401), VoiceUnreachableError("nobody"), VoiceRefusedError("no token")]
)
async def test_a_wrong_key_is_wrong_for_every_model(failure: Exception) -> None:
    """The next one is not asked."""
    service = Service(failure)
    _, result = await opened(service, FIRST, SECOND)
    end = VoiceEnd.REFUSED if isinstance(failure, VoiceRefusedError) else VoiceEnd.UNREACHABLE
    assert result == VoiceClosed(end, str(failure))
    assert service.asked == [FIRST]


@pytest.mark.parametrize(
    "failing",
    [
        lambda: VoiceRefusedError("429", status=429, passes=True),
        lambda: VoiceUnreachableError("503", status=503, passes=True),
        lambda: VoiceUnreachableError("reset", passes=True),
        lambda: FakeSocket(error(code="rate_limit_exceeded", event_id=None)),
    ],
    ids=["429", "503", "reset", "error event"],
)
@virtual_time
async def test_what_passes_is_tried_once_more(
    failing: Callable[[], FakeSocket | Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a short time at random; the second failure is the end."""
    failure = failing()
    monkeypatch.setattr(module, "RETRY_S", (0.2, 0.6))
    begun = module._now()
    _, result = await opened(Service(failure, FakeSocket(ready())))
    assert isinstance(result, Opened)
    assert 0.2 <= module._now() - begun <= 0.62
    if isinstance(failure, Exception):
        _, result = await opened(Service(failure, failure))
        assert isinstance(result, VoiceClosed)


async def test_a_quota_that_stays_used_up_ends_the_call() -> None:
    """Nothing is left out for it, and no other model is asked."""
    sockets = [FakeSocket(error(code="rate_limit_exceeded", event_id=None)) for _ in range(2)]
    service = Service(*sockets)
    _, result = await opened(service, FIRST, SECOND)
    assert isinstance(result, VoiceClosed)
    assert "rate_limit_exceeded" in result.detail
    assert [sent(socket) for socket in sockets] == [[SESSION], [SESSION]]


async def test_an_agent_is_asked_for_the_formats_alone_in_the_end() -> None:
    """It may have a voice and turn detection of its own; a close with 1008 is told in words."""
    agent = Agent("desk", "contoso")
    session = {key: value for key, value in SESSION.items() if key not in ("instructions", "tools")}
    socket = FakeSocket(error(), error(2), ready())
    opening = Opening(Service(socket), [Proposal(agent, session, Policy(agent=True))])
    assert isinstance(await opening.run(), Opened)
    assert sent(socket)[-1].keys() == {
        "modalities",
        "input_audio_format",
        "input_audio_sampling_rate",
        "output_audio_format",
    }
    closed = Service(FakeSocket(close_code=1008), FakeSocket(close_code=1008))
    result = await Opening(closed, [Proposal(agent, session, Policy(agent=True))]).run()
    assert isinstance(result, VoiceClosed)
    assert "kind: voice" in result.detail


async def test_the_detail_names_the_session() -> None:
    """A support case needs its id."""
    created = json.dumps({"type": "session.created", "session": {"id": "sess_1", "model": "m"}})
    opening, result = await opened(Service(FakeSocket(created, error(param="session.instructions"))))
    assert isinstance(result, VoiceClosed)
    assert result.detail.endswith("(session sess_1)")
    assert opening.created == {"id": "sess_1", "model": "m"}
