"""One process of ``gateway serve`` that takes calls: a process alone, or a worker.

process  serves until a signal stops it
beside   the companions of a process alone: the emulator, the examination, the console
wanted   the deployment that is wanted, and where it listens

May import every package. Only ``gateway.cli`` may import it.
"""
