"""The settings of an emulated session.

fields       the fields of ``session.update``
settings     the session as updates made it
models       what each model takes
engine       the two classes of engine, and their defaults
rules        combinations that the service refuses
old_names    the names of earlier versions of the API
formats      the names of audio formats
tool_choice  what ``tool_choice`` does to an answer
tool_schema  which schemas and arguments the service takes

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""
