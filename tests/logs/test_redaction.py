"""What is taken out of texts that people share, and what stays."""

import pytest

from gateway.logs.redaction import HIDDEN, Redactor, secrets_in, secrets_of

SECRET = 'sëcret/with "odd" <signs>&+='
TOKEN = "gAAAAABl" + "Zm9v" * 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"ws://h:1/stream/twilio/support/{TOKEN}", f"ws://h:1/stream/twilio/support/{HIDDEN}"),
        ("wss://h/stream/twilio/-/stream-secret?to=1", f"wss://h/stream/twilio/-/{HIDDEN}?to=1"),
        ("the stream ws://h/stream/acs/a/short: refused", f"the stream ws://h/stream/acs/a/{HIDDEN}: refused"),
        ("https://user:pass@h/answer", f"https://{HIDDEN}@h/answer"),
        ("https://user:p@ss@h/answer", f"https://{HIDDEN}@h/answer"),
        ("wss://token@h/", f"wss://{HIDDEN}@h/"),
        ("https://h/answer?secret=abc&to=1", f"https://h/answer?secret={HIDDEN}&to=1"),
        ("https://h/?x=1&amp;api-key=abc#a", f"https://h/?x=1&amp;api-key={HIDDEN}#a"),
        ("https://h/?X-Amz-Signature=abc&sig=d&code=e", f"https://h/?X-Amz-Signature={HIDDEN}&sig={HIDDEN}&code={HIDDEN}"),
        ("https://h/?access_token=a;password=b", f"https://h/?access_token={HIDDEN};password={HIDDEN}"),
        ("{'authorization': 'Basic dXNlcjpwYXNzd29yZA=='}", f"{{'authorization': 'Basic {HIDDEN}'}}"),
        ("Authorization: Bearer sk-0123456789ab", f"Authorization: Bearer {HIDDEN}"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln.", f"jwt {HIDDEN}."),
        (f"token {TOKEN} was used", f"token {HIDDEN} was used"),
    ],
)  # fmt: skip
def test_what_stands_where_a_secret_stands_is_hidden(text: str, shown: str) -> None:
    """Whoever it belongs to; the rest of the text stays."""
    assert Redactor().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "ws://127.0.0.1:8080/stream/twilio",
        "ws://127.0.0.1:8080/stream/twilio/support",
        "https://h/answer/acs?secret=<ACS_STREAM_SECRET>",
        "https://h/status?CallSid=CA1&to=%2B14155550123",
        "Basic authentication is missing, a Bearer token too",
        "mail me@example.com, or sip:desk@example.com; https://h/?mail=me@example.com",
        "no one was interrupted: 3 of 4 keys, code 1008",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Addresses, numbers and prose."""
    assert Redactor(["abcdef", "12345", ""]).text(text) == text


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        "s%C3%ABcret/with%20%22odd%22%20%3Csigns%3E%26%2B%3D",
        "s%C3%ABcret%2Fwith%20%22odd%22%20%3Csigns%3E%26%2B%3D",
        "s%C3%ABcret%2Fwith+%22odd%22+%3Csigns%3E%26%2B%3D",
        's\\u00ebcret/with \\"odd\\" <signs>&+=',
        'sëcret/with \\"odd\\" <signs>&+=',
        "sëcret/with &quot;odd&quot; &lt;signs&gt;&amp;+=",
    ],
)
def test_a_known_secret_is_hidden_in_each_spelling(spelling: str) -> None:
    """As it is, and as URLs, JSON and HTML write it; with the line end that a mounted secret has, too."""
    assert Redactor([f"{SECRET}\n"]).text(f"it was {spelling}!") == f"it was {HIDDEN}!"


def test_every_text_of_a_value_is_looked_at() -> None:
    """Numbers and the like stay what they are."""
    value = {"a": ["secret-1", 7, {"b": ("x secret-1", None)}], "c": True}
    assert Redactor(["secret-1"]).value(value) == {"a": [HIDDEN, 7, {"b": [f"x {HIDDEN}", None]}], "c": True}


def test_what_is_secret_in_an_environment_and_in_an_account() -> None:
    """By the names: those of numbers, addresses and ids are not."""
    environ = {
        "TWILIO_AUTH_TOKEN": "1",
        "AZURE_VOICE_LIVE_API_KEY": "2",
        "ACS_STREAM_SECRET": "3",
        "BANDWIDTH_WEBHOOK_PASSWORD": "4",
        "crm_api_key": "5",
        "AZURE_TOKEN_CREDENTIALS": "prod",
        "TELNYX_PUBLIC_KEY": "public",
        "TWILIO_ACCOUNT_SID": "AC1",
        "PATH": "/bin",
    }
    assert secrets_in(environ) == set("12345")
    assert secrets_of({"account_sid": "AC1", "auth_token": "t", "unheard_of": "u"}) == {"t", "u"}


@pytest.mark.parametrize(
    "piece",
    [
        "a-",
        "a.",
        "eyJ-",
        "gAAAA-",
        "?key",
        "?a.key",
        "key",
        "bearer ",
        "bearer",
        "Basic a",
        "://",
        "a://",
        "@",
        "a://@",
        "/stream/",
        "/stream/a/b/,",
        ",",
        " ",
        "=",
        "&secret",
        "\\",
    ],
)
def test_a_text_made_to_take_long_does_not(piece: str) -> None:
    """A peer may choose a text, and the event loop waits for the line of the log: time grows with length alone.

    Where it grew with the square of it, the test would run into its time limit.
    """
    redactor = Redactor(["a-secret-of-ours"])
    for start in ("", "x", "bearer ", "?", "https://", "/stream/a/b/", "eyJ"):
        redactor.text(start + piece * (400_000 // len(piece)))
