"""The bot's side of one call: responses are asked for, played, and heard. Pure.

bot            joins those below: what is to be said, what is said, and what of it was heard
responses      decides when a response may be asked for, and whose it is
request_form   leaves out of requests what the service refuses
replies        what is known of each reply that is played
playback       paces outgoing audio and keeps account of what was heard
kept_playback  keeps what was played lately, to be compared with the caller's audio
words          the words of replies, and which of them were heard
greeting       the greeting, spoken or recorded
recording      what is said before the greeting of a call that is recorded, and when it is recorded
comfort        what the caller hears while there is no session
truncations    reports to the service what was heard of a reply

``bot`` imports the others, and only the parts of the conversation import ``bot``; what is wanted
(``responses.Request``) may be imported by every part.
"""
