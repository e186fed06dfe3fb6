"""A session that takes a call over: after the one before it was lost, or before that one expires.

commands     the commands about voice legs, and the events of those that are not in use
legs         the voice legs of one call, as the runner holds them
attempts     when a call asks for one more session
roll_over    when a session is replaced before it expires
error_burst  a burst of errors, after which a session counts as lost
overdue      what the caller hears while the session in use brings nothing
sessions     joins those above: the sessions of one call, one after the other

``legs`` is the runner's; the rest is pure, and only the conversation and its parts import it.
"""
