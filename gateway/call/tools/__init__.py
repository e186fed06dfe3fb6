"""The functions that the model calls in one call, and the caller's part in them. Pure.

tools         the functions that the model has called: those that run, and outputs that are still to be reported
mcp           the tools of MCP servers, and the caller's approval
secret_entry  digits that only a function gets
waiting       words while a function takes long
allowance     how much a model may do in one call

``tools`` imports the others; only the conversation and its keypad import ``tools``.
"""
