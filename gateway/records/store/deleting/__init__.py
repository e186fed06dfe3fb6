"""Deletes from the records: calls that were kept for long enough, and everything about a number.

retention   deletes calls that were kept for long enough
mentions    finds and removes a number in the texts of calls
forgetting  forgets a number

May import the modules of ``gateway.records.store`` but for ``gateway.records.store.store``.
"""
