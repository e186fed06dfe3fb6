"""Acme.

provider  the media stream, the webhooks and the commands

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
