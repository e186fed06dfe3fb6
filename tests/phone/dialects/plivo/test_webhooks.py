"""Plivo's webhooks, whoever signs them."""

from gateway.phone.dialects.plivo import xml
from gateway.phone.dialects.plivo.webhooks import XmlWebhooks
from gateway.phone.webhook import CallStatus, Connect, IncomingCall, WebhookRequest

FORM = [("CallUUID", "c"), ("From", "1"), ("To", "2"), ("CallStatus", "completed")]


class Unsigned(XmlWebhooks):
    """Webhooks that nobody signs."""

    def verify(self, request: WebhookRequest, now_s: float) -> str:
        return ""


def test_a_call_from_its_webhook_to_its_end() -> None:
    """In the words of the XML."""
    webhooks, request = Unsigned(), WebhookRequest("POST", "https://gw/answer/plivo", {}, FORM)
    call, connect = IncomingCall("c", "1", "2"), Connect("wss://gw/s")
    assert webhooks.incoming(request) == call
    assert webhooks.answer(call, connect) == xml.stream_xml(connect)
    assert webhooks.refuse(call) == xml.busy()
    assert webhooks.status(request) == (CallStatus("c", "completed", ended=True),)
