"""Signs people in, and knows who makes a request."""

import asyncio
from time import monotonic

from aiohttp import web

from gateway.config.console.console import Console as ConsoleSettings
from gateway.config.console.passwords import matches, nobodys
from gateway.config.secrets import value_of
from gateway.console import forms
from gateway.console.access.attempts import Attempts
from gateway.console.access.openid import OpenIdSignIn
from gateway.console.access.sessions import Sessions
from gateway.console.visitors import LOCAL, NOBODY, Need, Visitor

CHECKS_AT_ONCE = 2
"""Passwords that are checked at once: each check takes a core and 16 MiB."""
LONGEST_PASSWORD = 1024


class Access:
    """The access to a console: by its users' passwords, by OpenID Connect, or open to whoever uses this machine."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self.is_open = settings.is_open
        self.openid = OpenIdSignIn(settings.openid, settings.url or "") if settings.openid else None
        self.has_passwords = bool(settings.users)
        self._sessions = Sessions(settings.idle_minutes * 60.0, settings.session_hours * 3600.0)
        self._attempts = Attempts()
        self._users = settings.users
        self._nobodys = nobodys()
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)

    def visitor(self, request: web.Request) -> Visitor:
        """Return who makes a request; it counts as a sign of life of the session."""
        if self.is_open:
            return LOCAL
        cookie = forms.brought_cookie(request)
        return self._sessions.visitor(cookie, monotonic()) if cookie else NOBODY

    def may_try(self, name: str, address: str) -> bool:
        """Return whether a name may be tried from an address."""
        return self._attempts.may_try(name, address, monotonic())

    async def checked(self, name: str, password: str, address: str) -> Visitor | None:
        """Return who has this name and password; ``None``, after as long a time, where nobody has."""
        self._attempts.failed(name, address, monotonic())
        user = self._users.get(name)
        known = value_of(user.password) if user else self._nobodys
        async with self._checks:
            is_right = len(password) <= LONGEST_PASSWORD and await asyncio.to_thread(matches, password, known)
        if user is None or not is_right:
            return None
        self._attempts.succeeded(name, address)
        return Visitor(name, frozenset(map(Need, user.roles)))

    def sign_in(self, request: web.Request, response: web.StreamResponse, visitor: Visitor) -> None:
        """Begin a session, with a new cookie: one that somebody else has planted is worth nothing."""
        self._sessions.end(forms.brought_cookie(request))
        self._sessions.begin(forms.renew_cookie(request, response), visitor, monotonic())

    def sign_out(self, request: web.Request, response: web.StreamResponse) -> None:
        """End the session."""
        self._sessions.end(forms.brought_cookie(request))
        forms.renew_cookie(request, response)


ACCESS = web.AppKey("access", Access)


def access_of(request: web.Request) -> Access:
    """Return the access to the console that a request was made to."""
    return request.config_dict[ACCESS]
