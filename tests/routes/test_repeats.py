"""Webhooks that come twice: the same answer to a provider that lost the first, nothing to a replay."""

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from gateway.call.refusal import Refusal
from gateway.fleet.memory import Memory
from gateway.fleet.used import SIZE, SharedUsedKeys
from gateway.phone.webhook import Answer, WebhookRequest
from gateway.routes import repeats
from gateway.routes.refusing.refusals import Refused
from gateway.routes.repeats import REPLAY_WINDOW_S, SAME_ANSWER_S, Outcome, Repeats

URL = "https://gw.example.com/answer/plivo"
FORM = (("CallUUID", "U1"), ("From", "14155550123"))
FAILED = Refused(Refusal.PROVIDER_REFUSED, "answered with 500")


def webhook(
    url: str = URL, form: tuple[tuple[str, str], ...] = FORM, body: bytes = b"", **headers: str
) -> WebhookRequest:
    return WebhookRequest("POST", url, {name.replace("_", "-"): value for name, value in headers.items()}, form, body)


class Clock:
    """The time of the memory, in seconds."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Remembering(Repeats):
    """One worker's, on a clock of its own; without ``memory`` it is alone."""

    def __init__(self, token_ttl_s: float = 3600, memory: Memory | None = None) -> None:
        self.clock = Clock()
        super().__init__(token_ttl_s, SharedUsedKeys(memory or Memory(SIZE), 0, self.clock))


class Acts:
    """Counts what is done, and leads to what it is given; the last outcome again and again."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self._outcomes = list(outcomes)
        self.done = 0
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self) -> Outcome:
        self.done += 1
        self.begun.set()
        await self.open.wait()
        outcome = self._outcomes.pop(0) if self._outcomes else Answer(f"answer {self.done}")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def once(
    given: Remembering, act: Acts, now_s: float = 0.0, key: str = "k", request: WebhookRequest | None = None
) -> Outcome:
    given.clock.now_s = now_s
    return await given.once("plivo", request or webhook(), key, now_s, act)


@pytest.mark.parametrize("key", ["k", ""])
async def test_the_same_request_gets_the_same_answer(key: str) -> None:
    """Within a minute and without a second act, whether anything signed tells one request from another or not."""
    given, act = Remembering(), Acts()
    with capture_logs() as logs:
        answers = [await once(given, act, now_s, key) for now_s in (0.0, 1.0, SAME_ANSWER_S - 1)]
    assert logs == [{"event": "webhook_repeated", "provider": "plivo", "log_level": "info"}] * 2
    assert answers == [Answer("answer 1")] * 3
    assert act.done == 1


async def test_the_same_answer_is_given_for_a_minute_and_none_for_a_day() -> None:
    """A provider that had no answer asks again within seconds; a signature without a time never grows old."""
    given, act = Remembering(), Acts()
    assert [await once(given, act, now_s) for now_s in (0.0, 59.0)] == [Answer("answer 1")] * 2
    for now_s in (61.0, 3600.0, 86_399.0):
        assert isinstance(await once(given, act, now_s), Refused)
    assert await once(given, act, 86_401.0) == Answer("answer 2")


async def test_a_replay_is_refused() -> None:
    """The key of an answered request opens nothing later, as long as any provider's signature is good."""
    given, act = Remembering(), Acts()
    await once(given, act)
    for now_s in (SAME_ANSWER_S, REPLAY_WINDOW_S - 1):
        refused = await once(given, act, now_s)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.REPLAYED
        assert refused.detail in (f"it came before, {now_s:.0f} s ago", "it came before")
    assert act.done == 1


async def test_without_a_key_a_later_request_is_a_new_one() -> None:
    """A flow may ask for the same thing again: nothing that is signed tells whether it does."""
    given, act = Remembering(), Acts()
    assert await once(given, act, 0.0, "") == Answer("answer 1")
    assert await once(given, act, SAME_ANSWER_S, "") == Answer("answer 2")


async def test_an_answer_is_kept_no_longer_than_its_token_lives() -> None:
    """An answer with a token that has run out would connect the call with nothing."""
    given, act = Remembering(5), Acts()
    assert await once(given, act, 0.0, "") == Answer("answer 1")
    assert await once(given, act, 5.0, "") == Answer("answer 2")


@pytest.mark.parametrize(
    "other",
    [
        webhook(f"{URL}/support"),
        webhook(f"{URL}?transfer=1"),
        webhook(form=(("CallUUID", "U2"), ("From", "14155550123"))),
        webhook(form=(("CallUUID", "U1F"), ("rom", "14155550123"))),
        WebhookRequest("GET", URL, {}, FORM),
    ],
)
async def test_the_same_key_with_another_request_is_a_replay(other: WebhookRequest) -> None:
    """Not every signature covers method, address and form: a nonce that was heard is no leave to change them."""
    given, act = Remembering(), Acts()
    await once(given, act)
    refused = await once(given, act, 1.0, request=other)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.REPLAYED
    assert act.done == 1


async def test_a_body_may_number_its_tries() -> None:
    """With an event's id for a key it is the same event; without any key it is another request."""
    given, act = Remembering(), Acts()
    bodies = [webhook(form=(), body=b'{"attempt":%d}' % number) for number in (1, 2)]
    assert [await once(given, act, 1.0, "id", body) for body in bodies] == [Answer("answer 1")] * 2
    assert [await once(given, act, 1.0, "", body) for body in bodies] == [Answer("answer 2"), Answer("answer 3")]


async def test_twilio_says_which_requests_are_one() -> None:
    """A flow that comes back to the same webhook has another token for its tries."""
    given, act = Remembering(), Acts()
    tokens = [webhook(i_twilio_idempotency_token=token) for token in ("a", "a", "b")]
    answers = [await once(given, act, 1.0, "", request) for request in tokens]
    assert answers == [Answer("answer 1"), Answer("answer 1"), Answer("answer 2")]


async def test_providers_are_told_apart() -> None:
    """The nonce of one is no nonce of another."""
    given, act = Remembering(), Acts()
    for provider in ("plivo", "vobiz"):
        await given.once(provider, webhook(), "k", 0.0, act)
    assert act.done == 2


@pytest.mark.parametrize("key", ["k", ""])
async def test_an_answer_in_the_making_is_shared(key: str) -> None:
    """The provider gave up waiting and asks again while the first is being answered."""
    given, act = Remembering(), Acts()
    act.open.clear()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(once(given, act, 1.0, key)) for _ in range(3)]
        await act.begun.wait()
        act.open.set()
    assert [task.result() for task in asked] == [Answer("answer 1")] * 3


@pytest.mark.parametrize("key", ["k", ""])
async def test_what_failed_may_be_asked_for_again(key: str) -> None:
    """A refusal is shared by those who wait for it and forgotten then: the provider asks again, and is heard."""
    given, act = Remembering(), Acts(FAILED)
    act.open.clear()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(once(given, act, 1.0, key)) for _ in range(2)]
        await act.begun.wait()
        act.open.set()
    assert [task.result() for task in asked] == [FAILED] * 2
    assert await once(given, act, 2.0, key) == Answer("answer 2")


async def test_what_failed_may_be_asked_for_much_later() -> None:
    """Some providers try again after minutes; what was answered then is used."""
    given, act = Remembering(), Acts(FAILED)
    assert await once(given, act) == FAILED
    assert await once(given, act, 10 * SAME_ANSWER_S) == Answer("answer 2")
    assert isinstance(await once(given, act, 20 * SAME_ANSWER_S), Refused)


@pytest.mark.parametrize("end", [lambda task: task.cancel(), None])
async def test_who_waits_takes_over_from_one_that_broke_off(
    end: Callable[[asyncio.Task[Outcome]], object] | None,
) -> None:
    """A request that is cancelled, or fails by a bug, leaves no other waiting for ever."""
    given, act = Remembering(), Acts(*([] if end else [ZeroDivisionError()]))
    act.open.clear()
    loop = asyncio.get_running_loop()
    first, second = (loop.create_task(once(given, act, 1.0)) for _ in range(2))
    await act.begun.wait()
    act.open.set()
    if end:
        end(first)
    with pytest.raises((asyncio.CancelledError, ZeroDivisionError)):
        await first
    assert await second == Answer("answer 2")
    assert await once(given, act, 2.0) == Answer("answer 2")


async def test_who_gives_up_waiting_ends_nothing_for_others() -> None:
    """The provider closed the connection of its second try: the first is answered all the same."""
    given, act = Remembering(), Acts()
    act.open.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(once(given, act, 1.0))
        await act.begun.wait()
        second = group.create_task(once(given, act, 1.0))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        act.open.set()
    assert first.result() == Answer("answer 1")
    assert await once(given, act, 2.0) == Answer("answer 1")


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest answers go first, by number and by age; the keys have a table of a fixed size."""
    monkeypatch.setattr(repeats, "ANSWERS_LIMIT", 3)
    given, act = Remembering(), Acts()
    for number in range(10):
        await once(given, act, 1.0, f"k{number}")
    assert len(given._given) == 3
    assert await once(given, act, 2.0, "k9") == Answer("answer 10")
    await once(given, act, 1.0 + REPLAY_WINDOW_S, "k")
    assert len(given._given) == 1


async def test_a_replay_is_refused_by_every_worker() -> None:
    """What one has answered another refuses: later, and at once where the request is another one."""
    memory = Memory(SIZE)
    (first, second), act = (Remembering(3600, memory) for _ in range(2)), Acts()
    await once(first, act)
    for now_s, request in ((1.0, webhook(f"{URL}/support")), (SAME_ANSWER_S, webhook()), (REPLAY_WINDOW_S - 1, None)):
        refused = await once(second, act, now_s, request=request)
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.REPLAYED
        assert refused.detail in (f"it came before, {now_s:.0f} s ago", "it came before")
    assert act.done == 1
    assert await once(second, act, REPLAY_WINDOW_S) == Answer("answer 2")


async def test_a_provider_that_asks_another_worker_again_is_answered() -> None:
    """The answer of the first was lost: the call must not be lost too."""
    memory = Memory(SIZE)
    (first, second), act = (Remembering(3600, memory) for _ in range(2)), Acts()
    assert await once(first, act) == Answer("answer 1")
    assert await once(second, act, SAME_ANSWER_S - 1) == Answer("answer 2")
    assert await once(second, act, SAME_ANSWER_S) == Answer("answer 2")


async def test_what_failed_at_one_worker_may_be_asked_of_another() -> None:
    """The provider asks again; and what another has answered meanwhile stays used."""
    memory = Memory(SIZE)
    first, second, third = (Remembering(3600, memory) for _ in range(3))
    failing, act = Acts(FAILED), Acts()
    assert await once(first, Acts(FAILED), 0.0) == FAILED
    failing.open.clear()
    asked = asyncio.get_running_loop().create_task(once(first, failing, 1.0))
    await failing.begun.wait()
    assert await once(second, act, 1.0) == Answer("answer 1")
    assert await once(third, Acts(FAILED), 1.0) == FAILED
    failing.open.set()
    assert await asked == FAILED
    refused = await once(third, act, 1.0 + SAME_ANSWER_S)
    assert isinstance(refused, Refused)
