"""The environment and the sockets of the processes of ``gateway serve``.

environ  the environment, and what ``.env`` adds to it
ports    the port of all workers, and the sockets of each

May import what stands below ``cli``. Only ``gateway.cli`` may import it.
"""
