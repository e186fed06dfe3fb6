import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.line_file import LineFile
from gateway.config.telling.describe import describe
from gateway.config.telling.describe_actions import action_rows, action_warnings, wants_keys

ReadLine = Callable[..., LineFile]

ALL = """
transfers:
  desk: "+14255550199"
  billing: {to: sip:billing@example.com, description: Invoices, announce: One moment.}
tools:
  - transfer_call
  - name: order_status
    description: Looks up an order.
    parameters: {order: string, note: string?, card: {secret: digits}}
    http: {url: "https://${HOST}/secret/${TOKEN}", secret: "${TOKEN}"}
    while_waiting: I am looking.
  - mcp: {server_label: crm, server_url: "https://mcp.example.com/", allowed_tools: [a, b]}
    approval: {ask: May I?, key: "1", words: [yes, sure]}
    while_waiting: {say: "One moment, {caller}.", after_s: 2}
  - mcp: {server_label: wiki, server_url: "https://wiki.example.com/", require_approval: never}
digits: {pause_s: 3}
on_key: {"0": {transfer: desk}, "9": {say: Nine to five.}, "*": {hang_up: true}}
hours:
  open: {mon-fri: "09:00-17:00", sat: "10:00-12:00"}
  holidays: ["2026-12-25"]
  closed: {say: We are closed., transfer: desk}
"""


def test_what_the_bot_does_is_told_in_rows(read_line: ReadLine) -> None:
    """Each tool, transfer and key in one; of addresses the host alone, since the rest may hold a token."""
    line = read_line(ALL, HOST="shop.example.com", TOKEN="hunter2").line
    assert line
    assert [f"{what:<9}{how}" for what, how in action_rows(line)] == [
        "tool     transfer_call, built in",
        "tool     order_status(order, note?, card (keyed in secret)): POST to shop.example.com, signed, "
        "10 s at most, says 'I am looking.' meanwhile",
        "tool     crm: MCP server at mcp.example.com, a, b, asks 'May I?', yes by key 1 or yes, sure, "
        "says 'One moment, {caller}.' meanwhile",
        "tool     wiki: MCP server at wiki.example.com, all its tools, without asking",
        "transfer desk to +14255550199",
        "transfer billing to sip:billing@example.com: Invoices, after 'One moment.'",
        "key      0 transfers to desk",
        "key      9 says 'Nine to five.'",
        "key      * ends the call",
        "digits   given to the model, an entry ends by # or a pause of 3 s",
        "hours    mon-fri 09:00-17:00; sat 10:00-12:00 (UTC); closed on 2026-12-25",
        "closed   says 'We are closed.', then transfers to desk",
    ]
    assert "hunter2" not in describe(line)


def test_an_agent_takes_the_place_of_the_model(read_line: ReadLine) -> None:
    """It is named with its project."""
    line = read_line('agent: {name: helper, project: shop, version: "3"}\n', base='numbers: ["*"]\n').line
    assert line
    rows = describe(line).splitlines()
    assert "  agent      helper of the Foundry project shop, version 3" in rows
    assert not any(row.startswith("  model") for row in rows)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", ["tools    none"]),
        ("tools: [end_call]", ["tool     end_call, built in"]),
        ("tools: [end_call]\ntool_choice: required", ["tool use always uses one", "tool     end_call, built in"]),
        (
            "tools: [end_call]\ntool_choice: {function: end_call}",
            ["tool use always uses end_call", "tool     end_call, built in"],
        ),
        ("tools: [end_call]\ntool_choice: none", ["tool use uses none", "tool     end_call, built in"]),
        (
            "model: gpt-4.1\ntools: [end_call]\ntool_choice: required\nparallel_tool_calls: true",
            ["tool use always uses one, several at once", "tool     end_call, built in"],
        ),
        (
            'tools: [{name: a, description: b, http: {url: "https://a.b/x", method: GET, timeout_s: 2.5}}]',
            ["tool     a(): GET to a.b, 2.5 s at most"],
        ),
        (
            'tools: [{mcp: {server_label: crm, server_url: "https://a.b/"}, approval: {ask: Yes?, words: [ja]}}]',
            ["tool     crm: MCP server at a.b, all its tools, asks 'Yes?', yes by ja"],
        ),
        (
            'tools: [{mcp: {server_label: crm, server_url: "https://a.b/"}, approval: {ask: Yes?, key: "1"}}]',
            ["tool     crm: MCP server at a.b, all its tools, asks 'Yes?', yes by key 1"],
        ),
        (
            "digits: {finish_on: none}",
            ["tools    none", "digits   given to the model, an entry ends by a pause of 2 s"],
        ),
        (
            'hours: {open: {sat: "10:00-12:00"}, closed: {say: Closed.}}',
            ["tools    none", "hours    sat 10:00-12:00 (UTC)", "closed   says 'Closed.', then ends the call"],
        ),
    ],
)
def test_what_is_not_there_is_not_told(read_line: ReadLine, text: str, rows: list[str]) -> None:
    """Each row alone: no signature that is not made, no key that is not asked for."""
    line = read_line(text).line
    assert line
    assert [f"{what:<9}{how}" for what, how in action_rows(line)] == rows


def test_a_function_in_python_is_told_by_its_place(
    read_line: ReadLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Module and name, as somebody looks for it; an object that can be called has no other name than the tool's."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = "class C:\n    async def __call__(self, day: str): ...\nasync def f(day: str): ...\nbook = C()\n"
    (tmp_path / "told_shop.py").write_text(source)
    line = read_line("tools: [{python: told_shop:f, description: a}, {python: told_shop:book, description: b}]").line
    assert line
    assert [how for _, how in action_rows(line)] == [
        "f(day): told_shop.f in Python, 10 s at most",
        "book(day): told_shop.book in Python, 10 s at most",
    ]
    del sys.modules["told_shop"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ('on_key: {"0": {say: Hi.}, "#": {hang_up: true}}', ["on_key.0", "on_key.#"]),
        ("digits: {}", ["digits"]),
        ('turn_detection: none\ntranscription: none\ncommit_on: "#"', ["commit_on"]),
        (
            "tools: [{name: pay, description: b, parameters: {card: {secret: digits}}, http: {url: 'https://a.b'}}]",
            ["tools: pay"],
        ),
        ("tools: [{name: ask, description: b, http: {url: 'https://a.b'}}]", []),
        (
            'tools: [{mcp: {server_label: crm, server_url: "https://a.b/"}, approval: {ask: Yes?, key: "1"}}]',
            ["approval.key"],
        ),
        (
            'tools: [{mcp: {server_label: c, server_url: "https://a.b"}, approval: {ask: A?, key: "1", words: [ja]}}]',
            [],
        ),
    ],
)
def test_what_cannot_be_without_the_phone_s_keys(read_line: ReadLine, text: str, wanted: list[str]) -> None:
    """A provider that tells no keys makes these useless; an approval that words give too is not."""
    line = read_line(text).line
    assert line
    assert wants_keys(line) == wanted


TOOL = 'name: a, description: b, http: {url: "https://a.b/"%s}'
MCP = 'mcp: {server_label: crm, server_url: "%s", require_approval: never%s}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'tools: [transfer_call]\ntransfers: {desk: "+14255550199"}',
            "line: transfers.desk: no description, the model has its name alone to choose by",
        ),
        (
            'tools: [{name: a, description: b, http: {url: "http://a.b/", timeout_s: 5}}]',
            "line: tools[0].http.url: is not encrypted, expected https:// outside of this machine",
        ),
        (
            f"tools: [{{{MCP % ('http://a.b/', ', allowed_tools: [x]')}}}]",
            "line: tools[0].mcp.server_url: is not encrypted, expected https:// outside of this machine",
        ),
        (
            f"tools: [{{{TOOL % ''}}}]",
            "line: a: up to 10 s of silence, expected while_waiting, or timeout_s of 5 at most",
        ),
        (
            f"tools: [{{{MCP % ('https://a.b/', '')}}}]",
            "line: tools[0].mcp.require_approval: never, for all tools that crm has or will have",
        ),
        (
            f"tools: [{{{MCP % ('https://a.b/', ', allowed_tools: [x]')}, approval: {{ask: May I?, words: [y]}}}}]",
            "line: tools[0].approval: is never asked for, no tool needs it",
        ),
        (
            'after: {say: "Bye {caller}, {caller}."}',
            "line: after.say: {caller} is spoken as written, expected words without placeholders",
        ),
        (
            'variables: {shop: Roses}\non_failure: {say: "{shop}, {now}"}',
            "line: on_failure.say: {shop}, {now} is spoken as written, expected words without placeholders",
        ),
    ],
)
def test_what_may_not_be_meant_is_warned_about(read_line: ReadLine, text: str, expected: str) -> None:
    """Allowed, but worth a second look."""
    line = read_line(text).line
    assert line
    assert list(action_warnings(line)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        'after: {say: "A brace {} and {who}."}',
        'tools: [{name: a, description: b, http: {url: "https://a.b/", timeout_s: 5}}]',
        f"tools: [{{{MCP % ('https://a.b/', ', allowed_tools: [x]')}}}]",
        'tools: [transfer_call]\ntransfers: {desk: {to: "+14255550199", description: d}}',
        'transfers: {desk: "+14255550199"}\non_key: {"0": {transfer: desk}}',
        'tools: [{name: a, description: b, http: {url: "http://127.0.0.1:8000/", timeout_s: 5}}]',
        f"tools: [{{{TOOL % ''}, while_waiting: One moment.}}]",
        f"tools: [{{{TOOL % ''}}}]\nmodel: gpt-4.1\n"
        "interim_response: {type: static_interim_response, texts: [Wait.], triggers: [tool]}",
    ],
)
def test_what_is_meant_is_not(read_line: ReadLine, text: str) -> None:
    """The neighbours go without a word."""
    line = read_line(text).line
    assert line
    assert list(action_warnings(line)) == []
