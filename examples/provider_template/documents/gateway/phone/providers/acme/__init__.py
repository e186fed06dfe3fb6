"""Acme: JSON over its media stream, JSON webhooks with an HMAC, a REST API.

provider  the media stream, the webhooks and the commands

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
