"""The service calls a tool of an MCP server by itself, once this program has approved of it.

With the emulator: `gateway emulator --script examples/voice_live/mcp.script.yaml`.
"""

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import (
    InputTextContentPart,
    MCPApprovalResponseRequestItem,
    MCPServer,
    RequestSession,
    UserMessageItem,
)
from common import credential, run, until, words

DOCS = MCPServer(
    server_label="docs",
    server_url="https://learn.microsoft.com/api/mcp",
    allowed_tools=["microsoft_docs_search"],
    require_approval="always",
)
ENDS = ("response.mcp_call.completed", "response.mcp_call.failed")


async def main(endpoint: str, model: str) -> None:
    """Ask, approve, and hear what the tool found."""
    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=RequestSession(instructions="Look it up.", tools=[DOCS]))
        await until(connection, "mcp_list_tools.completed")
        question = InputTextContentPart(text="What is Voice Live?")
        await connection.conversation.item.create(item=UserMessageItem(content=[question]))
        await connection.response.create()
        while True:
            created = await until(connection, "conversation.item.created", show=words)
            if created.item.type == "mcp_approval_request":
                break
        await until(connection, "response.done", show=words)
        print(f"{created.item.server_label}: {created.item.name}({created.item.arguments})")
        approval = MCPApprovalResponseRequestItem(approval_request_id=created.item.id, approve=True)
        await connection.conversation.item.create(item=approval)
        await until(connection, *ENDS, show=words)
        await connection.response.create()
        await until(connection, "response.done", show=words)


if __name__ == "__main__":
    run(main, __doc__)
