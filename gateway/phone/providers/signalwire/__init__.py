"""SignalWire.

provider  cXML and its webhook; the wire is Twilio's, with differences

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
