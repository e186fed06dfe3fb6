"""Carries out the functions that the model calls: HTTP requests and the operator's coroutine functions.

:class:`Functions` is one for the process; a :class:`FunctionCall` goes in and a :class:`FunctionResult` comes out,
whatever happens in between. docs/tools.md says what is sent and what the model gets.
"""

from gateway.tools.result import FunctionResult
from gateway.tools.runner import FunctionCall, Functions

__all__ = ["FunctionCall", "FunctionResult", "Functions"]
