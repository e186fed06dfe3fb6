from gateway.config.line.greeting import Said


def test_a_message_has_the_words_of_a_role() -> None:
    """One role in a message that is right; the check of a line refuses another number."""
    assert Said(system="A remark.").words == {"system": "A remark."}
    assert Said(user="Hi.", assistant="Hello.").words == {"user": "Hi.", "assistant": "Hello."}
    assert Said().words == {}
