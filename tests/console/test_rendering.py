"""Pages from templates."""

from gateway.console.rendering import environment


def test_what_callers_say_is_inert() -> None:
    """HTML, quotes and control characters are shown as they are, and do nothing."""
    template = environment().from_string("<p title='{{ words }}'>{{ words }}</p>")
    page = template.render(words="<script>alert(1)</script>' onclick='x\" \x1b[31m")
    assert "<script" not in page
    assert page.count("'") == 2
