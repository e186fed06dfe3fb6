from collections.abc import Callable

import pytest

from gateway.config.line.models import Engine
from gateway.config.line_file import LineFile

LineErrors = Callable[..., list[str]]
ReadLine = Callable[..., LineFile]
DESK = 'transfers: {desk: "+14255550199"}\n'
BY_KEY = 'turn_detection: none\ncommit_on: "#"\n'
CLOSED = "closed: {say: Closed.}"
AGENT = "agent: {name: a, project: p}\n"
ALONE = 'numbers: ["*"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("greeting: {interruptible: false}", "greeting: has no words, expected say, prompt or play"),
        (
            "greeting: {say: Hello., prompt: Be kind.}",
            "greeting.prompt: stands beside say, expected one of say, prompt and play",
        ),
        ("history: [{}]", "history[0]: expected one of system, user and assistant, found none of them"),
        (
            "history: [{system: A remark.}, {user: Hi., assistant: Hello.}]",
            "history[1]: expected one of system, user and assistant, found user and assistant",
        ),
        ("greeting: {say: Hello., text: Hello.}", "greeting.text: needs play: these are the words of a recording"),
        ("on_trouble: {say: Wait., play: a.wav}", "on_trouble.play: stands beside say, expected one of say and play"),
        (
            "variables: {order: 1}\nparameters: [order]",
            "parameters[0]: order is also one of variables, expected another name",
        ),
        ("parameters: [order, order]", "parameters[1]: order stands there twice"),
        ("parameters: [caller]", "parameters[0]: is filled in for each call, expected another name"),
        (
            f'hours: {{open: {{mon-fri: "09:00-17:00", fri: "10:00-12:00"}}, {CLOSED}}}',
            "hours.open.fri: fri has its hours in mon-fri already",
        ),
        (
            'hours: {open: {mon: "09:00-17:00"}, closed: {}}',
            "hours.closed: has nothing that callers meet, expected say, play or transfer",
        ),
        (
            'hours: {open: {mon: "09:00-17:00"}, closed: {say: Closed., text: x}}',
            "hours.closed.text: needs play: these are the words of a recording",
        ),
        (
            DESK + 'hours: {open: {mon: "09:00-17:00"}, closed: {transfer: dsk}}',
            "hours.closed.transfer: 'dsk' is none of transfers, did you mean desk?",
        ),
        (
            'on_key: {"0": {transfer: desk}}',
            "on_key.0.transfer: 'desk' is none of transfers, the line has none",
        ),
        ('on_key: {"0": {}}', "on_key.0: expected one of transfer, say and hang_up: true, found none"),
        (
            'on_key: {"0": {hang_up: false}}',
            "on_key.0: expected one of transfer, say and hang_up: true, found none",
        ),
        (
            DESK + 'on_key: {"0": {transfer: desk, say: Hello.}}',
            "on_key.0: expected one of transfer, say and hang_up: true, found transfer and say",
        ),
        (
            f'{BY_KEY}on_key: {{"#": {{hang_up: true}}}}',
            "on_key.#: is also commit_on, expected another key",
        ),
        (f"{BY_KEY}digits: {{pause_s: 3}}", "digits.finish_on: # is also commit_on, expected another or none"),
        (
            'digits: {finish_on: "*"}\non_key: {"*": {hang_up: true}}',
            "digits.finish_on: * is also a key of on_key, expected another or none",
        ),
        (
            "transfers: {desk: reception}",
            "transfers.desk: 'reception' is neither a phone number such as +14255550199 nor an address "
            "such as sip:desk@example.com",
        ),
        *(
            (
                f"{key}: {{transfer: a b}}",
                f"{key}.transfer: 'a b' is neither a phone number such as +14255550199 nor an address such as "
                "sip:desk@example.com, nor the name of one of transfers",
            )
            for key in ("after", "on_failure", "on_shutdown")
        ),
        *(
            (
                f'{key}: {{transfer: "+14255550199,12"}}',
                f"{key}.transfer: '+14255550199,12' is not a place to transfer to: nobody dials an extension behind a "
                "number, expected it without",
            )
            for key in ("after", "on_failure", "on_shutdown")
        ),
        *(
            (
                text.replace("N", "+14255550199"),
                f'{key}: expected a text, found a number: write it in quotes, "+14255550199"',
            )
            for key, text in (
                ("after.transfer", "after: {transfer: N}"),
                ("on_failure.transfer", "on_failure: {transfer: N}"),
                ("on_shutdown.transfer", "on_shutdown: {transfer: N}"),
                ("transfers.desk", "transfers: {desk: N}"),
                ("transfers.desk.to", "transfers: {desk: {to: N}}"),
            )
        ),
        ("after: {transfer: 1234}", "after.transfer: expected a text, found 1234"),
        (
            'on_key: {"0": {transfer: the desk}}',
            "on_key.0.transfer: 'the desk' is not a name, expected one of transfers",
        ),
        (
            'transfers: {the desk: "+14255550199"}',
            "transfers.the desk: 'the desk' is not fit for a name, expected letters, digits, _ and -",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(line_errors: LineErrors, text: str, expected: str) -> None:
    """One message, at the key that has to change."""
    (error,) = line_errors(text, model="gpt-4.1")
    assert error.split(": ", 1)[1] == expected


@pytest.mark.parametrize(
    "text",
    [
        DESK + 'on_key: {"0": {transfer: desk}, "*": {hang_up: true}, "9": {say: Hello.}}\ndigits: {}',
        f"{BY_KEY}digits: {{finish_on: none}}",
        f'{BY_KEY}digits: {{finish_on: "*"}}',
        DESK + 'hours: {open: {mon: "09:00-17:00"}, closed: {transfer: desk}}',
        "greeting: {prompt: Be kind., interruptible: false}",
        "transfers: {desk: sips:desk@example.com, billing: {to: sip:billing@example.com}}",
    ],
)
def test_what_goes_together_is_taken(line_errors: LineErrors, text: str) -> None:
    """The neighbours of what is refused pass."""
    assert line_errors(text, model="gpt-4.1") == []


def test_an_agent_needs_no_instructions_and_no_model(read_line: ReadLine) -> None:
    """It has its own; what fits a text model fits it."""
    line = read_line(f"{AGENT}interim_response: {{type: llm_interim_response}}\ngreeting: Hello.\n", base=ALONE).line
    assert line
    assert line.settings.agent
    assert (line.model, line.instructions, line.engine) == ("", "", Engine.CASCADED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("instructions: Answer.", "instructions: belongs to the agent, expected no such key beside agent"),
        ("instructions_file: a.md", "instructions_file: belongs to the agent, expected no such key beside agent"),
        ("model: gpt-4.1", "model: belongs to the agent, expected no such key beside agent"),
        ("tools: [end_call]", "tools: belongs to the agent, expected no such key beside agent"),
        ("tool_choice: none", "tool_choice: belongs to the agent, expected no such key beside agent"),
        ("parallel_tool_calls: true", "parallel_tool_calls: belongs to the agent, expected no such key beside agent"),
        ("temperature: 0.8", "temperature: belongs to the agent, expected no such key beside agent"),
        ("voice: marin", "voice: the OpenAI voice marin needs a gpt-realtime model, found an agent"),
    ],
)
def test_what_belongs_to_the_agent_is_not_set_here(line_errors: LineErrors, text: str, expected: str) -> None:
    """The service refuses it in a session with an agent."""
    (error,) = line_errors(AGENT + text + "\n", base=ALONE)
    assert error.split(": ", 1)[1] == expected
