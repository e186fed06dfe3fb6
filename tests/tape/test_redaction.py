import json
from typing import Any

import pytest

from gateway.tape.fakes import Fakes, is_fake
from gateway.tape.redaction import Redaction

SECRET = "s3cr3t-of-the-shop"


@pytest.fixture
def redaction() -> Redaction:
    """One that knows a secret."""
    return Redaction(Fakes(b"key"), [SECRET], ["my-resource.services.ai.azure.com"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("type", "response.audio.delta"),
        ("event", "brand_new_event"),
        ("status", "completed"),
        ("code", "invalid_request_error"),
        ("param", "session.turn_detection.type"),
        ("sequenceNumber", "17"),
        ("timestamp", "1705312200000"),
        ("timestamp", "2026-11-29T17:00:00.123Z"),
        ("position", "PT1.2S"),
        ("version", "1.0.0"),
        ("encoding", "audio/x-mulaw"),
        ("name", "en-US-Ava:DragonHDLatestNeural"),
        ("model", "gpt-realtime"),
        ("mark", "g1-17"),
        ("request_id", "request-3"),
        ("phase", "final_answer"),
    ],
)
def test_the_protocol_stays(redaction: Redaction, name: str, text: str) -> None:
    """What a report needs, new words of the peer included."""
    assert redaction.text(text, name) == text


@pytest.mark.parametrize(
    ("name", "text", "begins"),
    [
        ("transcript", "completed", "$text 9 "),
        ("instructions", "You are Bob.", "$text 12 "),
        ("delta", " hello", "$text 6 "),
        ("CallerName", "alice", "$text 5 "),
        ("anything", "Alice Jones", "$text 11 "),
        ("anything", "alice", "$text 5 "),
        ("from", "+14155550123", "+999"),
        ("anything", "(415) 555-0123", "999"),
        ("participantRawID", "4:+14155550123", "4:+999"),
        ("mail", "bob@example.com", "$text "),
        ("X-Twilio-Signature", "abc=", "$secret 4"),
        ("access_token", "abc", "$secret 3"),
        ("anything", SECRET, "$secret 18"),
        ("callSid", "CA0123456789abcdef0123456789abcdef", "CAfa4e"),
        ("anything", "item_AbC12xyzzyAbC12xyzzy12", "item_fa4e"),
        ("url", "https://shop.example.com/v1/orders/4711abcdef?token=abc", "https://host-"),
    ],
)
def test_people_and_secrets_go(redaction: Redaction, name: str, text: str, begins: str) -> None:
    """Whatever the member is called, and whatever is a word of the protocol elsewhere."""
    assert redaction.text(text, name).startswith(begins)


def test_keys_that_were_pressed_go_and_their_ends_stay(redaction: Redaction) -> None:
    """In each provider's way of writing them."""
    assert redaction.value({"dtmf": {"digit": "7"}}) == {"dtmf": {"digit": "5"}}
    assert redaction.value({"dtmf": "1234#"}) == {"dtmf": "5555#"}
    assert redaction.value({"dtmfData": {"data": "9"}}) == {"dtmfData": {"data": "5"}}
    assert redaction.value({"event": "dtmf", "dtmf": 7}) == {"event": "dtmf", "dtmf": 5}


def test_arguments_of_a_tool_keep_their_shape(redaction: Redaction) -> None:
    """JSON inside of a text stays JSON, without its words and numbers; an output does not."""
    shown = redaction.value({"arguments": '{"order":"17b","phone":"+14155550123","count":4,"amount":4711}'})
    read: dict[str, Any] = json.loads(shown["arguments"])
    assert list(read) == ["order", "phone", "count", "amount"]
    assert read["order"].startswith("$text 3")
    assert read["phone"].startswith("+999")
    assert read["count"] == 4
    assert read["amount"] != 4711
    assert redaction.value({"output": '{"state":"shipped"}'})["output"].startswith("$text 19")


def test_an_error_is_kept_word_for_word_without_what_it_quotes(redaction: Redaction) -> None:
    """Ids, numbers, addresses, secrets, and texts of this call."""
    redaction.text("You are the bot of Quirkwood Fishmongers.", "instructions")
    said = (
        "Invalid value: 'You are the bot of Quirkwood Fishmongers.'. Item 'item_AbC12xyzzyAbC12xyzzy12' of "
        f"+14155550123 or bob@example.com cannot use {SECRET} at https://my-resource.services.ai.azure.com/x."
    )
    shown = redaction.text(said, "message")
    assert shown.startswith("Invalid value: '$text 41 ")
    assert " cannot use … at https://host-" in shown
    for gone in ("Quirkwood", "AbC12", "415555", "bob@", SECRET, "my-resource"):
        assert gone not in shown
    plain = "Conversation already has an active response in progress: wait until it is finished."
    assert redaction.text(plain, "message") == plain


def test_the_key_of_a_stream_goes(redaction: Redaction) -> None:
    """The path up to the line stays."""
    url = redaction.url("wss://voice.example.com/stream/twilio/support/gAAAAtoken")
    assert url.endswith("/stream/twilio/support/$secret-10")
    assert "voice.example.com" not in url
    assert (
        redaction.url("https://api.twilio.com/2010-04-01/Accounts/x") == "https://api.twilio.com/2010-04-01/Accounts/x"
    )


def test_control_in_words_is_read_by_its_names(redaction: Redaction) -> None:
    """As Asterisk speaks."""
    shown = redaction.words("MEDIA_START channel_id:1761245643.1 format:ulaw ptime:20")
    assert shown.startswith("MEDIA_START channel_id:fa4e")
    assert shown.endswith("format:ulaw ptime:20")
    assert redaction.words("MARK_MEDIA g1-2") == "MARK_MEDIA g1-2"


def test_a_member_whose_name_is_somebodys_goes(redaction: Redaction) -> None:
    """Numbers, secrets and sentences as names."""
    names = list(redaction.value({"+14155550123": 1, SECRET: 1, "what she said": 1, "good_name": 1}))
    assert names[-1] == "good_name"
    assert all(name.startswith("$text ") for name in names[:-1])


def test_what_is_redacted_stays_as_it_is(redaction: Redaction) -> None:
    """So that a check can redact again and compare."""
    message = {
        "type": "x",
        "from": "+14155550123",
        "item_id": "item_AbC12xyzzyAbC12xyzzy12",
        "arguments": '{"a":"b c"}',
        "message": "Item 'item_AbC12xyzzyAbC12xyzzy12' is of 'Alice Jones' at +14155550123",
        "url": "https://a.example.com/stream/twilio/support/token?from=%2B14155550123&id=abc12345678",
        "sip": "sip:alice@pbx.example.com",
    }
    once = redaction.value(message)
    assert Redaction(Fakes(b"another")).value(once) == once


def test_deep_nesting_ends() -> None:
    """A peer cannot exhaust the stack of the writer."""
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert "$deep" in json.dumps(Redaction(Fakes(b"key")).value(deep))


def test_a_fake_is_recognized_everywhere(redaction: Redaction) -> None:
    """Each kind of replacement is known as one."""
    for name, text in (("from", "+14155550123"), ("id", "abc1234567890"), ("text", "hi"), ("token", "abc")):
        assert is_fake(redaction.text(text, name))
