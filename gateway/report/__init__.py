"""The report of a call, simulated or real: what is told of it, and the page that shows it.

explanation  why a call went as it did
ends         the ends of calls, in words

May import ``gateway.audio``, ``gateway.text`` and what stands below those.
"""
