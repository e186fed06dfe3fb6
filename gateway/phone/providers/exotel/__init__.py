"""Exotel AgentStream.

provider  the Voicebot applet: its stream and its dynamic endpoint

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
