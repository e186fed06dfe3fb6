"""The functions that the model may call, each with the HTTP request or Python code that carries it out. Pure.

A function in Python may take a :class:`CallContext` to learn whose call it is for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


class ToolError(Exception):
    """Raised by a function in Python to tell the model, and so the caller, what is wrong, in plain words."""


@dataclass(frozen=True)
class CallContext:
    """The call that a function is called in. ``caller`` and ``called`` may be empty."""

    call_id: str
    line: str
    caller: str
    called: str
    tool_call_id: str = ""
    """The model's id of this one function call: the same for every try, so that nothing is done twice."""
    caller_withheld: str = ""
    """The reason why ``caller`` is empty: ``anonymous``, ``restricted``, ``unavailable``…, or ``missing``."""


@dataclass(frozen=True)
class HttpCall:
    """A function that an HTTP request carries out."""

    method: str
    url: str
    """``{name}`` in it stands for an argument."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: str = field(default="", repr=False)
    """Signs the request, where it is not empty."""
    old_secret: str = field(default="", repr=False)
    """Signs the request as well, while the service's secret is replaced."""


@dataclass(frozen=True)
class PythonCall:
    """A function that Python code of the operator carries out: a coroutine function, or one that runs in a thread."""

    function: Callable[..., Any]
    context_parameter: str = ""
    """The parameter that takes the :class:`CallContext`, if it has one."""
    arguments: type[BaseModel] | None = None
    """The model of the arguments: ``arguments.model_validate_json(text)`` checks and converts what the model wrote, or
    raises ``pydantic.ValidationError``. Its fields are the function's parameters but for ``context_parameter``: each
    goes to the function by name, as ``getattr(validated, name) for name in arguments.model_fields``, defaults included.
    None where nothing was declared."""
    in_thread: bool = False
    """``True`` if the function may block: it is no coroutine function."""


@dataclass(frozen=True)
class SecretDigits:
    """A parameter that the caller keys in and that the model never sees."""

    parameter: str
    prompt: str = ""
    """The words that are said before, word for word; empty where the model asks for the digits."""
    finish_on: str = "#"
    """The key that ends the entry; may be empty."""
    length: int | None = None
    """The number of digits that also ends the entry."""
    pause_s: float = 5.0
    """The pause after the last digit that ends the entry."""
    timeout_s: float = 30.0
    """The limit for the first digit."""


@dataclass(frozen=True)
class WhileWaiting:
    """The words that are said while a function takes long."""

    say: str
    after_s: float = 1.5


@dataclass(frozen=True)
class Function:
    """A function as the model sees it, and how it is carried out."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments that the model gives; secret ones are not among them."""
    run: HttpCall | PythonCall
    timeout_s: float = 10.0
    secrets: tuple[SecretDigits, ...] = ()
    while_waiting: WhileWaiting | None = None
