"""An agent of Azure AI Foundry answers: its instructions and tools are the agent's own.

`AGENT_NAME` and `AGENT_PROJECT` say which. Agents take tokens of Entra ID alone, no key.
"""

import os

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import InputTextContentPart, RequestSession, UserMessageItem
from common import credential, run, until, words


async def main(endpoint: str, _model: str) -> None:
    """Ask the agent one question."""
    agent, project = os.environ.get("AGENT_NAME", "support"), os.environ.get("AGENT_PROJECT", "contoso")
    async with (
        credential(endpoint, token=True) as token,
        connect(endpoint=endpoint, credential=token, agent_name=agent, project_name=project) as connection,
    ):
        await connection.session.update(session=RequestSession())
        await until(connection, "session.updated")
        question = InputTextContentPart(text="Where is my order?")
        await connection.conversation.item.create(item=UserMessageItem(content=[question]))
        await connection.response.create()
        await until(connection, "response.done", show=words)


if __name__ == "__main__":
    run(main, __doc__)
