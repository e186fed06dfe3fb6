"""Twilio.

provider  Media Streams and the voice webhook
pointing  the webhook of a number

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
