"""The headers of every answer."""

from multidict import CIMultiDict

from gateway.console.policy import HEADERS, content_security, protect


def test_nothing_comes_from_elsewhere_or_stands_inline() -> None:
    """No source is a host, and none is unsafe."""
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in policy
    for kept_out in ("base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert kept_out in policy
    assert "connect-src 'self' ws://127.0.0.1:8080;" in content_security(connect=["ws://127.0.0.1:8080"])


def test_a_handler_may_set_its_own() -> None:
    """What is there stays, what is missing is added."""
    headers = CIMultiDict({"cache-control": "no-cache"})
    protect(headers)
    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Frame-Options"] == "DENY"
    fresh: CIMultiDict[str] = CIMultiDict()
    protect(fresh)
    assert (fresh["Cache-Control"], fresh["X-Content-Type-Options"]) == ("no-store", "nosniff")
