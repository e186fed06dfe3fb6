"""Vonage Voice API.

provider  WebSocket endpoint, webhooks and call control
ncco      call control objects: the JSON that says what happens to a call
pointing  the webhook of a number: that of its application

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
