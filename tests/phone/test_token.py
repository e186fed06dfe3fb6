"""The stream's own key."""

import pytest

from gateway.phone.provider import Grant, SignatureError
from gateway.phone.token import StreamTokens

GRANT = Grant("support", "CA1", "+14155550100", "+14255550100")
NOW = 1_790_000_000.0


def test_a_token_vouches_for_its_call() -> None:
    """What was issued comes back; the nonce tells it from another token of the same call."""
    tokens = StreamTokens("key", 60)
    first, second = (tokens.read("twilio", tokens.issue("twilio", GRANT, NOW), NOW + 59) for _ in range(2))
    assert first.grant == second.grant == GRANT
    assert first.nonce != second.nonce


def test_a_token_expires() -> None:
    """A token found in a log a minute later opens nothing."""
    tokens = StreamTokens("key", 60)
    token = tokens.issue("twilio", GRANT, NOW)
    with pytest.raises(SignatureError, match="too old"):
        tokens.read("twilio", token, NOW + 62)


@pytest.mark.parametrize(("life_s", "good_s"), [(30, 29), (3600, 59)])
def test_a_token_may_be_good_for_less_time_than_others(life_s: float, good_s: float) -> None:
    """And never for more."""
    tokens = StreamTokens("key", 60)
    token = tokens.issue("browser", GRANT, NOW, life_s)
    assert tokens.read("browser", token, NOW + good_s).grant == GRANT
    with pytest.raises(SignatureError, match="too old"):
        tokens.read("browser", token, NOW + min(life_s, 62))


def test_a_token_is_bound_to_its_provider() -> None:
    """A token for one provider's stream opens no other's."""
    tokens = StreamTokens("key", 60)
    with pytest.raises(SignatureError, match="issued to twilio"):
        tokens.read("plivo", tokens.issue("twilio", GRANT, NOW), NOW)


def test_every_altered_byte_is_refused() -> None:
    """Whatever is changed, cut off or added, nothing is vouched for."""
    tokens = StreamTokens("key", 60)
    token = tokens.issue("twilio", GRANT, NOW)
    for position, letter in enumerate(token):
        altered = token[:position] + ("A" if letter != "A" else "B") + token[position + 1 :]
        if position == len(token) - 1:
            continue  # the last letter of base64 has bits that mean nothing
        with pytest.raises(SignatureError):
            tokens.read("twilio", altered, NOW)
    for wrong in ("", "A", "…", token[:-8], token + "AAAA", "\x00", "A" * 10_000):
        with pytest.raises(SignatureError):
            tokens.read("twilio", wrong, NOW)


def test_replicas_share_a_key() -> None:
    """Any process with the key reads what another issued; one with another key does not."""
    token = StreamTokens("key", 60).issue("twilio", GRANT, NOW)
    assert StreamTokens("key", 60).read("twilio", token, NOW).grant == GRANT
    with pytest.raises(SignatureError):
        StreamTokens("another", 60).read("twilio", token, NOW)


def test_a_key_is_replaced_while_calls_come_in() -> None:
    """A replica with both keys issues with the new one and reads either."""
    old, both, new = StreamTokens("old", 60), StreamTokens("new", 60, "old"), StreamTokens("new", 60)
    issued = old.issue("twilio", GRANT, NOW)
    assert both.read("twilio", issued, NOW).grant == GRANT
    assert new.read("twilio", both.issue("twilio", GRANT, NOW), NOW).grant == GRANT
    with pytest.raises(SignatureError):
        old.read("twilio", both.issue("twilio", GRANT, NOW), NOW)
    with pytest.raises(SignatureError):
        both.read("twilio", old.issue("twilio", GRANT, NOW), NOW + 61)


def test_a_token_shows_nothing() -> None:
    """Whoever reads the path in a proxy's log learns no number, call or line from it, and it fits into a path."""
    token = StreamTokens("key", 60).issue("twilio", GRANT, NOW)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(token) < 400
