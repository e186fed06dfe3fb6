"""The settings of what remains of a call.

May import the other packages of ``gateway.config``, as its modules may.
"""
