"""A conversation that began elsewhere goes on: its messages are put into the session first."""

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import (
    AssistantMessageItem,
    InputTextContentPart,
    OutputTextContentPart,
    RequestSession,
    SystemMessageItem,
    UserMessageItem,
)
from common import credential, run, until, words

HISTORY = (
    SystemMessageItem(content=[InputTextContentPart(text="The caller's name is Ada. Her order is number 17.")]),
    UserMessageItem(content=[InputTextContentPart(text="Where is my order?")]),
    AssistantMessageItem(content=[OutputTextContentPart(text="It left our warehouse this morning.")]),
)


async def main(endpoint: str, model: str) -> None:
    """Put the messages in, ask what follows from them, and take one out again."""
    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=RequestSession(instructions="Be brief."))
        await until(connection, "session.updated")
        for item in HISTORY:
            await connection.conversation.item.create(item=item)
            created = await until(connection, "conversation.item.created")
        print(f"{len(HISTORY)} messages, the last is {created.item.id}")
        question = InputTextContentPart(text="And when does it come?")
        await connection.conversation.item.create(item=UserMessageItem(content=[question]))
        await connection.response.create()
        await until(connection, "response.done", show=words)
        await connection.conversation.item.delete(item_id=created.item.id)
        await until(connection, "conversation.item.deleted")


if __name__ == "__main__":
    run(main, __doc__)
