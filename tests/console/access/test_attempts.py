"""Limits of failed attempts to sign in."""

from gateway.console.access.attempts import MOST, PERIOD_S, Attempts


def test_a_name_is_tried_ten_times_from_wherever_that_is() -> None:
    """Then it is refused until the first of them is a period ago; another name is not."""
    attempts = Attempts()
    for n in range(10):
        assert attempts.may_try("anna", f"192.0.2.{n}", n)
        attempts.failed("anna", f"192.0.2.{n}", n)
    assert not attempts.may_try("anna", "192.0.2.99", 10)
    assert attempts.may_try("bert", "192.0.2.99", 10)
    assert attempts.may_try("anna", "192.0.2.99", PERIOD_S + 1)


def test_an_address_tries_thirty_names() -> None:
    """Then it is refused, whatever name it tries."""
    attempts = Attempts()
    for n in range(30):
        assert attempts.may_try(f"name {n}", "192.0.2.1", 0)
        attempts.failed(f"name {n}", "192.0.2.1", 0)
    assert not attempts.may_try("anna", "192.0.2.1", 1)
    assert attempts.may_try("anna", "192.0.2.2", 1)


def test_a_right_password_forgets_its_attempts() -> None:
    """Those of the name, and the one of the address; other failures of the address stay."""
    attempts = Attempts()
    for n in range(29):
        attempts.failed(f"name {n}", "192.0.2.1", 0)
    for _ in range(3):
        attempts.failed("anna", "192.0.2.1", 0)
        attempts.succeeded("anna", "192.0.2.1")
    assert attempts.may_try("anna", "192.0.2.1", 1)
    attempts.failed("bert", "192.0.2.1", 1)
    assert not attempts.may_try("anna", "192.0.2.1", 1)


def test_what_is_kept_is_bounded() -> None:
    """However many names are made up."""
    attempts = Attempts()
    for n in range(MOST):
        attempts.failed(str(n), "192.0.2.1", 0)
    assert len(attempts._failed) == MOST
