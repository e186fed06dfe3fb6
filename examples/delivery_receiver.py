# ruff: noqa: T201 -- an example that prints what happens
"""A receiver of deliveries: it verifies each message, keeps it once, and answers.

    DELIVERY_SECRET=whsec_… python examples/delivery_receiver.py --port 8082

Needs `aiohttp` and `standardwebhooks`. In `gateway.yaml`:

    deliver:
      - {url: "http://127.0.0.1:8082/calls", secret: "${DELIVERY_SECRET}", include: [transcript]}

docs/deliveries.md says what arrives here.
"""

import argparse
import os
from collections import OrderedDict
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

REMEMBERED = 10_000
"""So many messages are known again when they come twice; a real receiver keeps their ids in its database."""


class Receiver:
    """Takes messages that are signed with `secret`."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)
        self.taken: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def take(self, request: web.Request) -> web.Response:
        """Answer 204 for a message that is kept, also if it came before; the gateway sends any other again."""
        body = await request.read()  # as it came: other white space would have another signature
        try:
            message: dict[str, Any] = self._webhook.verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return web.Response(status=401)
        message_id = request.headers["webhook-id"]
        if message_id not in self.taken:
            self.taken[message_id] = message
            if len(self.taken) > REMEMBERED:
                self.taken.popitem(last=False)
            self.use(message)
        return web.Response(status=204)

    def use(self, message: dict[str, Any]) -> None:
        """Do something with a new message. What takes long belongs behind the answer, into a queue."""
        data = message["data"]
        print(message["type"], data["call"]["line"], data["call"]["id"], flush=True)
        for turn in data.get("transcript", []):
            print(f"  {turn['who']}: {turn['words']}", flush=True)


def application(receiver: Receiver) -> web.Application:
    """The server, with the receiver at `/calls`."""
    app = web.Application(client_max_size=1024 * 1024)
    app.router.add_post("/calls", receiver.take)
    return app


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8082)
    options = arguments.parse_args()
    web.run_app(
        application(Receiver(os.environ["DELIVERY_SECRET"])),
        host=options.host,
        port=options.port,
        access_log=None,
        print=lambda *_: print(f"listening on {options.host}:{options.port}", flush=True),
    )
