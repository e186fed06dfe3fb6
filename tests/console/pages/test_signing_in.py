"""The pages on which people sign in; tests/console/access/test_access.py signs in."""

import pytest

from gateway.console.pages.signing_in import _next


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [("/audit", "/audit"), ("", "/"), ("//e.example", "/"), ("/\\e.example", "/"), ("/a\r\nb", "/"), ("a", "/")],
)
def test_the_next_page_is_one_of_ours(path: str, goes_to: str) -> None:
    """Whatever a link to the sign-in says."""
    assert _next(path) == goes_to
