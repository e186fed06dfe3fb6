"""The migrations of the records' tables, each a version that Alembic applies to the one before.

<name>  a version: ``v`` and its number, then what it changes; a released one is never changed
"""
