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
    """What the bot says while a tool takes long."""

    say: Text
    """What is said, word for word."""
    after_s: Annotated[Number, Field(ge=0, le=60)] = 1.5
    """Seconds after which it is said, unless the tool has answered."""


def _by_text(value: Any) -> Any:
    return {"say": value} if isinstance(value, str) else value


AnyWaiting = Annotated[WhileWaiting, BeforeValidator(_by_text, json_schema_input_type=WhileWaiting | Text)]
"""What is said, or that text alone."""


class HttpRequest(Section):
    """The request that carries a tool out."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The method. GET has the arguments in the address, every other in a JSON body."""
    url: HttpUrl
    """The address; {name} in its path stands for a required parameter."""
    headers: Headers = Field(default_factory=dict, repr=False)
    """Further headers; keys and tokens as ${NAME}."""
    timeout_s: Timeout = 10
    """Seconds that the answer may take, 60 at most."""
    secret: Rotated[WebhookSecret] | None = None
    """Signs the request with HMAC-SHA256, as ${NAME} only; while it is replaced, [new, old] both sign."""


class HttpTool(Section):
    """A function that an HTTP request carries out."""

    telling_key = "http"

    name: ToolName
    """What the model calls it."""
    description: Text
    """What it does and when to use it, for the model."""
    parameters: Parameters = Field(default_factory=dict)
    """Its parameters by name, such as order_number: string (string? may be left out); or a JSON Schema with
    type: object."""
    http: HttpRequest
    """The request that carries it out."""
    while_waiting: AnyWaiting | None = None
    """What the bot says while it takes long: a text, or {say: …, after_s: …}."""


class PythonTool(Section):
    """A function that Python code carries out."""

    telling_key = "python"

    python: Annotated[str, AfterValidator(_python_reference), Field(json_schema_extra={"pattern": f"^{_REFERENCE}$"})]
    """The function, as package.module:function; modules are also looked for beside gateway.yaml."""
    name: ToolName | None = None
    """What the model calls it; without it, the function's name."""
    description: Text | None = None
    """What it does and when to use it; without it, what the function's docstring says."""
    timeout_s: Timeout = 10
    """Seconds that it may take, 60 at most."""
    while_waiting: AnyWaiting | None = None
    """What the bot says while it takes long: a text, or {say: …, after_s: …}."""


class ApprovedTools(Section):
    """Which of a server's tools need the caller's yes; one that is in neither list does."""

    never: tuple[Text, ...] = ()
    """Tools that are used without asking."""
    always: tuple[Text, ...] = ()
    """Tools that are used after a yes alone."""


def _approval_shape(value: Any) -> str:
    return "[word]" if isinstance(value, str) else "[lists]"


class McpServer(Section):
    """An MCP server whose tools the service calls by itself."""

    server_label: ToolName
    """What the server is called."""
    server_url: HttpUrl
    """Its address."""
    allowed_tools: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """The tools that may be used; without it, all."""
    require_approval: Annotated[
        Annotated[Literal["never", "always"], Tag("[word]")] | Annotated[ApprovedTools, Tag("[lists]")],
        Discriminator(_approval_shape),
    ] = "always"
    """Whether the caller must say yes before a tool is used: never, always, or {never: […], always: […]}."""
    authorization: SecretText | None = Field(default=None, repr=False)
    """The Authorization that the server wants, as ${NAME} only."""
    headers: Headers = Field(default_factory=dict, repr=False)
    """Further headers; keys and tokens as ${NAME}."""


class Approval(Section):
    """How the caller is asked before a tool of the server is used."""

    ask: Text
    """The question, word for word."""
    key: Key | None = None
    """The key that means yes, in quotes; any other means no."""
    words: tuple[Text, ...] = ()
    """Words that mean yes when the caller's answer begins with one of them; any other answer means no."""
    timeout_s: Annotated[Number, Field(gt=0, le=120)] = 20
    """Seconds after which no answer means no."""


class McpTool(Section):
    """The tools of an MCP server."""

    telling_key = "mcp"

    mcp: McpServer
    """The server."""
    approval: Approval | None = None
    """How the caller is asked; needed unless require_approval is never."""
    while_waiting: AnyWaiting | None = None
    """What the bot says while a tool of the server takes long: a text, or {say: …, after_s: …}."""


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
