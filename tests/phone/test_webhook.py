"""A webhook's request as providers read it."""

from gateway.phone.webhook import STREAM_ENDED, WebhookRequest

FORM, QUERY = [("a", "1"), ("a", "2")], [("a", "3"), ("b", "4")]


def test_a_field_is_the_form_s_first_then_the_query_s() -> None:
    """An empty text where there is none."""
    request = WebhookRequest("POST", "https://gw/answer/x", {}, FORM, query=QUERY)
    assert [request.field(name) for name in ("a", "b", "c")] == ["1", "4", ""]


def test_what_follows_is_asked_by_the_query_alone() -> None:
    """A form may hold anything."""
    assert WebhookRequest("POST", "https://gw", {}, query=[*QUERY, STREAM_ENDED]).asks_what_follows
    assert not WebhookRequest("POST", "https://gw", {}, [STREAM_ENDED], query=QUERY).asks_what_follows
