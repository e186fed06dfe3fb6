"""The words of a reply that were heard: a beginning of the text, cut at a word."""

import random
from collections.abc import Iterator

import pytest

from gateway.call.speaking.replies import HeardReply
from gateway.call.speaking.words import ReplyWords, Share, share_of

TEXT = "We are open from nine to five."


def whole(words: ReplyWords, text: str, item_id: str = "i") -> None:
    """Deliver all of a reply, its text and its audio."""
    words.complete(item_id, text)
    words.delivered(item_id)


def timed(words: ReplyWords, text: str, item_id: str = "i", ms_each: int = 300) -> None:
    """Report every word of a text: each lasts ``ms_each``, and they follow one another."""
    for index, word in enumerate(text.split()):
        words.spoken(item_id, word.strip(".,?"), (index + 1) * ms_each)


@pytest.mark.parametrize(
    ("heard_ms", "heard", "unheard"),
    [
        (0, "", TEXT),
        (299, "", TEXT),
        (300, "We", "are open from nine to five."),
        (1000, "We are open", "from nine to five."),
        (2100, TEXT, ""),
    ],
)
def test_with_times_what_was_heard_is_known_to_the_word(heard_ms: int, heard: str, unheard: str) -> None:
    """A word counts when it is over; the full stop belongs to the word before it."""
    words = ReplyWords()
    whole(words, TEXT)
    timed(words, TEXT)
    assert words.over(HeardReply("i", heard_ms, 2200)) == Share(heard, unheard)


@pytest.mark.parametrize(
    ("heard_ms", "heard"), [(0, ""), (100, ""), (1000, "We are"), (1500, "We are open"), (2999, TEXT), (3000, TEXT)]
)
def test_without_times_it_is_taken_in_proportion(heard_ms: int, heard: str) -> None:
    """Cut at the end of the last word that is whole."""
    words = ReplyWords()
    whole(words, TEXT)
    assert words.over(HeardReply("i", heard_ms, 3000)) == Share(heard, TEXT.removeprefix(heard).strip())
    assert share_of(TEXT, heard_ms, 3000).heard == heard


def test_a_text_that_is_ahead_of_its_audio_is_reckoned_by_the_speed_of_speech() -> None:
    """Half of a second was generated, with the text of two: the caller has not heard all of it."""
    words = ReplyWords()
    for piece in ("We are ", "open from ", "nine to five."):
        words.add("i", piece)
    assert words.share(HeardReply("i", 1000, 1000, complete=False)) == Share("We are open", "from nine to five.")


def test_a_reply_whose_session_was_lost_is_as_long_as_its_audio() -> None:
    """The text ahead of it was never spoken; the word in which it breaks off counts, so that nothing is said twice."""
    words = ReplyWords()
    words.add("i", TEXT[:20])
    words.complete("i", TEXT)
    lost = HeardReply("i", 1000, 1000)
    assert words.share(lost) == Share("We are open from", "nine to five.")
    assert words.share(HeardReply("i", 730, 730)) == Share("We are open", "from nine to five.")
    assert words.share(HeardReply("i", 60, 60)) == Share("We", TEXT[3:])
    words.delivered("i")
    assert words.share(lost) == Share(TEXT)
    words.delivered("unknown")
    assert words.share(HeardReply("unknown", 1000, 1000)) == Share()


def test_the_speed_is_that_of_the_call() -> None:
    """Measured by the replies that were heard to their end: this bot speaks three times as slowly as is usual."""
    words = ReplyWords()
    for reply in range(20):
        whole(words, TEXT, f"i{reply}")
        assert words.over(HeardReply(f"i{reply}", 6000, 6000)).heard == TEXT
    words.add("i", TEXT)
    assert words.share(HeardReply("i", 500, 500, complete=False)).heard == "We"
    assert words.share(HeardReply("i", 1500, 1500, complete=False)).heard == "We are"


def test_words_that_are_written_otherwise_count_with_the_next() -> None:
    """A number is spoken in words; case does not matter, and a word is not found where the text is long past."""
    words = ReplyWords()
    words.complete("i", "Room 21 is FREE now. " + "x" * 200 + " free")
    for end_ms, word in ((300, "room"), (600, "twenty-one"), (800, "is"), (1100, "free"), (1300, "free")):
        words.spoken("i", word, end_ms)
    assert words.share(HeardReply("i", 600, 5000)).heard == "Room"
    assert words.share(HeardReply("i", 800, 5000)).heard == "Room 21 is"
    assert words.share(HeardReply("i", 1300, 5000)).heard == "Room 21 is FREE"


@pytest.mark.parametrize(
    ("text", "heard_ms", "heard"),
    [
        ("今天天气很好。我们出去吧。", 500, "今天天气很"),
        ("今天天气很好。我们出去吧。", 560, "今天天气很好。"),
        ("Supercalifragilistic", 900, ""),
        ("", 500, ""),
    ],
)
def test_a_script_without_spaces_is_cut_between_its_signs(text: str, heard_ms: int, heard: str) -> None:
    """And never before a full stop; a single long word is not cut at all."""
    assert share_of(text, heard_ms, 1000).heard == heard


def test_words_of_a_reply_that_is_over_or_silent_are_forgotten() -> None:
    """Late pieces begin nothing; a reply that is played keeps its words at the end of the response."""
    words = ReplyWords()
    whole(words, TEXT)
    assert words.over(HeardReply("i", 500, 500)) == Share(TEXT)
    words.add("i", " And more.")
    words.spoken("i", "more", 4000)
    words.complete("i", TEXT)
    assert words.share(HeardReply("i", 500, 500)) == Share()
    words.complete("silent", "Nobody hears this.")
    words.complete("played", "This is played.")
    words.complete("played", "")
    assert words.share(HeardReply("played", 1, 1)).heard == ""
    words.response_ended({"played"}, completed=True)
    assert words.share(HeardReply("silent", 1, 1)) == Share()
    assert words.share(HeardReply("played", 1, 1)) == Share("This is played.")


def test_a_service_that_never_stops_fills_no_memory() -> None:
    """The words of so many replies are kept, and so many of each."""
    words = ReplyWords()
    for number in range(200):
        words.add(f"i{number}", "a ")
    for number in range(30_000):
        words.add("i0", "b ")
        words.spoken("i0", "b", number)
    heard = [words.share(HeardReply(f"i{number}", 10**9, 10**9, complete=False)).heard for number in range(200)]
    assert sum(bool(text) for text in heard) == 64
    assert len(heard[0].split()) == 20_000


def replies(chance: random.Random) -> Iterator[tuple[ReplyWords, str, HeardReply]]:
    """Replies of any words, in any order of events, cut anywhere."""
    alphabet = ["Hello", "21", "don't", "well-known", "…", "好的", "。", "(so)", "a.b", "é", "ẞ", "İ", "\n"]
    for _ in range(400):
        text = "".join(chance.choice(alphabet) + chance.choice([" ", " ", "  ", "", ", "]) for _ in range(12))
        words, at = ReplyWords(), 0
        while at < len(text):
            size = chance.randrange(1, 9)
            words.add("i", text[at : at + size])
            at += size
        end_ms = 0
        if chance.random() < 0.6:
            for word in text.split():
                end_ms += chance.randrange(500)
                words.spoken("i", chance.choice([word, word.lower(), word[:-1], "other"]), end_ms)
        received_ms = chance.randrange(5000)
        heard_ms = chance.randrange(received_ms + 1)
        yield words, text, HeardReply("i", heard_ms, received_ms, complete=chance.random() < 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_what_was_heard_is_a_beginning_of_the_text_cut_at_a_word(seed: int) -> None:
    """Whatever comes: heard and unheard are the text, and no word stands in both. To hear more is not to hear less."""
    for words, text, reply in replies(random.Random(seed)):
        heard, unheard = words.share(reply)
        assert text.strip().startswith(heard)
        assert text.strip().endswith(unheard)
        assert "".join((heard + unheard).split()) == "".join(text.split())
        between = text.strip()[len(heard) : len(text.strip()) - len(unheard)]
        assert not (heard and unheard) or between or ord(heard[-1]) > 0x2E80
        more = HeardReply("i", min(reply.heard_ms + 300, reply.received_ms), reply.received_ms, reply.complete)
        assert len(words.share(more).heard) >= len(heard)
