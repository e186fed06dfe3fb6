"""The tools of a line: built-in ones, functions over HTTP and in Python, MCP servers."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from gateway.config.line.keys import Key
from gateway.config.line.parameters import Parameters
from gateway.config.reading.environment import bare
from gateway.config.reading.section import Number, Section, Text, Wording
from gateway.config.secrets import Rotated, WebhookSecret, from_environment
from gateway.config.urls import can_be_asked

BuiltIn = Literal["end_call", "transfer_call", "send_digits"]
BUILT_IN: tuple[BuiltIn, ...] = ("end_call", "transfer_call", "send_digits")
"""The tools that the gateway brings along."""

_NAME = r"[A-Za-z0-9_-]{1,64}"
_HEADER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_OWN_HEADERS = ("host", "content-length", "content-type", "transfer-encoding", "connection", "idempotency-key")
_REFERENCE = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"


def is_tool_name(name: str) -> bool:
    """Return ``True`` if the service accepts ``name`` as a tool's name."""
    return bool(re.fullmatch(_NAME, name))


def _tool_name(name: str) -> str:
    if not is_tool_name(name):
        raise ValueError("is not fit for a tool, expected 1 to 64 letters, digits, _ and -")
    return str(name)


def _http_url(text: str) -> str:
    if not is_http_url(text):
        raise ValueError("is not an address that can be used, expected such as https://shop.example.com/orders")
    return str(text)


def is_http_url(text: str) -> bool:
    """Return ``True`` if a request can go to ``text``: http or https, a host, printable characters only."""
    if not can_be_asked(text) or not re.fullmatch(r"[!-~]+", text):
        return False
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and not parts.fragment


def _header_name(name: str) -> str:
    if not re.fullmatch(_HEADER, name):
        raise ValueError("is not a header's name, expected such as X-Api-Key")
    if name.lower() in _OWN_HEADERS:
        raise ValueError("the gateway writes it itself, expected another header")
    return str(name)


def _header_value(text: str) -> str:
    value = bare(text)
    if not value.isprintable():
        raise ValueError("has signs that no header can have, expected one line of text")
    return value


def _python_reference(text: str) -> str:
    if not re.fullmatch(_REFERENCE, text):
        raise ValueError("is not the place of a function, expected such as package.module:function")
    return str(text)


ToolName = Annotated[str, AfterValidator(_tool_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
HttpUrl = Annotated[
    str, AfterValidator(_http_url), Field(json_schema_extra={"pattern": r"^[hH][tT][tT][pP][sS]?://[^\s#]+$"})
]
HeaderName = Annotated[str, AfterValidator(_header_name), Field(json_schema_extra={"pattern": f"^{_HEADER}$"})]
Headers = Mapping[HeaderName, Annotated[Wording, AfterValidator(_header_value)]]
SecretText = Annotated[
    Text, BeforeValidator(from_environment), AfterValidator(bare), Field(json_schema_extra={"pattern": r"\$\{\w+\}"})
]
Timeout = Annotated[Number, Field(gt=0, le=60)]


class WhileWaiting(Section):
    """Words of the bot while it waits for a tool."""

    say: Text
    """A text to say word for word."""
    after_s: Annotated[Number, Field(ge=0, le=60)] = 1.5
    """Seconds to wait for the tool before the text is said."""


def _by_text(value: Any) -> Any:
    return {"say": value} if isinstance(value, str) else value


AnyWaiting = Annotated[WhileWaiting, BeforeValidator(_by_text, json_schema_input_type=WhileWaiting | Text)]
"""The words for a wait as a section, or as a text alone."""


class HttpRequest(Section):
    """The request that carries out a function."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The HTTP method. GET has the arguments in the query, every other method in a JSON body."""
    url: HttpUrl
    """The URL; {name} in its path stands for a required parameter."""
    headers: Headers = Field(default_factory=dict, repr=False)
    """Further headers; keys and tokens as ${NAME}."""
    timeout_s: Timeout = 10
    """Seconds to wait for the answer, at most 60."""
    secret: Rotated[WebhookSecret] | None = None
    """Signs the request with HMAC-SHA256, as ${NAME} only; while it is replaced, [new, old] both sign."""


class HttpTool(Section):
    """A function that an HTTP request carries out."""

    own_key = "http"

    name: ToolName
    """The name by which the model calls the function."""
    description: Text
    """The purpose of the function and when to use it, for the model."""
    parameters: Parameters = Field(default_factory=dict)
    """The parameters by name, such as order_number: string (string? is optional); or a JSON Schema of type: object."""
    http: HttpRequest
    """The request that carries out the function."""
    while_waiting: AnyWaiting | None = None
    """Words of the bot while it waits for the function: a text, or {say: …, after_s: …}."""


class PythonTool(Section):
    """A function that Python code carries out."""

    own_key = "python"

    python: Annotated[str, AfterValidator(_python_reference), Field(json_schema_extra={"pattern": f"^{_REFERENCE}$"})]
    """The function, as package.module:function; modules are also searched for in the folder of gateway.yaml."""
    name: ToolName | None = None
    """The name by which the model calls the function; defaults to the function's own name."""
    description: Text | None = None
    """The purpose of the function and when to use it, for the model; defaults to the function's docstring."""
    timeout_s: Timeout = 10
    """Seconds that the function may take, at most 60."""
    while_waiting: AnyWaiting | None = None
    """Words of the bot while it waits for the function: a text, or {say: …, after_s: …}."""


class ApprovedTools(Section):
    """The approval that a server's tools need; a tool that is in neither list needs one."""

    never: tuple[Text, ...] = ()
    """Tools that need no approval."""
    always: tuple[Text, ...] = ()
    """Tools that need the caller's approval."""


def _approval_shape(value: Any) -> str:
    return "[word]" if isinstance(value, str) else "[lists]"


class McpServer(Section):
    """An MCP server whose tools the service calls by itself."""

    server_label: ToolName
    """The name of the server in the session."""
    server_url: HttpUrl
    """The URL of the server."""
    allowed_tools: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """The tools that the model may use; defaults to all."""
    require_approval: Annotated[
        Annotated[Literal["never", "always"], Tag("[word]")] | Annotated[ApprovedTools, Tag("[lists]")],
        Discriminator(_approval_shape),
    ] = "always"
    """Ask the caller for approval before a tool is used: never, always, or {never: […], always: […]}."""
    authorization: SecretText | None = Field(default=None, repr=False)
    """The value of the Authorization header for the server, as ${NAME} only."""
    headers: Headers = Field(default_factory=dict, repr=False)
    """Further headers; keys and tokens as ${NAME}."""


class Approval(Section):
    """The question that asks the caller for approval, and the answers to it."""

    ask: Text
    """The question, word for word."""
    key: Key | None = None
    """The key that means yes, in quotes; any other key means no."""
    words: tuple[Text, ...] = ()
    """Words that mean yes when the caller's answer begins with one of them; any other answer means no."""
    timeout_s: Annotated[Number, Field(gt=0, le=120)] = 20
    """Seconds after which a missing answer means no."""


class McpTool(Section):
    """The tools of an MCP server."""

    own_key = "mcp"

    mcp: McpServer
    """The MCP server and its tools."""
    approval: Approval | None = None
    """The question that asks the caller for approval; required unless require_approval is never."""
    while_waiting: AnyWaiting | None = None
    """Words of the bot while it waits for a tool of the server: a text, or {say: …, after_s: …}."""


def _tool_shape(value: Any) -> str:
    if not isinstance(value, Mapping):
        return "[word]"
    return next((f"[{key}]" for key in ("python", "mcp") if key in value), "[http]")


Tool = Annotated[
    Annotated[BuiltIn, Tag("[word]")]
    | Annotated[HttpTool, Tag("[http]")]
    | Annotated[PythonTool, Tag("[python]")]
    | Annotated[McpTool, Tag("[mcp]")],
    Discriminator(_tool_shape),
]
"""One of a line's tools."""
