"""The processes of ``gateway serve``: the sockets and the starts of several, the garbage and the rests of each.

given      the variables by which a worker gets its place
ports      the port of all workers, and the sockets of each
spare      a loaded process that takes the place of a worker that dies
places     starts a worker in its place, from the spare one or anew
signals    sends signals to processes
garbage    how often garbage is collected, and how long that takes
gathering  wakes a busy process once for several frames

May import what stands below ``cli``. Only ``gateway.cli`` may import it.
"""
