"""The voice leg: a Voice Live session that answers the caller.

events        the events of the voice leg
commands      the commands to the voice leg
wire          translates between JSON text and events and commands
bot           the bot that answers: a model, or an agent of Microsoft Foundry
texts         a line's texts with their placeholders filled in
tool_schemas  the tools that a session offers the model
session       all settings of a session
service       connects to Voice Live: one credential, one connection pool
leg           runs one session: events in, commands out
no_voice      a leg without a session

May import what stands below ``gateway.voice`` in the layers of pyproject.toml; not ``gateway.phone``. Pure: only
``leg``, ``no_voice`` and ``service`` import asyncio or aiohttp. ``gateway.call`` may not import ``leg``, ``service``,
``session`` and ``wire``.
"""
