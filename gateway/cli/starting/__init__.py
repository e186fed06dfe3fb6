"""The start of a command: which there are, what all of them take, and what comes before and after each.

commands  the commands, each of which is loaded once it is chosen
running   runs a command in its environment, and reports its failure
exits     the exit codes
environ   the environment, and what ``.env`` adds to it
options   the options that several commands have in common

``commands`` and ``exits`` load nothing that takes time. May import what stands below ``cli``, and
``gateway.cli.processes.given``. Only ``gateway.cli`` may import it.
"""
