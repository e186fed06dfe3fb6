"""Acme: events as JSON at one address, answered by REST commands; binary audio at a fixed address.

provider  the media stream, the webhooks and the commands

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
