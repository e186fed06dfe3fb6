"""Cloudonix.

provider  CXML, webhook and call control; the wire is Twilio's

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
