"""The delivery of calls' events to receivers: signed webhooks, from an outbox in the records' database.

targets     who gets the events of a line's calls
events      the deliveries of a call
outbox      the deliveries that wait, in the database
message     writes a message, of the record of its call
reading     reads that record
listing     lists deliveries, and puts them into the outbox again
schedule    when a delivery is tried again
signature   signs as Standard Webhooks are signed
sending     one try
deliverer   works off the outbox
metrics     counts deliveries
deliveries  the deliveries of a process: what its calls and the command use

May import what ``gateway.records`` may import.
"""
