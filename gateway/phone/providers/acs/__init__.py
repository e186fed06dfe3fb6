"""Azure Communication Services.

provider        webhooks and their answers: Call Automation
wire            the bidirectional media stream
connections     remembers the connections of calls
commands        call control: the REST API and its request signing
published_keys  the service's tokens and the keys that check them

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
