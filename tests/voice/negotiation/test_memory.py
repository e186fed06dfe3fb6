"""What was refused before, and for how long."""

from gateway.voice.negotiation.memory import KEYS_LIMIT, REMEMBERED_S, TROUBLE_S, Key, Memory, Reduced

KEY = Key("https://a.example", "2026-07-15", "gpt-4.1", "azure-standard", "g711_ulaw")
OTHER = Key("https://a.example", "2026-07-15", "gpt-realtime", "openai", "g711_ulaw")
HOUR_S = 3600.0


def test_a_refusal_is_remembered_for_six_hours() -> None:
    """For its key alone; then it is tried again."""
    memory = Memory()
    assert memory.left_out(KEY, 0.0) == ()
    memory.note_accepted(KEY, ("metadata",), 0.0)
    assert memory.left_out(KEY, 6 * HOUR_S - 1) == ("metadata",)
    assert memory.left_out(KEY, 6 * HOUR_S) == ()
    assert memory.left_out(OTHER, 1.0) == ()


def test_lines_with_one_key_learn_from_one_another() -> None:
    """What one line does not have, it does not unlearn for another; what is known keeps its end."""
    memory = Memory()
    memory.note_accepted(KEY, ("metadata", "voice"), 0.0)
    memory.note_accepted(KEY, ("metadata",), 5 * HOUR_S)
    assert memory.left_out(KEY, 5 * HOUR_S) == ("metadata", "voice")
    memory.note_accepted(KEY, ("metadata", "temperature"), 5 * HOUR_S)
    assert memory.left_out(KEY, 7 * HOUR_S) == ("metadata", "voice", "temperature")


def test_a_model_that_fails_is_passed_over() -> None:
    """For six hours where it was refused, for a minute where the service had trouble."""
    memory = Memory()
    memory.note_failed(KEY, 0.0, refused=True)
    memory.note_failed(OTHER, 0.0, refused=False)
    assert memory.fails(KEY, REMEMBERED_S - 1)
    assert not memory.fails(KEY, REMEMBERED_S)
    assert memory.fails(OTHER, TROUBLE_S - 1)
    assert not memory.fails(OTHER, TROUBLE_S)


def test_the_log_is_told_once_an_hour() -> None:
    """For each key and event."""
    memory = Memory()
    assert memory.should_log(KEY, "session_reduced", 0.0)
    assert not memory.should_log(KEY, "session_reduced", HOUR_S - 1)
    assert memory.should_log(KEY, "session_differs", 1.0)
    assert memory.should_log(OTHER, "session_reduced", 1.0)
    assert memory.should_log(KEY, "session_reduced", HOUR_S)


def test_what_is_shown() -> None:
    """All that is left out at present, and nothing that is over."""
    memory = Memory()
    memory.should_log(KEY, "session_differs", 0.0)
    assert memory.shown(0.0) == ()
    memory.note_accepted(KEY, ("metadata",), 0.0)
    memory.note_failed(OTHER, 0.0, refused=False)
    assert memory.shown(1.0) == (Reduced("gpt-4.1", ("metadata",), False), Reduced("gpt-realtime", (), True))
    assert memory.shown(TROUBLE_S) == (Reduced("gpt-4.1", ("metadata",), False),)
    assert memory.shown(REMEMBERED_S) == ()


def test_it_is_bounded() -> None:
    """One key more displaces the one that was used longest ago."""
    memory = Memory()
    for number in range(KEYS_LIMIT + 1):
        memory.note_accepted(Key("e", "v", f"m{number}", "", ""), ("metadata",), float(number))
    assert len(memory.shown(float(KEYS_LIMIT))) == KEYS_LIMIT
    assert memory.left_out(Key("e", "v", "m0", "", ""), float(KEYS_LIMIT)) == ()
