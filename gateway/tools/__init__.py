"""Carries out the functions that the model calls: HTTP requests and the operator's coroutine functions.

:class:`Functions` is one for the process; a :class:`FunctionCall` goes in and a :class:`FunctionResult` comes out,
whatever happens in between. docs/tools.md says what is sent and what the model gets.

runner      runs one function: checks, limits, reports
result      the result for the model, or the failure
arguments   reads the arguments that the model wrote
validation  checks arguments by a JSON Schema
request     the HTTP request of a function, as data
signature   signs requests (Standard Webhooks)
client      makes the HTTP requests
answer      turns an HTTP answer into a value or a failure
python      runs functions in Python
threads     runs functions that block in threads
blocking    names functions that keep the event loop
watched     measures how long a function keeps the event loop
masking     replaces secrets in what the model gets
spellings   the other spellings of a secret: escapes, base64, hex

May import what stands below ``gateway.tools`` in the layers of pyproject.toml; not ``gateway.rest``. Pure, but for
``client``, ``python``, ``runner``, ``threads`` and ``watched``.
"""

from gateway.tools.result import FunctionResult
from gateway.tools.runner import FunctionCall, Functions

__all__ = ["FunctionCall", "FunctionResult", "Functions"]
