"""The settings of what remains of a call.

records  where records are kept, what is in them, and for how long
deliver  receivers of the events of calls
prices   prices of tokens and minutes

May import the other packages of ``gateway.config``, as its modules may.
"""
