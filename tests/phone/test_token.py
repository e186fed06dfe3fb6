"""The stream's own key."""

import pytest

from gateway.phone import token as token_module
from gateway.phone.provider import Grant, SignatureError
from gateway.phone.token import StreamTokens

GRANT = Grant("support", "CA1", "+14155550100", "+14255550100")
NOW = 1_790_000_000.0


def test_a_token_vouches_for_its_call_once() -> None:
    """What was issued comes back, and only the first time."""
    tokens = StreamTokens("key", 60)
    token = tokens.issue("twilio", GRANT, NOW)
    assert tokens.redeem("twilio", token, NOW + 59) == GRANT
    with pytest.raises(SignatureError, match="used before"):
        tokens.redeem("twilio", token, NOW + 59)


def test_a_token_expires() -> None:
    """A token found in a log a minute later opens nothing."""
    tokens = StreamTokens("key", 60)
    token = tokens.issue("twilio", GRANT, NOW)
    with pytest.raises(SignatureError, match="too old"):
        tokens.redeem("twilio", token, NOW + 62)


def test_a_token_is_bound_to_its_provider() -> None:
    """A token for one provider's stream opens no other's."""
    tokens = StreamTokens("key", 60)
    with pytest.raises(SignatureError, match="issued to twilio"):
        tokens.redeem("plivo", tokens.issue("twilio", GRANT, NOW), NOW)


def test_every_altered_byte_is_refused() -> None:
    """Whatever is changed, cut off or added, nothing is vouched for."""
    tokens = StreamTokens("key", 60)
    token = tokens.issue("twilio", GRANT, NOW)
    for position, letter in enumerate(token):
        altered = token[:position] + ("A" if letter != "A" else "B") + token[position + 1 :]
        if position == len(token) - 1:
            continue  # the last letter of base64 has bits that mean nothing
        with pytest.raises(SignatureError):
            tokens.redeem("twilio", altered, NOW)
    for wrong in ("", "A", "…", token[:-8], token + "AAAA", "\x00", "A" * 10_000):
        with pytest.raises(SignatureError):
            tokens.redeem("twilio", wrong, NOW)


def test_replicas_share_a_key() -> None:
    """Any process with the key redeems what another issued; one with another key does not."""
    token = StreamTokens("key", 60).issue("twilio", GRANT, NOW)
    assert StreamTokens("key", 60).redeem("twilio", token, NOW) == GRANT
    with pytest.raises(SignatureError):
        StreamTokens("another", 60).redeem("twilio", token, NOW)


def test_a_key_is_replaced_while_calls_come_in() -> None:
    """A replica with both keys issues with the new one and redeems either; each token is still good once."""
    old, both, new = StreamTokens("old", 60), StreamTokens("new", 60, "old"), StreamTokens("new", 60)
    issued = old.issue("twilio", GRANT, NOW)
    assert both.redeem("twilio", issued, NOW) == GRANT
    with pytest.raises(SignatureError, match="used before"):
        both.redeem("twilio", issued, NOW)
    assert new.redeem("twilio", both.issue("twilio", GRANT, NOW), NOW) == GRANT
    with pytest.raises(SignatureError):
        old.redeem("twilio", both.issue("twilio", GRANT, NOW), NOW)
    with pytest.raises(SignatureError):
        both.redeem("twilio", old.issue("twilio", GRANT, NOW), NOW + 61)


def test_a_token_shows_nothing() -> None:
    """Whoever reads the path in a proxy's log learns no number, call or line from it, and it fits into a path."""
    token = StreamTokens("key", 60).issue("twilio", GRANT, NOW)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(token) < 400


def test_memory_of_used_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that are too old to be used again are forgotten, and never more than a limit is kept."""
    monkeypatch.setattr(token_module, "USED_LIMIT", 10)
    tokens = StreamTokens("key", 60)
    for number in range(50):
        tokens.redeem("twilio", tokens.issue("twilio", GRANT, NOW + number), NOW + number)
    assert len(tokens._used) == 10
    tokens.redeem("twilio", tokens.issue("twilio", GRANT, NOW + 1000), NOW + 1000)
    assert len(tokens._used) == 1
