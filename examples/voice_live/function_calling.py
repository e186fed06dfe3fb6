"""The model calls a function of this program, and speaks about its result."""

import json

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import (
    FunctionCallOutputItem,
    FunctionTool,
    InputTextContentPart,
    RequestSession,
    ResponseCreateParams,
    UserMessageItem,
)
from common import credential, run, until, words

MOVE = FunctionTool(
    name="move_delivery",
    description="Moves a delivery to another day.",
    parameters={"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
)


def move_delivery(day: str) -> dict[str, object]:
    """Move it."""
    return {"moved": True, "day": day}


async def main(endpoint: str, model: str) -> None:
    """Ask for what only the function can do."""
    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=RequestSession(instructions="Be brief.", tools=[MOVE]))
        await until(connection, "session.updated")
        question = InputTextContentPart(text="Please bring it on Friday.")
        await connection.conversation.item.create(item=UserMessageItem(content=[question]))
        await connection.response.create(response=ResponseCreateParams(tool_choice="required"))
        call = await until(connection, "response.function_call_arguments.done", show=words)
        output = json.dumps(move_delivery(**json.loads(call.arguments)))
        print(f"{call.name}({call.arguments}) -> {output}")
        await until(connection, "response.done", show=words)  # no response may be asked for before the last is over
        await connection.conversation.item.create(item=FunctionCallOutputItem(call_id=call.call_id, output=output))
        await connection.response.create()
        await until(connection, "response.done", show=words)


if __name__ == "__main__":
    run(main, __doc__)
