"""Requests that are turned away: answered, logged and counted.

refusals     answers, logs and counts each refusal
connections  limits the connections of a listener
flood        limits how many like events are logged
http_errors  notes requests that are not proper HTTP
unrouted     takes requests that no route takes

May import what ``gateway.routes`` may import.
"""
