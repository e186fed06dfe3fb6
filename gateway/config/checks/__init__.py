"""Errors and warnings about a configuration that was read.

actions              greeting, hours, transfers, keys, parameters, agent
tools                a line's tools
listening            lines that only listen
tool_schema          which JSON Schema a tool's parameters may have
service              settings that Voice Live refuses together
line_warnings        warnings about a line
delivery_warnings    receivers of the events of calls
deployment_warnings  warnings about the deployment
dangers              what lets anybody in: weak keys, unprotected webhooks and streams
leaks                credentials in the wrong place
secret_warnings      secrets with quotes, white space or an unused old value

May import what ``gateway.config`` may import. Pure.
"""
