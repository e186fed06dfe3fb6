# ruff: noqa: T201 -- an example that prints what happens
"""A back end for the lines `support` and `restaurant`: orders, bookings and payments, in memory.

    python examples/booking_server.py --port 8081

Needs `aiohttp`. With TOOL_SECRET in the environment, only requests that are signed with it are taken; the lines then
need `secret: ${TOOL_SECRET}` in their tools' `http`. docs/tools.md says what arrives here.
"""

import argparse
import base64
import hmac
import json
import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

FRESH_S = 300
REMEMBERED = 1000
"""So many answers are kept, for a request that comes twice."""
TABLES = 5
LARGEST_PARTY = 8
ORDERS = {
    "17": {"state": "on its way", "arrives": "Friday", "to_pay": 42.5},
    "18": {"state": "being packed", "arrives": "next Tuesday", "to_pay": 0},
}

Answer = tuple[int, dict[str, Any]]


class Shop:
    """What is booked and paid. Every method takes a tool's arguments and answers with a status and JSON."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()

    def order_status(self, arguments: Mapping[str, Any]) -> Answer:
        """Where an order is."""
        order = ORDERS.get(str(arguments["order_number"]).strip())
        return (200, order) if order else (404, {"error": "there is no order with that number"})

    def book(self, arguments: Mapping[str, Any]) -> Answer:
        """A table, where one is left."""
        day, hour, guests = str(arguments["day"]), str(arguments["time"]), int(arguments["guests"])
        if not 1 <= guests <= LARGEST_PARTY:
            return 422, {"error": f"only parties of up to {LARGEST_PARTY} can be booked; the manager arranges others"}
        if self.taken[day, hour] >= TABLES:
            return 409, {"error": f"no table is left on {day} at {hour}"}
        self.taken[day, hour] += 1
        return 200, {"booked": True, "day": day, "time": hour, "guests": guests, "name": str(arguments["name"])}

    def pay(self, arguments: Mapping[str, Any]) -> Answer:
        """A payment. The card's number is looked at and forgotten."""
        if not is_card(str(arguments["card"])):
            return 422, {"error": "that is no card number; ask the caller to key it in again"}
        return 200, {"paid": float(arguments["amount"])}


def is_card(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1)."""
    if not digits.isdecimal() or not 12 <= len(digits) <= 19:
        return False
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether the gateway signed this, a moment ago."""
    try:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        is_fresh = abs(time.time() - int(headers["webhook-timestamp"])) < FRESH_S
        given = headers["webhook-signature"].encode().split()  # two, while the secret is replaced
    except (KeyError, ValueError):
        return False
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
    return is_fresh and any(hmac.compare_digest(expected, one) for one in given)


def application(secret: str = "") -> web.Application:
    """The server, with a shop of its own."""
    shop = Shop()
    answered: OrderedDict[str, Answer] = OrderedDict()

    def route(path: str, carry_out: Callable[[Mapping[str, Any]], Answer]) -> web.RouteDef:
        def answer(request: web.Request, body: bytes) -> Answer:
            if secret and not is_signed(request.headers, body, secret):
                return 401, {"error": "the request is not signed"}
            key = request.headers.get("Idempotency-Key", "")
            if key and key in answered:
                return answered[key]
            try:
                given = carry_out(json.loads(body)["arguments"])
            except (KeyError, TypeError, ValueError, RecursionError):
                return 400, {"error": "the arguments are not those of this tool"}
            if key:
                answered[key] = given
                if len(answered) > REMEMBERED:
                    answered.popitem(last=False)
            return given

        async def handle(request: web.Request) -> web.Response:
            status, said = answer(request, await request.read())
            print(f"{request.method} {path} {status}", flush=True)  # never what was asked: it may hold a card's number
            return web.json_response(said, status=status)

        return web.post(path, handle)

    app = web.Application()
    app.add_routes(
        [route("/orders/status", shop.order_status), route("/bookings", shop.book), route("/payments", shop.pay)]
    )
    return app


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8081)
    options = arguments.parse_args()
    web.run_app(
        application(os.environ.get("TOOL_SECRET", "")),
        host=options.host,
        port=options.port,
        access_log=None,
        print=lambda *_: print(f"listening on {options.host}:{options.port}", flush=True),
    )
