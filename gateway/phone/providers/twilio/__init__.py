"""Twilio.

provider  Media Streams and the voice webhook

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
