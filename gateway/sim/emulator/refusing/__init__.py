"""Refuses what a client sends, as the service does where a resource, a region or a version differs.

rules      the rules of a script: what is refused, when, and how
sessions   refuses updates of the session, and counts the attempts
opening    refuses a session before its first update: its model or its profile
responses  refuses responses and truncations
failing    settings with which every response fails
versions   the members of a session that an API version does not know
agents     the kinds of agents, and the updates that they refuse
handshake  refuses the WebSocket handshake

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
