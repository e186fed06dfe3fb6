"""Checks the way to a server, step by step, each with its own time limit.

address     the host and port of a server
reach       name, connection, TLS
proxy       variables that name a proxy
clock       this machine's clock beside a server's
public_url  the public URL, as seen from here
"""
