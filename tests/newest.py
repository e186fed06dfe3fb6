"""``python -m tests.newest``: the releases that are installed, and whether the fast sockets can stand on them."""

from importlib.metadata import version

from gateway.connecting.choice import lack_of_sdk
from gateway.routes.refusing.connections import lack_of_names
from gateway.sockets.choice import lack_of_aiohttp


def main() -> None:
    """Print them. A lack is no failure: what it leaves is tried by the tests."""
    for name in ("aiohttp", "azure-ai-voicelive", "aiofastnet", "uvloop"):
        print(f"{name} {version(name)}")  # noqa: T201 -- a command prints
    lacks = [lack for lack in (lack_of_aiohttp(), lack_of_sdk(), lack_of_names()) if lack]
    print("\n".join(lacks) or "every private name is there, and does what it did")  # noqa: T201 -- as above


if __name__ == "__main__":
    main()
