"""Who gets the events of a line's calls."""

from pathlib import Path

from gateway.config import Lines, load_deployment
from gateway.records.delivery.targets import Targets, targets_of
from tests.records.delivery.receiving import SECRET, Server

LINE = "numbers: ['{number}']\ninstructions: Answer.\n"
ONE = 'deliver: [{{url: "https://{host}/calls", secret: "${{KEY}}", name: crm}}]\n'


def test_a_line_s_own_receivers_replace_those_of_the_deployment(tmp_path: Path) -> None:
    """An empty list is nobody; names of the same kind are told apart by the line."""
    (tmp_path / "lines").mkdir()
    for name, text in (("plain", ""), ("own", ONE.format(host="own.example")), ("nobody", "deliver: []\n")):
        number = f"+1425555010{len(name)}"
        (tmp_path / "lines" / f"{name}.yaml").write_text(LINE.format(number=number) + text, "utf-8")
    (tmp_path / "gateway.yaml").write_text(ONE.format(host="all.example"), "utf-8")
    deployment = load_deployment(tmp_path / "gateway.yaml", {"KEY": SECRET})
    targets = targets_of(deployment, Lines(deployment))
    named = {
        line: [(one.name, one.receiver.url) for one in targets.of_line(line)] for line in ("plain", "own", "nobody")
    }
    assert named == {
        "plain": [("crm", "https://all.example/calls")],
        "own": [("own/crm", "https://own.example/calls")],
        "nobody": [],
    }
    assert targets.is_any()
    assert [target.name for target in targets.every()] == ["crm", "own/crm"]
    for name, url in (("crm", "https://all.example/calls"), ("own/crm", "https://own.example/calls")):
        receiver = targets.find(name)
        assert receiver is not None
        assert receiver.url == url
    assert [targets.find(name) for name in ("pager", "own/pager", "plain/crm", "gone/crm")] == [None] * 4


def test_without_a_receiver_there_is_none() -> None:
    """Wherever one might be: a line that delivers nothing has none either."""
    one = (Server("https://b.example").receiver(),)
    assert not Targets([], lambda _: (), lambda: ["support"]).is_any()
    assert Targets([], {"shop": one}.get, lambda: ["support", "shop"]).is_any()
    assert Targets(one, lambda _: None).is_any()


def test_a_line_is_asked_anew_each_time() -> None:
    """Its file may have changed since."""
    own = [None, (Server("https://b.example").receiver(),)]
    targets = Targets([], lambda _: own.pop(0))
    assert targets.of_line("support") == ()
    assert [one.name for one in targets.of_line("support")] == ["support/crm"]
