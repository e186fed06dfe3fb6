"""Vonage's call control objects, exactly as documented."""

import pytest

from gateway.phone.providers.vonage import ncco
from gateway.phone.webhook import After, Connect, IncomingCall

UUID = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
CALL = IncomingCall(UUID, "+14158675309", "+18005551212")
URL = "https://gw.example.com/answer/vonage/support"
AFTER = After("Good bye & thanks.", "en-US", "+14155550111")


def test_a_call_is_connected_to_its_stream() -> None:
    """Exactly the documented members; the call's identity rides along, the end of the stream will be asked about."""
    connect = Connect("wss://gw/s/tok", AFTER, callback_url="https://gw.example.com/status/vonage", call_url=URL)
    assert ncco.written(ncco.stream(CALL, connect, 16000)) == (
        '[{"action":"connect","eventType":"synchronous",'
        f'"eventUrl":["{URL}"],"from":"18005551212",'
        '"endpoint":[{"type":"websocket","uri":"wss://gw/s/tok","content-type":"audio/l16;rate=16000",'
        f'"headers":{{"call_uuid":"{UUID}","to":"18005551212","from":"14158675309"}},'
        '"authorization":{"type":"vonage"}}]}]'
    )


@pytest.mark.parametrize(
    ("connect", "event"),
    [
        (Connect("wss://gw/s"), {}),
        (Connect("wss://gw/s", callback_url="https://gw/status"), {"eventUrl": ["https://gw/status"]}),
        (
            Connect("wss://gw/s", call_url=f"{URL}?x=1"),
            {"eventType": "synchronous", "eventUrl": [f"{URL}?x=1"]},
        ),
    ],
)
def test_events_go_where_they_are_wanted(connect: Connect, event: dict[str, object]) -> None:
    """The URL is named as it is; without one, none is."""
    (action,) = ncco.stream(CALL, connect, 24000)
    assert {name: value for name, value in action.items() if name.startswith("event")} == event
    assert action["endpoint"][0]["content-type"] == "audio/l16;rate=24000"


def test_headers_stay_within_their_limit() -> None:
    """A caller with an endless address must not cost the call."""
    call = IncomingCall(UUID, "sip:" + "x" * 500, "+18005551212")
    (action,) = ncco.stream(call, Connect("wss://gw/s"), 16000)
    assert action["endpoint"][0]["headers"] == {"call_uuid": UUID, "to": "18005551212"}


def test_what_follows() -> None:
    """Words, then the transfer, with the number that the called party is to see."""
    phone = {"action": "connect", "from": "18005551212", "endpoint": [{"type": "phone", "number": "14155550111"}]}
    talk = {"action": "talk", "text": "Good bye & thanks.", "language": "en-US"}
    assert ncco.following(AFTER, "+18005551212") == [talk, phone]
    assert ncco.following(After("x")) == [{"action": "talk", "text": "x"}]
    sip = {"action": "connect", "endpoint": [{"type": "sip", "uri": "sip:a@example.com"}]}
    assert ncco.following(After(transfer="sip:a@example.com")) == [sip]
    assert ncco.following(After()) == []
