"""A simulated caller: what the caller says and presses, and what comes back.

call       runs one call from start to end
caller     decides when the caller speaks
recording  what the caller says
keys       keys that the caller presses
dial       calls the gateway from any provider's phone
timeline   the events of a call, in order of time
measures   figures of a call: who spoke when, how fast the bot answered

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
