"""The parts of the kit that stand in a provider's own tests, ``tests/phone/providers/<name>/test_provider.py``, or in
``golden.py`` beside it.

``sign``       a function: the headers of a webhook, from the account's secrets, the URL and the body
``entered``    a function: a webhook's URL as the operator enters it, where it has a secret in it; from secrets and URL
``ANNOUNCED``  a call announced by JSON, and the places of the members that it needs
``ENDED``      a status callback by JSON that a call has ended, and the same
"""

import base64
import functools
import re
import urllib.parse
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from tests.conformance.unfinished import to_be_changed
from tests.documents import ROOT
from tests.kinds import ASKING

PATTERN = "examples/provider_template/documents/tests/phone/providers/acme/test_provider.py"
Signer = Callable[[Mapping[str, str], str, bytes], Mapping[str, str]]
Golden = tuple[dict[str, Any], set[str]]


@functools.cache
def own(name: str, part: str) -> Any:
    """Return a part from a provider's own tests; ``None`` where none has it."""
    for module in ("test_provider", "golden"):
        path = f"tests/phone/providers/{name}/{module}.py"
        if (ROOT / path).exists():
            with to_be_changed(path, "its import"):
                imported = import_module(path.removesuffix(".py").replace("/", "."))
            if (found := getattr(imported, part, None)) is not None:
                return found
    return None


def reads_json(name: str) -> bool:
    """Return whether a provider's webhooks are JSON, by the readers that its modules use."""
    folder = ROOT / "gateway" / "phone" / "providers" / name
    source = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
    return re.search(r"\b(json_body|read_object|read_json)\(", source) is not None


def signer(name: str) -> Signer:
    """Return what signs a provider's webhooks."""
    found: Signer | None = own(name, "sign")
    assert found is not None, f"{name}: {wanted(name, 'sign')}"
    return found


def entered(name: str, secrets: Mapping[str, str], url: str) -> str:
    """Return a webhook's URL as the operator enters it at the provider."""
    with_secret: Callable[[Mapping[str, str], str], str] | None = own(name, "entered")
    return url if with_secret is None else with_secret(secrets, url)


def wanted(name: str, part: str) -> str:
    """Return the sentence that asks for a part."""
    return f"write {part} into tests/phone/providers/{name}/test_provider.py; the pattern is {PATTERN}"


def golden_bodies(part: str) -> Mapping[str, Golden]:
    """Return ``ANNOUNCED`` or ``ENDED`` of each provider that has it."""
    return {name: found for name in ASKING if (found := own(name, part)) is not None}


def basic_header(user: str, password: str) -> dict[str, str]:
    """Return the header of Basic credentials."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def fields_of(body: bytes) -> dict[str, str]:
    """Return the form that a body is, for signatures that cover it."""
    return dict(urllib.parse.parse_qsl(body.decode("latin-1"), keep_blank_values=True))
