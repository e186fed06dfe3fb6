"""The history of one call, as it was heard, for a session that takes the call over. Pure.

entries  one thing that was said or done, a class for each kind
history  keeps the newest of them, in order
glance   what a call looks like at a moment
seed     the items that a new session begins with

Fed by ``conversation`` and ``parts``; nothing here decides.
"""
