"""Published keys that a file keeps beyond the process' life."""

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.call.metrics import Metrics
from gateway.errors import InputError
from gateway.rest import CallControlError
from gateway.routes.kept_keys import LIMIT, keep, read_kept
from gateway.routes.published_keys import PublishedKeys
from tests.routes.test_published_keys import BEARER, Publisher, Signed


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    """The file is replaced as a whole, is for this user alone, and nothing else is left beside it."""
    file = tmp_path / "keys.json"
    for document in (b"a", b"bb"):
        keep(file, document)
        assert read_kept(file) == document
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_believed(tmp_path: Path, mode: int) -> None:
    """Whoever writes keys can sign as the provider."""
    file = tmp_path / "keys.json"
    keep(file, b"a")
    file.chmod(mode)
    with pytest.raises(InputError, match="may be written by others"):
        read_kept(file)
    file.chmod(0o644)
    assert read_kept(file) == b"a", "others may read it: the keys are public"


def test_no_link_is_followed_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    """Somebody else may have put them there."""
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    keep(target, b"a")
    link.symlink_to(target)
    with pytest.raises(OSError, match="link"):
        read_kept(link)
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="no plain file"):
        read_kept(pipe)


def test_no_more_is_read_than_keys_can_have(tmp_path: Path) -> None:
    """A wrong path may name anything."""
    file = tmp_path / "keys.json"
    keep(file, bytes(LIMIT + 1))
    assert len(read_kept(file)) == LIMIT


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no part of a new one."""
    file = tmp_path / "keys.json"
    keep(file, b"old")

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        keep(file, b"new")
    assert read_kept(file) == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


async def checked(publisher: Publisher, file: Path, key: str) -> str:
    """Start, check what is signed with a key, and end."""
    provider = Signed()
    kept = {"acs": (provider.known, file)}
    async with asyncio.timeout(10), PublishedKeys(publisher, Metrics(["acs"]), kept) as keys:
        return await keys.checked(provider, BEARER, lambda: provider.known.check(key))


async def test_keys_outlive_the_process(tmp_path: Path) -> None:
    """The next one starts with them while their publisher does not answer, and asks it all the same."""
    file = tmp_path / "keys.json"
    assert await checked(Publisher(b"a"), file, "a") == "checked by a"
    assert read_kept(file) == b"a"
    down = Publisher(CallControlError("no answer"))
    with capture_logs() as logs:
        assert await checked(down, file, "a") == "checked by a"
    assert logs[0] == {"event": "keys_loaded", "provider": "acs", "file": str(file), "log_level": "info"}


@pytest.mark.parametrize("kept", [b"bad", None])
async def test_a_file_that_cannot_be_used_is_told_and_the_keys_are_fetched(tmp_path: Path, kept: bytes | None) -> None:
    """Whether it holds no keys or cannot be written."""
    file = tmp_path / "keys.json" if kept else tmp_path / "nowhere" / "keys.json"
    if kept:
        keep(file, kept)
    with capture_logs() as logs:
        assert await checked(Publisher(b"a"), file, "a") == "checked by a"
    (entry,) = [entry for entry in logs if entry["event"] == "keys_file_failed"]
    assert (entry["provider"], entry["file"], entry["log_level"]) == ("acs", str(file), "warning")
    assert entry["detail"]
