"""``voice_live.endpoints``."""

from pathlib import Path

import pytest

from gateway.config import ConfigErrors, Deployment, load_deployment


def load(tmp_path: Path, text: str, **environ: str) -> Deployment:
    """A ``gateway.yaml`` with this section of Voice Live."""
    file = tmp_path / "gateway.yaml"
    file.write_text(f"voice_live: {{{text}}}\n", "utf-8")
    return load_deployment(file, environ)


def mistakes(tmp_path: Path, text: str) -> str:
    """The errors of a section."""
    with pytest.raises(ConfigErrors) as raised:
        load(tmp_path, text)
    return str(raised.value).replace(f"{tmp_path}/", "")


def test_the_single_endpoint_is_the_short_form(tmp_path: Path) -> None:
    """Its limits stand beside it."""
    deployment = load(
        tmp_path, 'endpoint: "https://west.example", limits: {sessions: 3}', AZURE_COGNITIVE_SERVICES_KEY="k"
    )
    (only,) = deployment.reached
    assert (only.label, only.endpoint, only.limits.sessions) == ("west", "https://west.example", 3)
    assert only.key is not None


def test_with_several_the_environment_s_endpoint_and_key_are_not_used(tmp_path: Path) -> None:
    """Each has its own; the first is the one that other commands use."""
    entries = '{endpoint: "https://west.example"}, {endpoint: "https://east.example"}'
    environ = {"AZURE_COGNITIVE_SERVICES_ENDPOINT": "https://mine.example", "AZURE_COGNITIVE_SERVICES_KEY": "k"}
    deployment = load(tmp_path, f"endpoints: [{entries}]", **environ)
    assert [one.label for one in deployment.reached] == ["west", "east"]
    assert [one.key for one in deployment.reached] == [None, None]
    assert deployment.require_endpoint() == "https://west.example"


def test_the_command_line_s_endpoint_replaces_all(tmp_path: Path) -> None:
    """As that of an emulator."""
    file = tmp_path / "gateway.yaml"
    file.write_text('voice_live: {endpoints: [{endpoint: "https://west.example"}]}\n', "utf-8")
    (only,) = load_deployment(file, {}, "http://127.0.0.1:9000").reached
    assert only.endpoint == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://west.example.com", "west"),
        ("http://localhost:8765", "localhost"),
        ("http://127.0.0.1:8765", "127.0.0.1"),
        ("http://[::1]:8765", "::1"),
    ],
)
def test_an_endpoint_without_a_name_has_its_host_s(tmp_path: Path, url: str, label: str) -> None:
    """The first part of a name, and a whole address: a part of it names nothing."""
    assert load(tmp_path, f'endpoint: "{url}"').reached[0].label == label
    entry = f'{{endpoint: "{url}"}}'
    assert f"is the second named {label}: " in mistakes(tmp_path, f"endpoints: [{entry}, {entry}]")


def test_models_are_a_list_or_named_as_they_are_there(tmp_path: Path) -> None:
    """Both are a mapping from the line's model to the endpoint's."""
    entries = (
        '{endpoint: "https://west.example", models: [gpt-4.1]}',
        '{endpoint: "https://east.example", models: {gpt-4.1: mine}}',
    )
    west, east = load(tmp_path, f"endpoints: [{', '.join(entries)}]").reached
    assert (west.models, east.models) == ({"gpt-4.1": "gpt-4.1"}, {"gpt-4.1": "mine"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'endpoint: "https://a.example", endpoints: [{endpoint: "https://b.example"}]',
            "voice_live.endpoint: stands beside endpoints, expected it in the entries of endpoints",
        ),
        (
            'endpoints: [{endpoint: "https://a.example"}, {endpoint: "https://a.example"}]',
            "voice_live.endpoints[1]: is the second named a: expected another name",
        ),
        ('endpoints: [{endpoint: "https://a.example", weight: 0}]', "voice_live.endpoints[0].weight: "),
        ('endpoints: [{endpoint: "https://a.example", wieght: 1}]', "did you mean weight?"),
        ("endpoints: [{priority: 1}]", "voice_live.endpoints[0].endpoint: "),
        (
            'endpoints: [{endpoint: "https://a.example", key: abc}]',
            "voice_live.endpoints[0].key: is a secret written into a file",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, said: str) -> None:
    """As everywhere."""
    assert said in mistakes(tmp_path, text)
