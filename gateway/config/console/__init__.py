"""The settings of the console.

console    ``console``: where it listens, and what would let anybody in
users      who may sign in, and what they may do
passwords  hashes of passwords

May import the other packages of ``gateway.config``, as its modules may.
"""
