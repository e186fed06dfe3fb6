from collections.abc import Callable

import pytest

from gateway.config.line.texts import filled_texts

LineErrors = Callable[..., list[str]]
TOOL = 'name: a, description: b, http: {url: "https://a.b/"}'
MCP = 'mcp: {server_label: crm, server_url: "https://a.b/"}'
UNKNOWN = "unknown placeholder {ordr}, did you mean order?"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('greeting: "{ordr}"', "greeting"),
        ('greeting: {say: "{ordr}"}', "greeting.say"),
        ('greeting: {prompt: "{ordr}"}', "greeting.prompt"),
        ('silence: {after_s: 5, say: "{ordr}"}', "silence.say"),
        ('hours: {open: {mon: "09:00-17:00"}, closed: {say: "{ordr}"}}', "hours.closed.say"),
        ('recording: {announce: "{ordr}"}', "recording.announce"),
        ('recording: {announce: {say: "{ordr}"}}', "recording.announce.say"),
        ('recording: {consent: {ask: "{ordr}"}}', "recording.consent.ask"),
        ('on_key: {"1": {say: "{ordr}"}}', "on_key.1.say"),
        ('transfers: {desk: {to: "+14255550199", announce: "{ordr}"}}', "transfers.desk.announce"),
        (f'tools: [{{{TOOL}, while_waiting: "{{ordr}}"}}]', "tools[0].while_waiting"),
        (f'tools: [{{{TOOL}, while_waiting: {{say: "{{ordr}}"}}}}]', "tools[0].while_waiting.say"),
        (
            f'tools: [{{{TOOL}, parameters: {{pin: {{secret: digits, prompt: "{{ordr}}"}}}}}}]',
            "tools[0].parameters.pin.prompt",
        ),
        (f'tools: [{{{MCP}, approval: {{ask: "{{ordr}}", words: [yes]}}}}]', "tools[0].approval.ask"),
    ],
)
def test_what_is_said_has_placeholders(line_errors: LineErrors, text: str, key: str) -> None:
    """An unknown one is told where it stands; those of the stream's parameters are known."""
    parameters = "parameters: [order]\n"
    (error,) = line_errors(parameters + text)
    assert error == f"line.yaml:4:{text.index('{ordr}') + 1}: {key}: {UNKNOWN}"
    assert line_errors(parameters + text.replace("{ordr}", "{order}")) == []


def test_what_nobody_says_has_none(line_errors: LineErrors) -> None:
    """A description is for the model, and the words of a recording are what they are."""
    described = TOOL.replace("description: b", 'description: "b {x}"')
    assert line_errors(f"tools: [{{{described}}}]") == []


def test_texts_are_found_in_what_need_not_be_right() -> None:
    """Data of other shapes has none there."""
    data = {"greeting": ["a"], "tools": {"a": {"while_waiting": "b"}}, "on_key": "c", "transfers": [{"announce": "d"}]}
    assert list(filled_texts(data)) == [(("transfers", 0, "announce"), "d"), (("tools", "a", "while_waiting"), "b")]
