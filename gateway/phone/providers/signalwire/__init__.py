"""SignalWire.

provider  cXML and its webhook; the wire is Twilio's, with differences
pointing  the webhook of a number

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
