"""Signatures of the Standard Webhooks specification."""

import base64
import hmac
import time
from typing import Any

import pytest

from gateway.errors import InputError
from gateway.tools.signature import signature_headers
from tests.documents import ROOT, blocks


def test_the_specification_s_own_example() -> None:
    """The vector that the specification's reference libraries are tested with."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert signature_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "any text"])
def test_the_documented_check_takes_it(secret: str) -> None:
    """The function that docs/tools.md gives to copy: it takes what is signed now, and nothing altered or old."""
    (source,) = (block.text for block in blocks(ROOT / "docs" / "tools.md") if "def is_ours" in block.text)
    documented: dict[str, Any] = {}
    exec(source, documented)  # noqa: S102 -- the documentation's own lines
    now_s = int(time.time())
    headers = signature_headers(secret, "id", now_s, b"{}")
    assert documented["is_ours"](headers, b"{}", secret)
    assert not documented["is_ours"](headers, b"[]", secret)
    both = signature_headers("new", "id", now_s, b"{}", old_secret=secret)
    assert documented["is_ours"](both, b"{}", secret)
    assert documented["is_ours"](both, b"{}", "new")
    assert not documented["is_ours"](headers, b"{}", "another")
    assert not documented["is_ours"](signature_headers(secret, "id", now_s - 900, b"{}"), b"{}", secret)


def test_any_other_secret_is_taken_as_it_stands() -> None:
    """Without the prefix nothing is decoded, even where it could be."""
    headers = signature_headers("MfKQ9r8G", "id", 7, b"\x00\xff")
    expected = base64.b64encode(hmac.digest(b"MfKQ9r8G", b"id.7.\x00\xff", "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_padding_may_be_left_out() -> None:
    """A secret is what its base64 says, padded or not."""
    padded, bare = (signature_headers(f"whsec_{text}", "id", 7, b"") for text in ("YQ==", "YQ"))
    assert padded == bare == signature_headers("a", "id", 7, b"")
    padded, bare = (signature_headers(f"whsec_{text}", "id", 7, b"") for text in ("YWI=", "YWI"))
    assert padded == bare == signature_headers("ab", "id", 7, b"")


@pytest.mark.parametrize("secret", ["whsec_%%%%", "whsec_a", "whsec_ä"])
def test_a_secret_that_only_says_it_is_base64(secret: str) -> None:
    """It is the operator's mistake, told without the secret."""
    with pytest.raises(InputError, match="base64") as caught:
        signature_headers(secret, "id", 7, b"")
    assert secret not in str(caught.value)


def test_while_a_secret_is_replaced_both_sign() -> None:
    """The specification's way: several signatures with spaces between, of which the service knows one."""
    one, two = (signature_headers(secret, "id", 7, b"{}")["webhook-signature"] for secret in ("new", "old"))
    assert signature_headers("new", "id", 7, b"{}", old_secret="old")["webhook-signature"] == f"{one} {two}"
