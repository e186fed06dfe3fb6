"""Connects to one endpoint of Voice Live, by the SDK's own address and credentials, in two ways.

asked       describes a connection, whichever way opens it
by_manager  the fast way: the SDK's private connection manager, and the gateway's own socket
sdk_wire    the SDK's connection as the wire of a public socket
by_connect  the public way: the SDK's connect()
choice      chooses the way at the start

Only ``choice`` imports ``by_manager``, whose private names may be gone. May import what stands below
``gateway.connecting`` in the layers of pyproject.toml.
"""
