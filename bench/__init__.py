"""`make bench`: the gateway under load, beside a plain bridge and a lean relay, on one core each.

loop          the load's event loop: epoll and one heap of timers, nothing else
websocket     the load's end of a WebSocket, handshake included (RFC 6455)
tags          names in the audio itself, by which a frame is known again without parsing anything
phone         a simulated phone on Twilio's wire: 50 frames a second, its own playout clock
conditions    how the service is reached
certificate   a certificate for the service's end of TLS
voice         a simulated Voice Live service: sessions, turns, replies faster than real time
tool_server   the service behind two tools, which takes five seconds
target        the program under test as a process: started, pinned, measured, ended
trial         so many calls for so many seconds against one target, and what was seen
beside_tools  what two slow tools of one call do to fifty others
keeping       what records and recordings cost
console       how long the pages of the console take with ten thousand recorded calls, by a command of its own
compiled      the gateway with its pure modules compiled, as an optional wheel, and the load
log_lines     what a log line of a call takes, by a command of its own
lockstep      one call whose messages are sent one by one
instructions  what a frame and a delta take in instructions, and no more than before
capacity      the search for the largest number of calls that still goes well
ahead         how soon the greeting is heard where sessions are opened ahead
echo          how well the echo gate knows an echo of the bot from the caller
report        the figures as Markdown and JSON
profiling     where the gateway's time goes, by package
plain_bridge  the yardstick: a bridge as the SDK's samples write it
relay         the floor: as lean as a relay in Python can be
"""

import os
import sys

COMPILED_LOAD = "BENCH_COMPILED_LOAD"
"""The variable with the folder in which ``bench.compiled`` has put the load's modules, which then go before these."""

if _folder := os.environ.get(COMPILED_LOAD):
    sys.path.append(_folder)
    __path__.insert(0, os.path.join(_folder, "bench"))  # noqa: PTH118 -- a path of the import system is text
