"""The voice leg: a Voice Live session that answers the caller.

events         the events of the voice leg
commands       the commands to the voice leg
wire           translates between JSON text and events and commands
bot            the bot that answers: a model, or an agent of Microsoft Foundry
texts          a line's texts with their placeholders filled in
tool_schemas   the tools that a session offers the model
session        all settings of a session
negotiation/   what to ask for after a refusal
proposals      the sessions to ask for in one call
service_words  what the service says in HTTP, and what usually helps
identity       the token of Microsoft Entra ID
service        connects to one endpoint of Voice Live: one credential, one connection pool
endpoints/     which endpoint opens the next session
learning       notes what a negotiation taught
opening        opens a session, and negotiates it where it is refused
conversion     converts replies for a phone of another format
command_writer  writes the commands of a call to its session
leg            runs one session: events in, commands out; or none

May import what stands below ``gateway.voice`` in the layers of pyproject.toml; not ``gateway.phone``. Pure: only
``leg``, ``opening`` and ``service`` import asyncio or aiohttp. ``gateway.call`` may import ``events`` and
``commands`` alone.
"""
