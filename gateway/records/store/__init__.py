"""The database of the records: its tables, and everything that writes to it.

tables       the tables
failures     the failures of a database: those that pass, and those that an operator must mend
migrations/  the versions of the tables
migrating    brings the tables to the newest version
database     SQLite in a file, or PostgreSQL: transactions, and rows that replace themselves

May import what ``gateway.records`` may.
"""
