"""Azure Communication Services.

provider  webhooks, answers and call control: Call Automation
wire      the bidirectional media stream

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
