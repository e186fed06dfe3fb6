"""A Voice Live service on this machine, for the official SDK and anyone's client; written from its documents."""

from gateway.sim.emulator.record import Record
from gateway.sim.emulator.script import Script, load_script
from gateway.sim.emulator.server import Emulator
from gateway.sim.emulator.session import Session

__all__ = ["Emulator", "Record", "Script", "Session", "load_script"]
