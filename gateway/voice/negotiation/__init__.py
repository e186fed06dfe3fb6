"""The negotiation of a session: what to ask for after a refusal, and what was learnt from it.

refusal      a refusal in the service's words, and what kind it is
reductions   what may be left out of a session, in order
members      the members of a session that a refusal names
negotiation  the session to ask for next
echo         compares what was asked for with what the service says it does
memory       what the service refused before, for six hours
watch        the counts of what was found

May import ``gateway.voice`` but for its leg, service and opening. Pure.
"""
