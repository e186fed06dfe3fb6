"""A session that takes a call over: after the one before it was lost, or before that one expires.

commands  the commands about voice legs, and the events of those that are not in use
legs      the voice legs of one call, as the runner holds them

``legs`` is the runner's; the rest is pure, and only the conversation imports it.
"""
