"""The parts of a provider that a test asks, and the requests of steps."""

from collections.abc import Callable, Generator

import msgspec

from gateway.phone.provider import CallCommands, Proof, Provider, Setup, Upgrade
from gateway.phone.requests import HttpRequest, Requests, Result, Steps
from gateway.phone.webhook import After, Answer, Connect, IncomingCall, Webhooks

TOKEN_ANSWER = b'{"access_token":"token"}'


def setup(name: str, answer_url: str = "", now_s: Callable[[], float] = lambda: 0.0) -> Setup:
    """What a provider is made with."""
    return Setup(name, answer_url, now_s)


def webhooks(provider: Provider) -> Webhooks:
    """The webhooks of a provider that has them."""
    assert provider.webhooks is not None
    return provider.webhooks


def commands(provider: Provider) -> CallCommands:
    """The REST API of a provider that has one, with its credentials."""
    assert provider.commands is not None
    return provider.commands


def followed(steps: Steps[Result], *answers: bytes) -> tuple[tuple[HttpRequest, ...], Result]:
    """The requests of steps that get these answers, and their result."""
    asked, answered = [], iter(answers)
    try:
        asked.append(next(steps))
        while True:
            asked.append(steps.send(next(answered, b"")))
    except StopIteration as end:
        return tuple(asked), end.value


def written(requests: Requests | None) -> tuple[HttpRequest, ...]:
    """Requests, each answered with a token."""
    if isinstance(requests, Generator):
        return followed(requests, *[TOKEN_ANSWER] * 3)[0]
    return tuple(requests or ())


def answer_call(provider: Provider, call: IncomingCall, connect: Connect, *answers: bytes) -> Answer:
    """The answer to a call, with all the requests before it, which get these answers."""
    answered = webhooks(provider).answer(call, connect)
    if isinstance(answered, Generator):
        requests, last = followed(answered, *answers)
        return msgspec.structs.replace(last, requests=requests)
    return answered


def redirect(provider: Provider, call_id: str, url: str) -> tuple[HttpRequest, ...]:
    """The requests that send a call on to a URL of ours; none where the provider has no API for it."""
    by_api = provider.commands.redirect if provider.commands else None
    return written(by_api(call_id, url) if by_api else None)


def hang_up(provider: Provider, call_id: str) -> tuple[HttpRequest, ...]:
    """The requests that end a call; none where the provider has no API for it."""
    return written(provider.commands.hang_up(call_id) if provider.commands else None)


def transfer(provider: Provider, call_id: str, target: str) -> tuple[HttpRequest, ...]:
    """The requests that transfer a call; none where the provider has no API for it."""
    by_api = provider.commands.transfer if provider.commands else None
    return written(by_api(call_id, target) if by_api else None)


def send_digits(provider: Provider, call_id: str, digits: str) -> tuple[HttpRequest, ...]:
    """The requests that dial digits; none where the provider has no API for it."""
    by_api = provider.commands.send_digits if provider.commands else None
    return written(by_api(call_id, digits) if by_api else None)


def after_stream(provider: Provider, call_id: str, after: After) -> tuple[HttpRequest, ...]:
    """The requests for what follows a stream; none where the provider has no API for it."""
    by_api = provider.commands.after_stream if provider.commands else None
    return written(by_api(call_id, after) if by_api else None)


def verify_upgrade(provider: Provider, upgrade: Upgrade, now_s: float) -> Proof:
    """What the request that opens a stream proves; nothing where the provider proves none."""
    return Proof.NONE if provider.verify_upgrade is None else provider.verify_upgrade(upgrade, now_s)
