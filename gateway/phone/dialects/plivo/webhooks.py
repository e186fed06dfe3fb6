"""Plivo's webhooks, but for their signature, which those who took them over make in their own ways. Pure."""

from collections.abc import Sequence

from gateway.phone.dialects.plivo import xml
from gateway.phone.waiting import Wait
from gateway.phone.webhook import (
    After,
    Answer,
    CallStatus,
    Connect,
    IncomingCall,
    StreamEnded,
    WebhookRequest,
    Webhooks,
)


class XmlWebhooks(Webhooks):
    """Webhooks that are forms, answered with Plivo XML; ``verify`` is the provider's own."""

    def incoming(self, request: WebhookRequest) -> IncomingCall | StreamEnded | Answer:
        """Return the call of an answer webhook, the stream that has ended, or whom a transferred call is for."""
        return xml.incoming(request)

    def answer(self, call: IncomingCall, connect: Connect) -> Answer:
        """Return the XML. The stream itself carries no numbers, so they must come with its token."""
        return xml.stream_xml(connect)

    def refuse(self, call: IncomingCall) -> Answer:
        """Hang up as busy, without answering the call."""
        return xml.busy()

    def full(self, call: IncomingCall, follows: After, wait: Wait | None = None) -> Answer:
        """Answer a call for which there is no room with words, a wait, a transfer."""
        return xml.full(follows, wait)

    def status(self, request: WebhookRequest) -> Sequence[CallStatus]:
        """Return what a hang-up or stream callback reports."""
        return xml.status(request)
