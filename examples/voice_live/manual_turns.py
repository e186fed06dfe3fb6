"""Push to talk: no voice activity detection; the program says when a turn is over."""

import base64

from azure.ai.voicelive.aio import connect
from azure.ai.voicelive.models import RequestSession
from common import credential, frames, recording, run, until, words


async def main(endpoint: str, model: str) -> None:
    """Send a turn, commit it, and ask for the answer."""
    session = RequestSession(instructions="Be brief.", input_audio_format="g711_ulaw", turn_detection=None)
    async with connect(endpoint=endpoint, credential=credential(endpoint), model=model) as connection:
        await connection.session.update(session=session)
        await until(connection, "session.updated")
        async for frame in frames(recording("order_status"), silence_s=0):
            await connection.input_audio_buffer.append(audio=base64.b64encode(frame).decode())
        await connection.input_audio_buffer.commit()
        await until(connection, "input_audio_buffer.committed")
        await connection.response.create()
        await until(connection, "response.done", show=words)


if __name__ == "__main__":
    run(main, __doc__)
