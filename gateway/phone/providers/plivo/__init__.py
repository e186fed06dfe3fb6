"""Plivo.

provider  Audio Streaming, webhooks, signatures and REST API
pointing  the webhook of a number

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
