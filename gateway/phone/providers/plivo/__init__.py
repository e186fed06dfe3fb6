"""Plivo.

provider  Audio Streaming, webhooks, signatures and REST API

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
