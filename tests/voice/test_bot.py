"""What answers a line's calls."""

from pathlib import Path

from gateway.voice.bot import Agent, Model, answering_for
from tests.voice.lines import AGENT, line_of


def test_a_model_answers_unless_the_line_names_an_agent(tmp_path: Path) -> None:
    """The line's model or the deployment's."""
    assert answering_for(line_of(tmp_path, "")) == Model("gpt-4.1")
    assert answering_for(line_of(tmp_path, "model: gpt-realtime")) == Model("gpt-realtime")


def test_an_agent_is_as_the_line_names_it(tmp_path: Path) -> None:
    """What the line leaves out is empty, and left to the service."""
    assert answering_for(line_of(tmp_path, "", begins=AGENT)) == Agent("desk", "contoso")
    whole = """
agent:
  name: desk
  project: contoso
  version: "3"
  conversation_id: conv_1
  foundry_resource_override: other
  identity_client_id: 0000-1111
"""
    assert answering_for(line_of(tmp_path, "", begins=whole)) == Agent(
        "desk", "contoso", "3", "conv_1", "other", "0000-1111"
    )
