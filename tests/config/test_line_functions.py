import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.line_file import LineFile
from gateway.function import Function, HttpCall, PythonCall, SecretDigits, WhileWaiting

LineErrors = Callable[..., list[str]]
ReadLine = Callable[..., LineFile]


def tool(name: str) -> str:
    """A tool over HTTP of that name."""
    return f'{{name: {name}, description: b, http: {{url: "https://a.b/"}}}}'


def server(label: str) -> str:
    """An MCP server of that label."""
    return f'{{mcp: {{server_label: {label}, server_url: "https://a.b/", require_approval: never}}}}'


def test_a_tool_over_http_becomes_a_function(read_line: ReadLine) -> None:
    """Everything that a call of it needs, the secrets opened."""
    text = """
tools:
  - end_call
  - name: order_status
    description: Looks up an order.
    parameters: {order: string, card: {secret: digits}}
    http: {method: PUT, url: "https://a.b/{order}", headers: {X-Api-Key: "${KEY}"}, timeout_s: 4, secret: "${SECRET}"}
    while_waiting: One moment.
"""
    line = read_line(text, KEY="k", SECRET="s").line
    assert line
    assert line.functions == (
        Function(
            name="order_status",
            description="Looks up an order.",
            parameters={"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
            run=HttpCall("PUT", "https://a.b/{order}", {"X-Api-Key": "k"}, "s"),
            timeout_s=4,
            secrets=(SecretDigits("card"),),
            while_waiting=WhileWaiting("One moment.", 1.5),
        ),
    )


def test_what_a_python_function_tells_of_itself_can_be_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_errors: LineErrors
) -> None:
    """Its docstring and the descriptions of its parameters go to the service with every call."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "odd_shop.py").write_text(
        'async def f(order: str) -> str: ...\nf.__doc__ = "Half \\ud83d of it."\n'
        'async def g(order: str) -> str:\n    """Looks.\n\n    Args:\n        order: a \\x07 bell\n    """\n'
    )
    assert line_errors("tools: [{python: odd_shop:f}, {python: odd_shop:g}]") == [
        "line.yaml:3:10: tools[0].python: odd_shop:f holds U+D83D, which is half of a character, "
        "in its description or parameters, expected text",
        "line.yaml:3:32: tools[1].python: odd_shop:g holds U+0007, a control character, "
        "in its description or parameters, expected text",
    ]


def test_what_the_line_says_of_a_python_function_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_errors: LineErrors, read_line: ReadLine
) -> None:
    """Name and description may be the line's own; without a docstring it needs one."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = "async def f(order: str) -> str:\n    return order\nasync def größe(): ...\n"
    (tmp_path / "bare_shop.py").write_text(source, encoding="utf-8")
    python = "python: bare_shop:f"
    assert line_errors(f"tools: [{{{python}}}]") == [
        "line.yaml:3:10: tools[0].python: bare_shop:f has no docstring, expected one, or a description here"
    ]
    assert line_errors('tools: [{python: "bare_shop:größe", description: Tells the size.}]') == [
        "line.yaml:3:10: tools[0].python: bare_shop:größe has a name that is not fit for a tool, expected a name here"
    ]
    line = read_line(
        f"tools: [{{{python}, name: status, description: Looks., timeout_s: 3, while_waiting: Wait.}}]"
    ).line
    assert line
    (function,) = line.functions
    assert (function.name, function.description, function.timeout_s) == ("status", "Looks.", 3)
    assert function.while_waiting == WhileWaiting("Wait.", 1.5)
    assert isinstance(function.run, PythonCall)
    del sys.modules["bare_shop"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"tools: [{tool('a')}, {tool('a')}]",
            "tools[1].name: a is the name of tools[0], expected another",
        ),
        (
            f"tools: [{tool('end_call')}]",
            "tools[0].name: end_call is the name of a built-in tool, expected another",
        ),
        (
            f"tools: [{server('crm')}, {server('crm')}]",
            "tools[1].mcp.server_label: crm is the label of tools[0], expected another",
        ),
    ],
)
def test_a_tool_has_its_name_for_itself(line_errors: LineErrors, text: str, expected: str) -> None:
    """The model could not tell two of one name apart."""
    (error,) = line_errors(text)
    assert error.split(": ", 1)[1] == expected
