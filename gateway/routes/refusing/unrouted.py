"""Takes the requests that no other route takes, so that they are refused as all others are."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from yarl import URL


class Unrouted(web.Resource):
    """Any target with any method; to be registered last.

    aiohttp's own answer to such a request raises an exception, and fails at an ``Expect`` header that is no text.
    """

    def __init__(
        self,
        refuse: Callable[[web.Request, set[str]], web.StreamResponse],
        expect: Callable[[web.Request], Awaitable[web.StreamResponse | None]],
    ) -> None:
        """``refuse`` answers a request whose path takes only certain methods, or, with an empty set, none."""
        super().__init__()
        self._refuse = refuse
        self.add_route("*", self._handle, expect_handler=expect)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        methods: set[str] = set()
        for resource in request.app.router.resources():
            if resource is not self:
                methods |= (await resource.resolve(request))[1]
        return self._refuse(request, methods)

    @property
    def canonical(self) -> str:
        """The path under which the router looks for it: that of all paths."""
        return "/"

    def _match(self, path: str) -> dict[str, str]:
        return {}

    def raw_match(self, path: str) -> bool:
        """Tell whether it is the resource of a path that is registered again."""
        return False

    def add_prefix(self, prefix: str) -> None:
        """Take a prefix of an application's paths; there is none here."""

    def url_for(self, **kwargs: str) -> URL:
        """Return its address; it has none."""
        raise NotImplementedError

    def get_info(self) -> Any:
        """Describe it to whoever lists routes."""
        return {}
