"""Vobiz.

provider  audio streams, signatures and REST API; the wire is Plivo's, with differences

May import what ``gateway.phone`` may import, and no other provider. Pure.
"""
