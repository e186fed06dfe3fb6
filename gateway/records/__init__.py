"""The remains of a call: record, recording, cost, explanation, and their delivery.

rows         the rows of a call's record, as structs
call_rows    makes the rows of one call from its notes
masking      takes words and numbers out of rows
pricing      says what a call has cost
costing      prices the calls of a process, and counts what they cost
stored_call  the record of one call, as it is read
call_folder  reads it from the folder of a simulated call
wanted       the calls that are looked for
search       finds them and reads them in the database
listing      pages of a list of calls
audit        who heard, read and ended what in the console
figures      figures of many calls, by day and line
line_activity  what happens on each line
explain/     explains a call from its record
store/       the database of the records, and what writes to it
delivery/    sends the events of calls to receivers
recording/   recordings of calls, and the thread that writes them
storing/     the storage of recordings: what waits, the directory or object store
keeping      makes the store of a process, as the deployment wants it

May import the notes and the record of ``gateway.call``, ``gateway.config``, and what stands below those.
"""
