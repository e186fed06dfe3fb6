"""Handles the requests that no other route takes, so that they are refused, logged and counted like all others."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web
from yarl import URL


class Unrouted(web.AbstractResource):
    """Matches any target with any method; must be registered last.

    aiohttp's own answer to such a request raises an exception, and fails on an ``Expect`` header that is not text.
    """

    def __init__(
        self,
        refuse: Callable[[web.Request, set[str]], web.StreamResponse],
        expect: Callable[[web.Request], Awaitable[web.StreamResponse | None]],
    ) -> None:
        """``refuse`` answers a request; it gets the methods that the path takes, none for an unknown path."""
        super().__init__()
        self._refuse = refuse
        self._route = web.ResourceRoute("*", self._handle, self, expect_handler=expect)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        methods: set[str] = set()
        for resource in request.app.router.resources():
            if resource is not self:
                methods |= (await resource.resolve(request))[1]
        return self._refuse(request, methods)

    @property
    def canonical(self) -> str:
        """The path by which the router indexes the resource: the root, which covers all paths."""
        return "/"

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo, set[str]]:
        """Match any request."""
        return web.UrlMappingMatchInfo({}, self._route), {self._route.method}

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self._route,))

    def raw_match(self, path: str) -> bool:
        """Return ``False``: no path that is registered again belongs to this resource."""
        return False

    def add_prefix(self, prefix: str) -> None:
        """Do nothing: this resource is never part of a sub-application."""

    def url_for(self, **kwargs: str) -> URL:
        """Raise ``NotImplementedError``: the resource has no address."""
        raise NotImplementedError

    def get_info(self) -> Any:
        """Return an empty description for listings of routes."""
        return {}
