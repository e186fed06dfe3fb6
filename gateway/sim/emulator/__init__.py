"""A Voice Live service on this machine, for the official SDK and anyone's client; written from its documents.

server          handshake, credentials, sessions
certificate     certificates for wss on this machine
session         one connection: client events in, server events out
service         what the service does at each client event
settings/       the settings of a session
refusing/       refuses what another resource, region or version would not take
listening/      the caller's side: voice activity and turns
speaking/       the bot's side: responses
history         the items of the conversation
items           items that a client creates
function_calls  calls of functions, in pieces
mcp             tools of MCP servers
script          the script: what the emulator hears, says and breaks
dialogue        where a session stands in its script
faults          faults on purpose
on_demand       carries out faults on demand
outgoing        sends and records every server event
dialect         the names of server events: Voice Live's or OpenAI's newer ones
record          what a session keeps, and how it rejects an event
facts/          the behaviours of the emulator, their sources and certainty
ids             ids as the service makes them

Imports neither ``gateway.phone`` nor ``gateway.voice`` nor ``gateway.call``.
"""

from gateway.sim.emulator.record import Record
from gateway.sim.emulator.script import Script, load_script
from gateway.sim.emulator.server import Emulator
from gateway.sim.emulator.session import Session

__all__ = ["Emulator", "Record", "Script", "Session", "load_script"]
