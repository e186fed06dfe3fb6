"""Calls in progress, for somebody who looks on from another process or thread: nothing is made while nobody looks.

messages   the messages between a process that has calls and who looks on
book       the calls of this process, as they are shown
proof      proves that somebody knows a key
providers  counts how the calls of each provider ended of late
state      the state of this process beside its calls
overview   the state of all processes of a gateway together
server     serves them on a Unix socket of this process, and takes orders about them
source     a process, or a gateway elsewhere, that serves them, as its reader sees it
watch      the calls of all processes or gateways, followed while somebody looks
relay      serves them, of all processes of a gateway, to a console elsewhere

May import what stands below ``gateway.live`` in the layers of pyproject.toml.
"""
