"""Types for secrets and the names that go with them: their sources, their cleaning and their forms.

White space around them is removed: mounted secrets end in a line feed, and copied ones may have spaces.
"""

import base64
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, SecretStr, Tag

from gateway.config.reading.environment import FromEnvironment, bare
from gateway.config.reading.section import NOT_BLANK

T = TypeVar("T")


def from_environment(value: Any) -> Any:
    """Refuse a text that is written in the file itself."""
    if isinstance(value, list | tuple):
        problem = "takes one secret alone: it only acts, so that the new one can replace the old at once"
        raise ValueError(problem)  # noqa: TRY004 -- a wrong value, reported to the operator
    in_the_file = isinstance(value, str) and not isinstance(value, FromEnvironment)
    if in_the_file:
        raise ValueError("is a secret written into a file, expected a reference to the environment, ${NAME}")
    return value


def _bare_secret(secret: SecretStr) -> SecretStr:
    text = bare(secret.get_secret_value())
    if not text:
        raise ValueError("is empty, expected a secret")
    return SecretStr(text)


def _bare_name(text: str) -> str:
    if not bare(text):
        raise ValueError("is empty, expected a text")
    return bare(text)


def _shape(value: Any) -> str:
    return "[list]" if isinstance(value, list | tuple) else "[one]"


_ONE_OR_TWO = Discriminator(_shape)

Secret = Annotated[
    SecretStr,
    BeforeValidator(from_environment),
    AfterValidator(_bare_secret),
    Field(json_schema_extra={"pattern": r"\$\{\w+\}"}),
]
"""A secret: only ever a reference to the environment."""
Name = Annotated[str, AfterValidator(_bare_name), Field(json_schema_extra={"pattern": NOT_BLANK})]
"""A user name, an id or a public key."""
Rotated = Annotated[
    Annotated[T, Tag("[one]")] | Annotated[tuple[T, ...], Field(min_length=1, max_length=2), Tag("[list]")],
    _ONE_OR_TWO,
]
"""One value or, while it is being replaced, two: ``[new, old]``. The first acts and signs, both verify."""


def values_of(rotated: SecretStr | str | tuple[SecretStr | str, ...] | None) -> tuple[str, ...]:
    """Return the texts of a ``Rotated`` key, of which the first acts; empty if it is not set."""
    if rotated is None:
        return ()
    each = rotated if isinstance(rotated, tuple) else (rotated,)
    return tuple(one.get_secret_value() if isinstance(one, SecretStr) else one for one in each)


def secrets_within(settings: object) -> Iterator[str]:
    """Yield every secret in a section and in those below it, whatever its variable is called."""
    match settings:
        case SecretStr():
            yield settings.get_secret_value()
        case BaseModel():
            for name, value in settings:
                yield from [value] if name == "authorization" and isinstance(value, str) else secrets_within(value)
        case Mapping():
            for value in settings.values():
                yield from secrets_within(value)
        case tuple() | list():
            for value in settings:
                yield from secrets_within(value)


def first(values: tuple[str, ...]) -> str:
    """Return the value that acts; empty if there is none."""
    return values[0] if values else ""


def value_of(secret: SecretStr | None) -> str:
    """Return the text of a secret; empty if it is not set."""
    return secret.get_secret_value() if secret else ""


def may_be_two(annotation: Any) -> bool:
    """Return ``True`` if a key of this type takes two values."""
    inner = typing.get_args(annotation)
    return _ONE_OR_TWO in getattr(annotation, "__metadata__", ()) or any(may_be_two(one) for one in inner)


def read_base64(text: str) -> bytes:
    """Decode base64, in one line or several. Raises ``ValueError`` for anything else."""
    return base64.b64decode("".join(text.split()), validate=True)


def read_public_key(text: str) -> Ed25519PublicKey:
    """Read an Ed25519 key of 32 bytes in base64. Raises ``ValueError`` for anything else."""
    return Ed25519PublicKey.from_public_bytes(read_base64(text))


_PEM = re.compile(r"(-----BEGIN [A-Z ]+-----)(.+)(-----END [A-Z ]+-----)", re.DOTALL)


def read_private_key(text: str) -> RSAPrivateKey:
    """Read an RSA key in PEM. Raises ``ValueError`` for anything else.

    Its line ends may be written as backslash and n, or be missing: environments and one-line forms cause both.
    """
    found = _PEM.search(text.replace("\\r", "").replace("\\n", "\n"))
    if found is None:
        raise ValueError("expected the text from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----")
    body = "".join(found[2].split())
    try:
        key = load_pem_private_key(f"{found[1]}\n{body}\n{found[3]}\n".encode(), password=None)
    except TypeError:
        raise ValueError("it is encrypted, expected one without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("what stands between its first and last line is damaged") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("it is no RSA key")  # noqa: TRY004 -- a wrong value, not a wrong type of argument
    return key


def _base64_secret(secret: SecretStr) -> SecretStr:
    try:
        read_base64(secret.get_secret_value())
    except ValueError:
        raise ValueError("is not base64, expected it as the provider shows it") from None
    return secret


def _public_key(text: str) -> str:
    try:
        read_public_key(text)
    except ValueError:
        raise ValueError("is not a public key, expected the 44 characters that the portal shows") from None
    return text


def _private_key(secret: SecretStr) -> SecretStr:
    try:
        read_private_key(secret.get_secret_value())
    except ValueError as error:
        raise ValueError(f"is not an RSA private key in PEM: {error}") from None
    return secret


WEBHOOK_PREFIX = "whsec_"
"""The prefix of a secret of Standard Webhooks; base64 follows it."""


def _webhook_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    encoded = text.removeprefix(WEBHOOK_PREFIX)
    if encoded != text:
        try:
            read_base64(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            raise ValueError(f"begins with {WEBHOOK_PREFIX} and is not base64 after it") from None
    return secret


WebhookSecret = Annotated[Secret, AfterValidator(_webhook_secret)]
"""A secret of Standard Webhooks: any text, or ``whsec_`` and base64."""
Base64Secret = Annotated[Secret, AfterValidator(_base64_secret)]
"""A secret that is bytes, in base64."""
PublicKey = Annotated[Name, AfterValidator(_public_key)]
"""An Ed25519 public key, in base64."""
PrivateKey = Annotated[Secret, AfterValidator(_private_key)]
"""An RSA private key, in PEM."""
