"""Faults on demand, for the emulator and the simulated phone: one YAML form, drawn by a seed. Pure.

plan      the file as typed models: the kinds of faults and their moments; what has struck
reading   reads the file, or raises an error with file, line and column
drawing   draws what a seed decides: which faults strike, and when
service   the faults of each connection of the service
phone     the faults of one media stream

May be imported by the emulator, the simulated phone and the commands; imports none of them.
"""

from gateway.sim.faults.drawing import Drawn, drawn
from gateway.sim.faults.plan import FaultPlan, Struck
from gateway.sim.faults.reading import load_faults

__all__ = ["Drawn", "FaultPlan", "Struck", "drawn", "load_faults"]
