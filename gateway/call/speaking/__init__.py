"""What the bot says in one call: asked for, played, and heard. Pure.

responses  decides when a response may be asked for, and whose it is
playback   paces outgoing audio and keeps account of what was heard
greeting   the greeting, spoken or recorded

``greeting`` imports the other two; every part of a call may import what is wanted (``responses.Request``).
"""
