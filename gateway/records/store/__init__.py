"""The database of the records: its tables, and everything that writes to it.

tables       the tables
failures     the failures of a database: those that pass, and those that an operator must mend
migrations/  the versions of the tables
migrating    brings the tables to the newest version
database     SQLite in a file, or PostgreSQL: transactions, and rows that replace themselves
number_keys  the keys of the hashes by which phone numbers are found
keepable     makes rows such that they may be kept
intake       takes the notes of calls, and makes their rows
batches      writes rows to their tables, and passes over those that the database refuses
spool        rows in a file, while the database is away
writer       writes what the intake has, to the database or the spool
workers      the processes that write: their signs of life, and the calls of those that have died
adopting     takes over what a dead process has left
deleting/    calls that were kept for long enough, and everything about a number
leases       a task that one process does for all
metrics      the Prometheus metrics
store        the store of one process, made of these

May import what ``gateway.records`` may.
"""
