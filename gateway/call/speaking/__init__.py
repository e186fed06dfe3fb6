"""The bot's side of one call: responses are asked for, played, and heard. Pure.

bot        joins the three below: what is to be said, what is said, and what of it was heard
responses  decides when a response may be asked for, and whose it is
playback   paces outgoing audio and keeps account of what was heard
greeting   the greeting, spoken or recorded

``bot`` imports the others, and only the parts of the conversation import ``bot``; what is wanted
(``responses.Request``) may be imported by every part.
"""
