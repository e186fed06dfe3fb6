"""Bandwidth Programmable Voice.

provider  media stream, BXML, webhooks and call control

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
