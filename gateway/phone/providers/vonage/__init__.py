"""Vonage Voice API.

provider  WebSocket endpoint, webhooks and call control
ncco      call control objects: the JSON that says what happens to a call

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
