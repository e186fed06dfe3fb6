from collections.abc import Callable

import pytest

LineErrors = Callable[..., list[str]]
HTTP = 'http: {url: "https://a.b/"}'
TOOL = f"name: a, description: b, {HTTP}"
MCP = 'mcp: {server_label: crm, server_url: "https://a.b/"'
NEVER = f"{MCP}, require_approval: never}}"
INTERIM = "interim_response: {type: static_interim_response, texts: [Wait.], triggers: [%s]}"
BRANCH = "the service refuses a branch without a type, expected a type in each"


def at(url: str, parameters: str, method: str = "POST") -> str:
    """A tool with this address."""
    http = f'http: {{url: "{url}", method: {method}}}'
    return f"tools: [{{name: a, description: b, {http}, parameters: {parameters}}}]"


@pytest.mark.parametrize(
    ("model", "text", "expected"),
    [
        (
            "azure-realtime",
            "voice: ava\ntools: [end_call]",
            "tools: model azure-realtime takes no tools, expected none",
        ),
        (
            "azure-realtime",
            f"voice: ava\ntools: [{{{NEVER}}}]",
            "tools: model azure-realtime takes no tools, expected none",
        ),
        (
            "phi4-mm-realtime",
            f"tools: [{{{NEVER}}}]",
            "tools[0].mcp: model phi4-mm-realtime takes no MCP servers, expected none",
        ),
        ("gpt-4.1", "tool_choice: required", "tool_choice: required needs at least one of tools"),
        (
            "gpt-4.1",
            "tools: [end_call]\ntool_choice: {function: order_status}",
            "tool_choice.function: order_status is no function of the line, expected one of end_call",
        ),
        (
            "gpt-4.1",
            "tool_choice: {function: order_status}",
            "tool_choice.function: order_status is no function of the line, expected tools with that function",
        ),
        ("gpt-4.1", "tools: [end_call, end_call]", "tools[1]: end_call stands there twice"),
        (
            "gpt-4.1",
            "tools: [transfer_call]",
            'tools[0]: transfer_call needs transfers, such as transfers: {desk: "+14255550199"}',
        ),
        (
            "gpt-4.1",
            f"tools: [{{{TOOL}, parameters: {{type: object, properties: {{n: {{anyOf: [{{}}]}}}}}}}}]",
            f"tools[0].parameters.properties.n.anyOf[0]: {BRANCH}",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{TOOL}, parameters: {{type: object, required: x}}}}]",
            "tools[0].parameters.required: is not a valid JSON Schema (draft 2020-12): 'x' is not of type 'array'",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{TOOL}, parameters: {{type: object, properties: {{pin: {{secret: digits}}}}}}}}]",
            "tools[0].parameters.properties.pin.secret: is no word of JSON Schema, "
            "expected secret parameters in the short form of parameters",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{TOOL}, parameters: {{n: {{type: integer, enum: [a]}}}}}}]",
            "tools[0].parameters.n.enum: needs type string, found integer",
        ),
        (
            "gpt-4.1",
            at("https://a.b/{order}", "{}"),
            "tools[0].http.url: {order} is no required parameter, expected no placeholder",
        ),
        (
            "gpt-4.1",
            at("https://a.b/{ordr}", "{order: string, more: string?}"),
            "tools[0].http.url: {ordr} is no required parameter, expected one of its required parameters, order",
        ),
        (
            "gpt-4.1",
            at("https://a.b/{more}", "{more: string?}"),
            "tools[0].http.url: {more} is no required parameter, expected no placeholder",
        ),
        (
            "gpt-4.1",
            at("https://a.b/{more}", "{type: object}"),
            "tools[0].http.url: {more} is no required parameter, expected no placeholder",
        ),
        (
            "gpt-4.1",
            at("https://{host}/", "{host: string}"),
            "tools[0].http.url: {host} stands in the host, where the model may not choose, expected it after the host",
        ),
        (
            "gpt-4.1",
            at("HTTPS://{host}/", "{host: string}"),
            "tools[0].http.url: {host} stands in the host, where the model may not choose, expected it after the host",
        ),
        (
            "gpt-4.1",
            at("https://a.b/{pin}", "{pin: {secret: digits}}"),
            "tools[0].http.url: {pin} is a secret parameter, expected it in the request's body alone",
        ),
        (
            "gpt-4.1",
            at("https://a.b/", "{pin: {secret: digits}}", "GET"),
            "tools[0].http.method: GET would put the secret parameter into the address, "
            "expected POST, PUT, PATCH or DELETE",
        ),
        (
            "gpt-4.1",
            f"{INTERIM % 'tool'}\ntools: [{{{TOOL}, while_waiting: One moment.}}]",
            "tools[0].while_waiting: the line's interim_response fills the wait for tools, expected one of them",
        ),
        (
            "gpt-4.1",
            f"{INTERIM % 'tool'}\ntools: [{{{MCP}, require_approval: never}}, while_waiting: One moment.}}]",
            "tools[0].while_waiting: the line's interim_response fills the wait for tools, expected one of them",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{MCP}}}}}]",
            "tools[0].mcp.require_approval: needs approval, how the caller is asked: "
            "{ask: …, key: …, words: […]}; or never",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{MCP}, allowed_tools: [look, buy], require_approval: {{never: [look]}}}}}}]",
            "tools[0].mcp.require_approval: needs approval, how the caller is asked: "
            "{ask: …, key: …, words: […]}; or never",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{MCP}, require_approval: {{never: [look]}}}}}}]",
            "tools[0].mcp.require_approval: needs approval, how the caller is asked: "
            "{ask: …, key: …, words: […]}; or never",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{MCP}}}, approval: {{ask: May I?}}}}]",
            "tools[0].approval: has no way to say yes, expected key, words or both",
        ),
        (
            "gpt-4.1",
            f'on_key: {{"1": {{hang_up: true}}}}\ntools: [{{{MCP}}}, approval: {{ask: May I?, key: "1"}}}}]',
            "tools[0].approval.key: 1 is also a key of on_key, expected another",
        ),
        (
            "gpt-4.1",
            f"tools: [{{{MCP}, require_approval: {{never: [a], always: [a]}}}}, approval: {{ask: Eh?, words: [y]}}}}]",
            "tools[0].mcp.require_approval.always[0]: a is also in never, expected it in one of them",
        ),
    ],
)
def test_a_tool_that_cannot_work_is_refused(line_errors: LineErrors, model: str, text: str, expected: str) -> None:
    """One message, at the key that has to change."""
    (error,) = line_errors(text, model=model)
    assert error.split(": ", 1)[1] == expected


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("phi4-mm-realtime", "tools: [end_call]"),
        ("gpt-4.1", 'tools: [transfer_call]\ntransfers: {desk: "+14255550199"}'),
        ("gpt-4.1", at("https://a.b/{order}/x?y={order}", "{order: string}", "GET")),
        ("gpt-4.1", at("https://a.b/{n}", "{type: object, properties: {n: {type: string}}, required: [n]}")),
        ("gpt-4.1", at("https://a.b/", "{pin: {secret: digits}, card: {secret: digits}}", "PUT")),
        ("gpt-4.1", f"{INTERIM % 'latency'}\ntools: [{{{TOOL}, while_waiting: One moment.}}]"),
        ("gpt-4.1", f"{INTERIM % 'tool'}\ntools: [{{{TOOL}}}]"),
        ("gpt-4.1", f"tools: [{{{NEVER}}}]"),
        ("gpt-4.1", f"tools: [{{{MCP}, allowed_tools: [a], require_approval: {{never: [a, b]}}}}}}]"),
        ("gpt-4.1", f"tools: [{{{MCP}}}, approval: {{ask: May I?, words: [yes]}}}}]"),
    ],
)
def test_a_tool_that_can_work_is_taken(line_errors: LineErrors, model: str, text: str) -> None:
    """The neighbours of what is refused pass."""
    assert line_errors(text, model=model) == []
