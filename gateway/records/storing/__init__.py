"""The storage of recordings: a folder in which they wait, and the directory or object store that keeps them.

storage    all of it: begins, takes to the store, finds and deletes recordings
pending    the folder of what is being written or waits, which the workers of a machine share
names      the names of recordings in a store
table      the rows of recordings, in the database
uploading  takes what waits to the store, beside the calls
taking     takes one recording there, so that it can be broken off anywhere; what it needs of the rows
retrying   when a recording is tried again, and what is reported
metrics    the metrics of all this
opening    what every store does, and the one that gateway.yaml names
directory  a directory as a store
objects    an object store, by fsspec
threads    work with files, off the loop of the calls
kinds      what only Azure's or S3's stores have: checksums, links

May import ``gateway.config`` and what stands below it. Nothing here is on the path of audio.
"""
