"""The sockets and the starts of the processes of ``gateway serve --workers N``.

given    the variables by which a worker gets its place
ports    the port of all workers, and the sockets of each
spare    a loaded process that takes the place of a worker that dies
places   starts a worker in its place, from the spare one or anew
signals  sends signals to processes
garbage  how often garbage is collected, and how long that takes

May import what stands below ``cli``. Only ``gateway.cli`` may import it.
"""
