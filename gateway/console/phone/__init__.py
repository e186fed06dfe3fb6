"""The phone in a browser: what a page needs to call a line, and the way from it to the gateway.

way     the way to the gateway, and the token for one call
relay   passes a stream on, between the page and the gateway
record  what the record of a call says at its end

May import what ``gateway.console`` may import, and no page.
"""
