"""Finds out before the first call what would go wrong: each check gives rows with a remedy.

row          a row: the result of one check, and the remedy
examination  makes the checks in their order
background   makes them beside the calls of a gateway that has started
recordings   tries the store of recordings
receivers    tries the way to the receivers of events
probing      tries an endpoint of Voice Live that failed, beside the calls
way/         the way to a server: name, connection, TLS, proxy, clock
phone/       an account, seen from its provider's side
sessions/    the sessions that calls would open

May import what stands below ``gateway.doctor`` in the layers of pyproject.toml. Only ``gateway.cli`` may import it.
"""
