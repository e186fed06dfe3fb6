"""Who may open a stream."""

import os
import time

import pytest
from structlog.testing import capture_logs

from gateway.call.metrics import Metrics
from gateway.config import providers as settings
from gateway.config.providers import Twilio as Settings
from gateway.fleet.memory import Memory, shared_file
from gateway.fleet.used import SIZE, SharedUsedKeys
from gateway.phone.provider import Grant, Proof, Provider, SignatureError, UnsignedError, Upgrade
from gateway.phone.providers.browser.provider import Browser
from gateway.phone.providers.twilio.provider import Twilio
from gateway.phone.providers.vonage.provider import TRAITS as GUESSING
from gateway.phone.token import StreamTokens
from gateway.rest import CallControl
from gateway.routes.published_keys import PublishedKeys
from gateway.routes.stream_keys import StreamKeys, note_over, note_stream
from tests.phone.parts import setup

UPGRADE = Upgrade("wss://gw.example.com/stream/twilio")
TWILIO: Provider = Twilio(Settings(), setup("twilio"))
TOKENS = StreamTokens("key", 60)
GRANT = Grant("support", "CA1", "+1", "+2")


class Signing(Twilio):
    """A provider that says what a stream proves, or what is wrong with it."""

    def __init__(self, *proofs: Proof | SignatureError) -> None:
        super().__init__(Settings(), setup("twilio"))
        self.proofs = list(proofs)

    def verify_upgrade(self, upgrade: Upgrade, now_s: float) -> Proof:
        proof = self.proofs.pop(0) if len(self.proofs) > 1 else self.proofs[0]
        if isinstance(proof, SignatureError):
            raise proof
        return proof


class Guessing(Signing):
    """One whose signature has a form that nobody is sure of."""

    traits = GUESSING


class SigningOnce(Signing):
    """One whose signature has a nonce."""

    def upgrade_key(self, upgrade: Upgrade) -> tuple[str, float]:
        return upgrade.url, 17


UNSIGNED, FORGED = UnsignedError("no signature"), SignatureError("a wrong signature")


class Door(StreamKeys):
    """The keys, with a memory and metrics of their own."""

    def __init__(
        self, *, required: bool = True, secret: str = "", shared: int | None = None, always: tuple[str, ...] = ()
    ) -> None:
        self.used = SharedUsedKeys(Memory(SIZE, shared))
        self.metrics = Metrics(["twilio"])
        secrets = {"twilio": (secret,)} if secret else {}
        published = PublishedKeys(CallControl(), self.metrics)
        super().__init__(TOKENS, secrets, published, self.used, self.metrics, required=required, always=always)

    async def open(self, provider: Provider = TWILIO, token: str = "", line: str = "support") -> Grant:
        grant = await self.authorize(provider, UPGRADE, line, token)
        assert isinstance(grant, Grant)
        return grant

    def unproven(self) -> float:
        return self.metrics.registry.get_sample_value("gateway_upgrades_unproven_total", {"provider": "twilio"}) or 0


def token(grant: Grant = GRANT) -> str:
    return TOKENS.issue("twilio", grant, time.time())


async def test_a_token_opens_its_call_once() -> None:
    """The token says whose stream it is, and is used up by it."""
    door, given = Door(), token()
    assert await door.open(token=given) == GRANT
    with pytest.raises(SignatureError, match=r"^the stream's token was used before$"):
        await door.open(token=given)


async def test_a_token_is_remembered_for_all_of_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """And while clocks of workers differ by a second or so; a token that names no call has nothing else to stop it."""
    door, given, began = Door(), token(Grant("support")), time.time()
    moved = [0.0]
    door.used._now = lambda: moved[0]
    monkeypatch.setattr("gateway.routes.stream_keys.time.time", lambda: began + moved[0])
    assert await door.open(token=given) == Grant("support")
    for moved[0] in (1.0, 30.0, 59.0):
        with pytest.raises(SignatureError, match="used before"):
            await door.open(token=given)
    for moved[0] in (62.0, 200.0):
        with pytest.raises(SignatureError, match="too old"):
            await door.open(token=given)


async def test_a_call_has_one_stream() -> None:
    """Another token of the same call opens none; another call and another provider's are not meant."""
    door = Door()
    await door.open(token=token())
    with pytest.raises(SignatureError, match=r"^the call had its stream before$"):
        await door.open(token=token())
    assert await door.open(token=token(Grant("support", "CA2"))) == Grant("support", "CA2")
    assert await door.open(token=token(Grant("support"))) == Grant("support")
    assert await door.open(token=token(Grant("support"))) == Grant("support")


async def test_a_stream_of_another_provider_is_not_meant() -> None:
    """Ids are told apart by their providers."""
    door = Door()
    note_stream(door.used, "vobiz", "CA1")
    assert await door.open(token=token()) == GRANT


async def test_workers_know_of_one_another_s_streams() -> None:
    """A token that one has taken, a call that had its stream there and one that was reported over to it."""
    descriptor = shared_file(SIZE)
    try:
        first, second = Door(shared=descriptor), Door(shared=descriptor)
        given = token()
        await first.open(token=given)
        with pytest.raises(SignatureError, match=r"^the stream's token was used before$"):
            await second.open(token=given)
        with pytest.raises(SignatureError, match=r"^the call had its stream before$"):
            await second.open(token=token())
        note_over(first.used, "twilio", "CA2")
        with pytest.raises(SignatureError, match=r"^the call is over: its provider has reported its end$"):
            await second.open(token=token(Grant("support", "CA2")))
    finally:
        os.close(descriptor)


async def test_a_call_that_is_over_opens_nothing() -> None:
    """Its provider has reported its end; what it said of another's call does not count."""
    door = Door()
    note_over(door.used, "vobiz", "CA1")
    assert await door.open(token=token()) == GRANT
    note_over(door.used, "twilio", "CA2")
    with pytest.raises(SignatureError, match=r"^the call is over: its provider has reported its end$"):
        await door.open(token=token(Grant("support", "CA2")))


async def test_a_token_for_another_line_opens_nothing() -> None:
    """The line in the path is the token's; the token is not used up by the attempt."""
    door, given = Door(), token()
    with pytest.raises(SignatureError, match=r"^the stream's token is for line support$"):
        await door.open(token=given, line="restaurant")
    assert await door.open(token=given) == GRANT


@pytest.mark.parametrize("given", ["", "guessed"])
async def test_without_a_key_nothing_opens(given: str) -> None:
    """Neither nothing nor a guess is a key."""
    told = "the stream's token is forged or too old" if given else "the stream has no token"
    with pytest.raises(SignatureError, match=f"^{told}$"):
        await Door().open(token=given)


async def test_the_providers_secret_opens_a_static_stream() -> None:
    """A dialplan or a static document has the secret in its path, and may leave the line to the called number."""
    door = Door(secret="s3cret")
    for provider in (TWILIO, Signing(UNSIGNED), Signing(Proof.PROVIDER)):
        assert await door.open(provider, "s3cret") == Grant("support")
        assert await door.open(provider, "s3cret", "-") == Grant()
    with pytest.raises(SignatureError):
        await door.open(token="s3cre")
    with pytest.raises(SignatureError):
        await door.open(Signing(FORGED), "s3cret")


async def test_a_signature_of_the_provider_alone_opens_nothing() -> None:
    """It says nothing of the call. One that says that the stream may be opened is a key."""
    assert await Door().open(Signing(Proof.STREAM)) == Grant("support")
    for proof in (Proof.PROVIDER, Proof.NONE, UNSIGNED, FORGED):
        with pytest.raises(SignatureError):
            await Door().open(Signing(proof))


async def test_a_token_alone_is_no_key_where_the_provider_signs() -> None:
    """Who has read it in a log cannot sign; the real stream, which is signed, still has it."""
    door, given = Door(), token()
    for problem in (UNSIGNED, FORGED):
        with pytest.raises(SignatureError, match="signature"):
            await door.open(Signing(problem), given)
    assert await door.open(Signing(Proof.PROVIDER), given) == GRANT


async def test_a_forged_token_costs_no_check_of_a_signature() -> None:
    """The token is read first."""
    with pytest.raises(SignatureError, match="token"):
        await Door().open(Signing(FORGED), "guessed")


async def test_a_signature_of_a_guessed_form_is_demanded_once_one_was_right() -> None:
    """Until then a right token does, with a warning and a count: the form may be another than we know."""
    door = Door()
    with capture_logs() as logs:
        for number, problem in enumerate((UNSIGNED, FORGED)):
            grant = Grant("support", f"CA{number}")
            assert await door.open(Guessing(problem), token(grant)) == grant
    assert logs == [
        {
            "event": "upgrade_unproven",
            "provider": "twilio",
            "detail": "no signature",
            "hint": "the stream's token was right; from the first right signature on it is demanded",
            "log_level": "warning",
        }
    ]
    assert door.unproven() == 2
    assert await door.open(Guessing(Proof.NONE), token(Grant("support", "CA3"))) == Grant("support", "CA3")
    assert await door.open(Guessing(UNSIGNED), token(Grant("support", "CA4"))) == Grant("support", "CA4")
    assert await door.open(Guessing(Proof.PROVIDER), token(Grant("support", "CA5"))) == Grant("support", "CA5")
    for problem in (UNSIGNED, FORGED):
        with pytest.raises(SignatureError, match="signature"):
            await door.open(Guessing(problem), token(Grant("support", "CA6")))
    assert door.unproven() == 3


async def test_off_is_open() -> None:
    """Without a required key the path names the line; a wrong token or signature is still refused."""
    door = Door(required=False)
    assert await door.open(line="") == Grant()
    assert await door.open(Signing(UNSIGNED), line="") == Grant()
    with pytest.raises(SignatureError):
        await door.open(token="guessed", line="")
    with pytest.raises(SignatureError):
        await door.open(Signing(FORGED), line="")


async def test_a_signature_that_comes_once_is_taken_by_one_worker() -> None:
    """By whichever it reaches first; a wrong one uses nothing up, and another provider's nonces are its own."""
    descriptor = shared_file(SIZE)
    try:
        first, second = (Door(shared=descriptor) for _ in range(2))
        with pytest.raises(SignatureError, match="wrong"):
            await first.open(SigningOnce(FORGED))
        await first.open(SigningOnce(Proof.STREAM))
        for door in (first, second):
            with pytest.raises(SignatureError, match=r"^the signature was used before$"):
                await door.open(SigningOnce(Proof.STREAM))
        other = SigningOnce(Proof.STREAM)
        other.name = "another"
        await second.open(other)
    finally:
        os.close(descriptor)


async def test_a_right_signature_at_one_worker_is_demanded_by_all() -> None:
    """Whoever asks another worker without one is no better off."""
    descriptor = shared_file(SIZE)
    try:
        first, second = (Door(shared=descriptor) for _ in range(2))
        await second.open(Guessing(UNSIGNED), token(Grant("support", "CA1")))
        await first.open(Guessing(Proof.PROVIDER), token(Grant("support", "CA2")))
        with pytest.raises(SignatureError, match="signature"):
            await second.open(Guessing(UNSIGNED), token(Grant("support", "CA3")))
    finally:
        os.close(descriptor)


async def test_a_page_s_stream_is_always_proven() -> None:
    """Where no other needs a token, one from anywhere could begin calls through the console's own provider."""
    door = Door(required=False, always=("browser",))
    assert await door.open() == Grant("support")
    with pytest.raises(SignatureError, match=r"^the stream has no token$"):
        await door.open(Browser(settings.Browser(), setup("browser")))
