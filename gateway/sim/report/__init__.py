"""The folder of a simulated call, and what its page shows.

folder    writes the folder of a call
outcome   how the call ended, in one sentence
dialogue  the call as a dialogue
actions   tools, keys and transfers of the call
page      what the report shows of a simulated call

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
