"""The phone in a browser, a page of the console.

provider  the proof of its streams; no webhook, no REST API
wire      audio as binary messages, control as JSON

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
