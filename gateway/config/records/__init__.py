"""The settings of what remains of a call.

deliver     receivers of the events of calls
prices      prices of tokens and minutes
records     where records are kept, what is in them, and for how long
recording   the recording of a line's calls
recordings  the store of recordings, its credentials, and how long they are kept
traces      what the traces of calls may say of people

May import the other packages of ``gateway.config``, as its modules may.
"""
