"""The rules that look for findings in a call. Pure.

ends      why the call ended
sessions  lost sessions, failed responses, errors of the service
waits     who kept the caller waiting, and audio that was late
speech    interruptions, and what the caller did not hear
actions   keys, tools, transfers, and the line's file

Each rule yields findings of a ``Case``; the rules do not know of one another.
"""
