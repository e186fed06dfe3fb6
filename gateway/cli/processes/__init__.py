"""The environment, the sockets and the starts of the processes of ``gateway serve``.

options  the options that commands which listen have in common
environ  the environment, and what ``.env`` adds to it
ports    the port of all workers, and the sockets of each
spare    a loaded process that takes the place of a worker that dies
places   starts a worker in its place, from the spare one or anew
garbage  how often garbage is collected, and how long that takes

May import what stands below ``cli``, and ``gateway.cli.worker``. Only ``gateway.cli`` may import it.
"""
