"""``deliver``."""

from pathlib import Path

import pytest

from gateway.config import ConfigErrors, Deployment, load_deployment
from gateway.config.line_file import LineFile
from gateway.config.records.deliver import signing_key
from gateway.config.secrets import secrets_within, values_of

GOOD = "whsec_" + "c2VjcmV0" * 4
OTHER = "whsec_" + "b3RoZXIh" * 4
ONE = 'deliver: [{url: "https://crm.example/calls", secret: "${KEY}"%s}]\n'


def read(folder: Path, text: str, **environ: str) -> Deployment:
    """Read a ``gateway.yaml`` of this text."""
    (folder / "gateway.yaml").write_text(text, "utf-8")
    return load_deployment(folder / "gateway.yaml", environ)


def test_a_receiver_gets_the_end_of_calls_unless_told_otherwise(tmp_path: Path) -> None:
    """Without words, usage and recordings, under the name of its host."""
    (receiver,) = read(tmp_path, ONE % "", KEY=GOOD).deliver
    assert (receiver.label, receiver.events) == ("crm.example", ("call.ended", "call.interrupted"))
    assert (receiver.include, receiver.timeout_s) == ((), 15)
    assert read(tmp_path, "listen: {}\n").deliver == ()


def test_a_secret_may_be_two_and_is_kept_out_of_sight(tmp_path: Path) -> None:
    """The redaction of logs finds both."""
    text = 'deliver: [{url: "https://crm.example", secret: ["${KEY}", "${KEY_OLD}"]}]\n'
    deployment = read(tmp_path, text, KEY=OTHER, KEY_OLD=GOOD)
    assert values_of(deployment.deliver[0].secret) == (OTHER, GOOD)
    assert set(secrets_within(deployment)) == {OTHER, GOOD}
    assert "c2Vj" not in repr(deployment)


def test_the_padding_of_a_secret_may_be_missing() -> None:
    """As generators of Standard Webhooks leave it out."""
    assert signing_key("whsec_YWI") == signing_key("whsec_YWI=") == b"ab"


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("c2VjcmV0" * 4, "does not begin with whsec_, expected whsec_ and 24 to 64 random bytes in base64"),
        ("whsec_no base64!", "is not base64 after whsec_"),
        ("whsec_c2VjcmV0", "has 6 bytes after whsec_"),
        ("whsec_" + "c2VjcmV0" * 11, "has 66 bytes after whsec_"),
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_shown(tmp_path: Path, secret: str, told: str) -> None:
    """Standard Webhooks asks for a length, and official libraries decode base64."""
    with pytest.raises(ConfigErrors) as wrong:
        read(tmp_path, ONE % "", KEY=secret)
    assert "gateway.yaml:1:46: deliver[0].secret: " in str(wrong.value)
    assert told in str(wrong.value)
    assert secret not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ONE % ", events: [call.over]", "deliver[0].events[0]: "),
        (ONE % ", events: []", "deliver[0].events: "),
        (ONE % ", include: [audio]", "deliver[0].include[0]: "),
        (ONE % ", timeout_s: 100", "deliver[0].timeout_s: "),
        (ONE % ", name: a b", "deliver[0].name: is no name"),
        (ONE % ", sercet: x", "did you mean secret?"),
        ('deliver: [{url: "ftp://a.example", secret: "${KEY}"}]\n', "deliver[0].url: "),
        ('deliver: [{url: "https://user:pw@a.example", secret: "${KEY}"}]\n', "deliver[0].url: "),
        (f'deliver: [{{url: "https://a.example", secret: "{GOOD}"}}]\n', "is a secret written into a file"),
        ("deliver: https://a.example\n", "deliver: "),
        (
            'deliver: [{url: "https://a.example", secret: "${KEY}"}, {url: "https://a.example/2", secret: "${KEY}"}]\n',
            "two receivers named a.example, expected a name for one of them",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    """Of the deployment."""
    with pytest.raises(ConfigErrors) as wrong:
        read(tmp_path, text, KEY=GOOD)
    assert told in str(wrong.value)
    assert "gateway.yaml:1:" in str(wrong.value)


def test_a_line_has_receivers_of_its_own_or_nobody(tmp_path: Path) -> None:
    """Without the key, those of the deployment count."""
    base = "numbers: ['*']\ninstructions: Answer.\n"
    file = tmp_path / "line.yaml"
    for text, expected in (("", None), ("deliver: []\n", 0), (ONE % "", 1)):
        file.write_text(base + text, "utf-8")
        line = LineFile(file, "gpt-4.1", {"KEY": GOOD}).line
        assert line is not None
        own = line.settings.deliver
        assert (None if own is None else len(own)) == expected
