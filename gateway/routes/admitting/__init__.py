"""The admission of calls, and the answer to those for which there is no room.

saturation  decides whether this process is busy enough, for ``limits.calls: auto``
load        measures how busy it is
admission   decides whether a call may be taken, and keeps a place and a session for it
when_full   the answer to a call that is not taken: busy, words, a wait, a transfer

May import what ``gateway.routes`` may import.
"""
