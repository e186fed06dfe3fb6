"""jambonz.

provider  webhooks, verbs and REST API
wire      the ``listen`` stream: binary audio, JSON control

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
