"""Webhooks that come twice: the same answer to a provider that lost the first, nothing to a replay."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.call.refusal import Refusal
from gateway.phone.provider import Answer, WebhookRequest
from gateway.routes import repeats
from gateway.routes.refusals import Refused
from gateway.routes.repeats import REPLAY_WINDOW_S, SAME_ANSWER_S, Outcome, Repeats

URL = "https://gw.example.com/answer/plivo"
FORM = (("CallUUID", "U1"), ("From", "14155550123"))
FAILED = Refused(Refusal.PROVIDER_REFUSED, "answered with 500")


def webhook(
    url: str = URL, form: tuple[tuple[str, str], ...] = FORM, body: bytes = b"", **headers: str
) -> WebhookRequest:
    return WebhookRequest("POST", url, {name.replace("_", "-"): value for name, value in headers.items()}, form, body)


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
    given: Repeats, act: Acts, now_s: float = 0.0, key: str = "k", request: WebhookRequest | None = None
) -> Outcome:
    return await given.once("plivo", request or webhook(), key, now_s, act)


@pytest.mark.parametrize("key", ["k", ""])
async def test_the_same_request_gets_the_same_answer(key: str) -> None:
    """Within a minute and without a second act, whether anything signed tells one request from another or not."""
    given, act = Repeats(3600), Acts()
    answers = [await once(given, act, now_s, key) for now_s in (0.0, 1.0, SAME_ANSWER_S - 1)]
    assert answers == [Answer("answer 1")] * 3
    assert act.done == 1


async def test_a_replay_is_refused() -> None:
    """The key of an answered request opens nothing later, as long as any provider's signature is good."""
    given, act = Repeats(3600), Acts()
    await once(given, act)
    for now_s in (SAME_ANSWER_S, REPLAY_WINDOW_S - 1):
        refused = await once(given, act, now_s)
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.detail) == (Refusal.REPLAYED, f"it came before, {now_s:.0f} s ago")
    assert act.done == 1


async def test_without_a_key_a_later_request_is_a_new_one() -> None:
    """A flow may ask for the same thing again: nothing that is signed tells whether it does."""
    given, act = Repeats(3600), Acts()
    assert await once(given, act, 0.0, "") == Answer("answer 1")
    assert await once(given, act, SAME_ANSWER_S, "") == Answer("answer 2")


async def test_an_answer_is_kept_no_longer_than_its_token_lives() -> None:
    """An answer with a token that has run out would connect the call with nothing."""
    given, act = Repeats(5), Acts()
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
    given, act = Repeats(3600), Acts()
    await once(given, act)
    refused = await once(given, act, 1.0, request=other)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.REPLAYED
    assert act.done == 1


async def test_a_body_may_number_its_tries() -> None:
    """With an event's id for a key it is the same event; without any key it is another request."""
    given, act = Repeats(3600), Acts()
    bodies = [webhook(form=(), body=b'{"attempt":%d}' % number) for number in (1, 2)]
    assert [await once(given, act, 1.0, "id", body) for body in bodies] == [Answer("answer 1")] * 2
    assert [await once(given, act, 1.0, "", body) for body in bodies] == [Answer("answer 2"), Answer("answer 3")]


async def test_twilio_says_which_requests_are_one() -> None:
    """A flow that comes back to the same webhook has another token for its tries."""
    given, act = Repeats(3600), Acts()
    tokens = [webhook(i_twilio_idempotency_token=token) for token in ("a", "a", "b")]
    answers = [await once(given, act, 1.0, "", request) for request in tokens]
    assert answers == [Answer("answer 1"), Answer("answer 1"), Answer("answer 2")]


async def test_providers_are_told_apart() -> None:
    """The nonce of one is no nonce of another."""
    given, act = Repeats(3600), Acts()
    for provider in ("plivo", "vobiz"):
        await given.once(provider, webhook(), "k", 0.0, act)
    assert act.done == 2


@pytest.mark.parametrize("key", ["k", ""])
async def test_an_answer_in_the_making_is_shared(key: str) -> None:
    """The provider gave up waiting and asks again while the first is being answered."""
    given, act = Repeats(3600), Acts()
    act.open.clear()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(once(given, act, 1.0, key)) for _ in range(3)]
        await act.begun.wait()
        act.open.set()
    assert [task.result() for task in asked] == [Answer("answer 1")] * 3


@pytest.mark.parametrize("key", ["k", ""])
async def test_what_failed_may_be_asked_for_again(key: str) -> None:
    """A refusal is shared by those who wait for it and forgotten then: the provider asks again, and is heard."""
    given, act = Repeats(3600), Acts(FAILED)
    act.open.clear()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(once(given, act, 1.0, key)) for _ in range(2)]
        await act.begun.wait()
        act.open.set()
    assert [task.result() for task in asked] == [FAILED] * 2
    assert await once(given, act, 2.0, key) == Answer("answer 2")


@pytest.mark.parametrize("end", [lambda task: task.cancel(), None])
async def test_who_waits_takes_over_from_one_that_broke_off(
    end: Callable[[asyncio.Task[Outcome]], object] | None,
) -> None:
    """A request that is cancelled, or fails by a bug, leaves no other waiting for ever."""
    given, act = Repeats(3600), Acts(*([] if end else [ZeroDivisionError()]))
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


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first, by number and by age."""
    monkeypatch.setattr(repeats, "KEYS_LIMIT", 4)
    monkeypatch.setattr(repeats, "ANSWERS_LIMIT", 3)
    given, act = Repeats(3600), Acts()
    for number in range(10):
        await once(given, act, 1.0, f"k{number}")
    assert (len(given._given), list(given._used)) == (3, [f"plivo k{number}" for number in range(6, 10)])
    await once(given, act, 1.0 + REPLAY_WINDOW_S, "k")
    assert (len(given._given), list(given._used)) == (1, ["plivo k"])
