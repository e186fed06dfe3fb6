"""The bot's side of an emulated session.

response  one response, until it is done or cancelled
output    the items of one response
deltas    the pieces in which audio is sent
status    the status of a response at its end
interim   words while an answer or a function takes long
limit     answers within a limit of tokens
timing    the events beside the audio: times of words, visemes, blendshapes
words     a text as transcript, token by token
usage     token counts
supply    whether the caller's audio keeps coming

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
