"""Bounds of the routes that documents promise or somebody chose: what is written is what the code does."""

import re
from pathlib import Path

from gateway.routes import line_book, listeners, media_stream, published_keys, repeats
from gateway.routes import stream_keys as stream_key
from gateway.routes import webhooks as answer
from gateway.routes.admitting import admission
from gateway.routes.refusing import connections, flood, refusals

DOCS = Path(__file__).parents[2] / "docs"
DAY_S = 24 * 3600


def promised() -> list[tuple[str, str, float]]:
    """Return each sentence of a document with the value of the code that belongs into it."""
    return [
        ("operating", "not UTF-8, more than {:g} fields", answer.FIELDS_LIMIT),
        ("operating", "fields, more than {:g} KiB; `too_large` too", answer.BODY_LIMIT / 1024),
        ("operating", "`too_large` too: a head of more than {:g} KiB", connections.HEAD_LIMIT / 1024),
        ("operating", "the head of a request that does not come within {:g} s", connections.HEAD_TIMEOUT_S),
        ("operating", "webhooks: a body that does not come within {:g} s", answer.BODY_TIMEOUT_S),
        ("operating", "KiB, {:g} headers", connections.HEADERS_LIMIT),
        ("operating", "a line file could not be checked for over {:g} s", line_book.HANG_LIMIT_S),
    ]


def test_documents_say_what_the_code_does() -> None:
    """Each sentence stands in its document with the value of the code."""
    for document, sentence, value in promised():
        text = re.sub(r"\s+", " ", (DOCS / f"{document}.md").read_text("utf-8"))
        assert sentence.format(value) in text, sentence


def chosen() -> list[tuple[str, tuple[float, float]]]:
    """Return what each bound is now, and what it was chosen to be."""
    return [
        ("a call is remembered that had its stream or is over, in seconds", (stream_key.CALL_KEPT_S, DAY_S)),
        ("a lost stream may be opened again, in seconds", (stream_key.RECONNECT_S, 60)),
        ("the key of a webhook is remembered, in seconds", (repeats.REPLAY_WINDOW_S, DAY_S)),
        ("the same answer is given, in seconds", (repeats.SAME_ANSWER_S, 60)),
        ("answers are remembered", (repeats.ANSWERS_LIMIT, 10_000)),
        ("refusals of a kind are logged", (flood.LOGGED, 20)),
        ("refusals are counted anew, in seconds", (flood.PERIOD_S, 60)),
        ("a place is kept longer than its token is good, in seconds", (admission.MARGIN_S, 1)),
        ("a status in the log has, in characters", (answer.SHOWN_LENGTH, 40)),
        ("a path in the log has, in characters", (refusals.SHOWN_LENGTH, 120)),
        ("published keys are fresh, in seconds", (published_keys.LIFE_S, 3600)),
        ("published keys are asked for again, in seconds", (published_keys.RETRY_S, 10)),
        ("a request waits for published keys, in seconds", (published_keys.WAIT_S, 5)),
        ("a connection may rest, in seconds", (listeners.IDLE_LIMIT_S, 75)),
        ("connections wait in the kernel", (listeners.BACKLOG, 512)),
        ("a thread that hangs holds up the end, in seconds", (line_book.END_LIMIT_S, 1)),
        ("a stream's close may take, in seconds", (media_stream.CLOSE_TIMEOUT_S, 1)),
    ]


def test_a_bound_is_what_it_was_chosen_to_be() -> None:
    """A bound that somebody changes is changed here too, with a reason in the commit."""
    for what, (is_now, was_chosen) in chosen():
        assert is_now == was_chosen, what
