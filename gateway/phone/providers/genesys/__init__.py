"""Genesys Cloud Audio Connector.

provider   the proof of a stream; no webhook, and Genesys alone closes the socket
wire       the AudioHook protocol
signature  the signature of the upgrade request

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
