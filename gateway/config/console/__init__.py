"""The settings of the console.

console  ``console``: where it listens

May import the other packages of ``gateway.config``, as its modules may.
"""
