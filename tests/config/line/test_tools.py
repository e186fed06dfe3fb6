import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.line.tools import HttpTool, McpTool, PythonTool, WhileWaiting, is_http_url
from gateway.config.line_file import LineFile

LineErrors = Callable[..., list[str]]
ReadLine = Callable[..., LineFile]
HTTP = 'http: {url: "https://shop.example.com/"}'
TOOL = f"name: status, description: Looks it up., {HTTP}"


def tools(text: str) -> str:
    """A line with one tool."""
    return f"tools: [{{{text}}}]\n"


def test_a_tool_over_http_needs_name_description_and_address(read_line: ReadLine) -> None:
    """The rest has defaults."""
    line = read_line(tools(TOOL)).line
    assert line
    (tool,) = line.settings.tools
    assert isinstance(tool, HttpTool)
    assert (tool.http.method, tool.http.timeout_s, tool.http.secret, tool.parameters) == ("POST", 10, None, {})


def test_what_is_said_while_waiting_may_be_a_text(read_line: ReadLine) -> None:
    """Or a section with the time."""
    one = f"{{{TOOL}, while_waiting: One moment.}}"
    other = f"{{{TOOL.replace('status', 'other')}, while_waiting: {{say: One moment., after_s: 3}}}}"
    line = read_line(f"tools: [{one}, {other}]").line
    assert line
    waits = [tool.while_waiting for tool in line.settings.tools if isinstance(tool, HttpTool | PythonTool)]
    assert waits == [WhileWaiting(say="One moment.", after_s=1.5), WhileWaiting(say="One moment.", after_s=3)]


def test_secrets_are_nowhere_but_where_they_are_used(read_line: ReadLine) -> None:
    """A log that shows the settings shows none of them."""
    http = 'http: {url: "https://a.b/", headers: {X-Api-Key: "${A}"}, secret: "${B}"}'
    server = 'server_label: crm, server_url: "https://a.b/", require_approval: never'
    mcp = f'mcp: {{{server}, authorization: "${{C}}", headers: {{X: "${{D}}"}}}}'
    text = f"tools:\n  - {{name: a, description: b, {http}}}\n  - {{{mcp}}}\n"
    line = read_line(text, A="hunter2", B="hunter3", C="hunter4", D="hunter5").line
    assert line
    assert "hunter" not in repr(line)
    _, tool = line.settings.tools
    assert isinstance(tool, McpTool)
    assert (tool.mcp.authorization, tool.mcp.headers) == ("hunter4", {"X": "hunter5"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"name: status, {HTTP}", "tools[0].description: is missing"),
        (f"description: Looks it up., {HTTP}", "tools[0].name: is missing"),
        (
            TOOL.replace("status", "order status"),
            "tools[0].name: 'order status' is not fit for a tool, expected 1 to 64 letters, digits, _ and -",
        ),
        (
            TOOL.replace("status", "a" * 65),
            f"tools[0].name: '{'a' * 39}…' is not fit for a tool, expected 1 to 64 letters, digits, _ and -",
        ),
        (
            "name: a, description: b, http: {url: ftp://shop.example.com}",
            "tools[0].http.url: 'ftp://shop.example.com' is not an address that can be used, "
            "expected such as https://shop.example.com/orders",
        ),
        (
            "name: a, description: b, http: {}",
            "tools[0].http.url: is missing",
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", method: FETCH}',
            "tools[0].http.method: 'FETCH' is not known, expected GET, POST, PUT, PATCH or DELETE",
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", timeout_s: 61}',
            "tools[0].http.timeout_s: 61 is too large, expected at most 60",
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", timeout_s: 0}',
            "tools[0].http.timeout_s: 0 is too small, expected more than 0",
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", secret: hunter2}',
            "tools[0].http.secret: is a secret written into a file, expected a reference to the environment, ${NAME}",
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", headers: {"X Y": a}}',
            "tools[0].http.headers.X Y: 'X Y' is not a header's name, expected such as X-Api-Key",
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", headers: {Content-Type: text/plain}}',
            "tools[0].http.headers.Content-Type: the gateway writes it itself, expected another header",
        ),
        *(
            (
                f'name: a, description: b, http: {{url: "https://a.b/", headers: {{{name}: x}}}}',
                f"tools[0].http.headers.{name}: the gateway writes it itself, expected another header",
            )
            for name in ("Host", "Content-Length", "Transfer-Encoding", "connection", "Idempotency-Key")
        ),
        (
            'name: a, description: b, http: {url: "https://a.b/", headers: {X: "a\\nb"}}',
            "tools[0].http.headers.X: has signs that no header can have, expected one line of text",
        ),
        (
            f"{TOOL}, while_waiting: 5",
            "tools[0].while_waiting: expected a text or keys with values, such as {say: …, after_s: 2}, found 5",
        ),
        (
            f"{TOOL}, parameters: [a]",
            "tools[0].parameters: expected keys with values, such as {order_number: string}, found a list",
        ),
        (
            f"{TOOL}, parameters: {{order: text}}",
            "tools[0].parameters.order: 'text' is not known, expected string, integer, number, boolean, string?, "
            "integer?, number? or boolean?",
        ),
        (
            f"{TOOL}, parameters: {{order no: string}}",
            "tools[0].parameters.order no: 'order no' is not fit for a parameter, expected letters, digits and _",
        ),
        (
            f"{TOOL}, parameters: {{card: {{secret: digits, lenght: 4}}}}",
            "tools[0].parameters.card.lenght: unknown key, did you mean length?",
        ),
        (
            f"{TOOL}, parameters: {{card: {{secret: words}}}}",
            "tools[0].parameters.card.secret: 'words' is not known, expected digits",
        ),
        (
            f"{TOOL}, parameters: {{note: {{description: A note}}}}",
            "tools[0].parameters.note.type: is missing",
        ),
        (
            "python: shop.orders",
            "tools[0].python: 'shop.orders' is not the place of a function, expected such as package.module:function",
        ),
        (
            'mcp: {server_label: crm, server_url: "mcp.example.com"}',
            "tools[0].mcp.server_url: 'mcp.example.com' is not an address that can be used, "
            "expected such as https://shop.example.com/orders",
        ),
        (
            'mcp: {server_label: crm, server_url: "https://a.b", authorization: "Bearer x"}',
            "tools[0].mcp.authorization: is a secret written into a file, "
            "expected a reference to the environment, ${NAME}",
        ),
        (
            'mcp: {server_label: crm, server_url: "https://a.b", require_approval: sometimes}',
            "tools[0].mcp.require_approval: 'sometimes' is not known, expected never or always",
        ),
        (
            'mcp: {server_label: crm, server_url: "https://a.b", require_approval: {nver: [a]}}',
            "tools[0].mcp.require_approval.nver: unknown key, did you mean never?",
        ),
        (
            'mcp: {server_label: crm, server_url: "https://a.b", allowed_tools: []}',
            "tools[0].mcp.allowed_tools: is empty, expected at least one",
        ),
        (
            'mcp: {server_label: crm, server_url: "https://a.b", require_approval: always}, approval: {key: "1"}',
            "tools[0].approval.ask: is missing",
        ),
    ],
)
def test_a_wrong_tool_is_told(line_errors: LineErrors, text: str, expected: str) -> None:
    """One mistake, one message, at its key."""
    (error,) = line_errors(tools(text))
    assert error.split(": ", 1)[1] == expected


KEYS = ["type", "properties", "required", "anyOf", "items", "secret", "not", "$ref", "enum", "prompt", "optional"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 99) | st.sampled_from(["object", "string", "string?", "digits", "{a}"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1).map(lambda more: {**more, "type": "object"}))
def test_any_parameters_give_a_tool_or_errors(parameters: object) -> None:
    """Nothing that can stand there gets past the messages as a traceback."""
    http = {"url": "https://a.example/{a}"}
    tool = {"name": "a", "description": "b", "http": http, "parameters": parameters}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "line.yaml"
        file.write_text(json.dumps({"numbers": ["*"], "instructions": "Answer.", "tools": [tool]}))
        read = LineFile(file, "gpt-4.1", {})
    assert (read.line is None) == bool(read.errors)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.b", True),
        ("http://127.0.0.1:9/x?y={z}", True),
        ("https://[::1]:8443/", True),
        ("https://", False),
        ("https://a.b:0/", False),
        ("https://a.b:99999/", False),
        ("https://a b/", False),
        ("https://user:word@a.b/", False),
        ("https://a.b/#part", False),
        ("https://[::1/", False),
        ("https://ä.example/", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_request_goes_to_a_host_over_http(url: str, expected: bool) -> None:
    """Other schemes, credentials in the address and what is no address are refused."""
    assert is_http_url(url) is expected
