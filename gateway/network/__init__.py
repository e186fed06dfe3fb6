"""The parts of a socket that aiohttp lacks: frames, names of hosts, file descriptors.

transports     the transports under connections by TLS: aiofastnet's, or the event loop's
masked_frames  reads frames of a client, which must be masked
framing        writes frames, masked where a client sends them
name_look_up   resolves hosts' names, and keeps the last good addresses
single_try     lets an HTTP client send a request once
http_fault     names the fault of a request that is not proper HTTP
descriptors    the limit of open files

May import what stands below ``gateway.network`` in the layers of pyproject.toml.
"""
