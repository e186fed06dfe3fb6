"""``console.users`` and ``console.openid``: who may sign in to the console, and what they may do there."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from gateway.config.console.passwords import is_hash
from gateway.config.reading.section import Section, Text
from gateway.config.secrets import Name, Secret
from gateway.config.urls import PublicUrl

RoleName = Literal["viewer", "operator", "listener"]
Roles = Annotated[tuple[RoleName, ...], Field(min_length=1)]
"""The roles of somebody: each sees calls, an operator ends and transfers them, a listener reads words and hears."""


def _password_hash(secret: SecretStr) -> SecretStr:
    if not is_hash(secret.get_secret_value()):
        raise ValueError("is no hash of a password, expected what gateway console --hash-password prints")
    return secret


class ConsoleUser(Section):
    """Somebody who signs in with a password."""

    password: Annotated[Secret, AfterValidator(_password_hash)]
    """The hash of the password, as ${NAME} only; gateway console --hash-password prints one."""
    roles: Roles = ("viewer",)
    """The roles: viewer, operator, listener. Each of them sees calls; only a listener reads words and hears."""


class OpenId(Section):
    """The sign-in by OpenID Connect."""

    issuer: PublicUrl
    """The issuer, whose metadata is at ISSUER/.well-known/openid-configuration."""
    client_id: Name
    """The id under which the console is registered there, with the redirect address URL/sign-in/openid/done."""
    client_secret: Secret | None = None
    """The secret of the registration, as ${NAME} only; a public client has none."""
    scope: Text = "openid profile email"
    """The scopes that are asked for."""
    claim: Text = "groups"
    """The claim of the ID token that has the groups or roles of a person."""
    name: Text = "email"
    """The claim that names a person in the audit; sub where it is missing."""
    roles: Mapping[RoleName, tuple[Text, ...]] = {}
    """For each role the values of the claim that give it; who has none of them is not let in."""
