"""Asterisk, which opens the stream from its dialplan.

provider  the stream's secret and the format; no webhook, no REST API
wire      chan_websocket: binary audio, control as words or JSON

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
