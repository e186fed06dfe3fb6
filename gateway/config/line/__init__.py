"""The settings of one line, as its file writes them: one model for each section.

line             the whole line
greeting         the first words, and the messages before them
texts            all texts with placeholders
placeholders     ``{caller}`` and other placeholders
models           the models of Voice Live, and their engines
agent            an agent of Microsoft Foundry in place of a model
voices           the voice
voice_catalogue  the documented voices and their languages
turns            when a turn of the caller ends, transcription, noise
hours            when the line is open
time_zones       time zones by name
tools            the tools of the bot
parameters       the parameters of a tool
transfers        the targets of transfers, by name
trouble          what a caller hears while the session is lost
keys             what the caller's keys do

May import what ``gateway.config`` may import. Pure, but for files.
"""
