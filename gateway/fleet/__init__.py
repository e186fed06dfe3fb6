"""What the worker processes of one gateway share: the places for calls, what was used once, and signs of life.

board   the shared memory as a whole
memory  memory with a lock, shared by processes
places  the places for calls: reserved, taken, freed
used    what may be used only once
ends    how calls ended

May import what stands below ``gateway.fleet`` in the layers of pyproject.toml.
"""
