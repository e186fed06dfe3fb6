"""Telnyx.

provider     TeXML, Call Control, webhooks and their Ed25519 signature
wire         the media stream
chunk_order  sorts numbered audio that arrives out of order
g711_table   A-law to µ-law and back
pointing     the webhook of a number: that of its TeXML application

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
