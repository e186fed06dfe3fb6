"""A conversation in text alone: what is typed is answered in writing."""

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import InputTextContentPart, Modality, RequestSession, UserMessageItem
from common import credential, run, until, words

QUESTIONS = ("Where is my order?", "Can it come on Friday?")


async def main(endpoint: str, model: str) -> None:
    """Ask each question, and wait for its answer."""
    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=RequestSession(modalities=[Modality.TEXT], instructions="Be brief."))
        await until(connection, "session.updated")
        for question in QUESTIONS:
            print(f"caller: {question}")
            item = UserMessageItem(content=[InputTextContentPart(text=question)])
            await connection.conversation.item.create(item=item)
            await connection.response.create()
            await until(connection, "response.done", show=words)


if __name__ == "__main__":
    run(main, __doc__)
