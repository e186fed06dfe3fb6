"""Try the mutations that were made by hand: ``python -m tests.mutants [part of a file or name]``.

pytest imports and collects the fast tests of a package once. Then a fork for each mutation puts the changed code in
place and runs them. No file is changed. The program fails where a mutation survives or no longer fits its source.
"""

import contextlib
import os
import sys
import time
from collections.abc import Sequence

import pytest
from _pytest.main import pytest_runtestloop

from tests.mutants.mutation import Mutation, mutations
from tests.mutants.transplant import transplant

ROOMS = ("delivery", "recording", "store", "storing")
"""The packages of the records with tests enough of their own."""
TESTS = {
    "gateway/call": (
        "tests/call",
        "--ignore=tests/call/test_metrics.py",
    ),
    "gateway/config": (
        "tests/config",
        "-k",
        "not one_odd_file and not any_parameters_give and not any_value_at_any_key and not any_text_gives "
        "and not no_text_is_a_traceback",
    ),
    "gateway/connecting": ("tests/connecting", "tests/voice/test_service.py"),
    "gateway/console": ("tests/console",),
    "gateway/fleet": ("tests/fleet", "tests/call/test_calls.py"),
    "gateway/live": ("tests/live", "tests/console/pages/test_now.py"),
    "gateway/phone": ("tests/phone", "tests/conformance", "--ignore=tests/phone/test_official_validators.py"),
    "gateway/records": ("tests/records", *(f"--ignore=tests/records/{room}" for room in ROOMS)),
    **{f"gateway/records/{room}": (f"tests/records/{room}",) for room in ROOMS},
    "gateway/routes": ("tests/routes",),
    "gateway/tools": ("tests/tools",),
    "gateway/voice": ("tests/voice",),
    "gateway/sockets": ("tests/sockets",),
    "gateway": ("tests/test_rest.py",),
}
"""The fast tests of a package."""
OWN = {
    "gateway/fleet/places.py": ("test_places.py", "test_calls.py"),
    "gateway/phone/providers/genesys/wire.py": ("genesys/test_provider.py",),
    "gateway/phone/providers/acs/wire.py": ("acs/test_provider.py",),
    "gateway/phone/providers/genesys/signature.py": ("genesys/test_signature.py", "genesys/test_provider.py"),
    "gateway/phone/leg.py": ("test_leg.py", "test_bounds.py", "test_streams.py"),
    "gateway/phone/dialects/plivo/signature.py": ("plivo/test_provider.py", "vobiz/test_provider.py"),
    "gateway/records/store/writer.py": ("store/test_store.py",),
    "gateway/routes/webhooks.py": ("test_webhook_taken.py", "test_webhook_full.py", "test_webhooks.py"),
    "gateway/routes/media_stream.py": ("test_stream_taken.py", "test_stream_left.py", "test_media_stream.py"),
}
"""The tests that are asked first, where their names do not tell."""
LAST = ("test_any_order.py", "test_random_call.py")
"""The first random calls of these are asked where nothing else has noticed."""
OPTIONS = ("-x", "-q", "-s", "--no-header", "-p", "no:cacheprovider", "--timeout=60")


class Trial:
    """Takes the place of pytest's loop: runs the collected tests once for each mutation."""

    def __init__(self, chosen: Sequence[Mutation]) -> None:
        self._chosen = chosen
        self.survivors = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork for each mutation; and first of all for none, which must pass."""
        last = [item for name in LAST for item in [each for each in session.items if each.path.name == name][:1]]
        session.items[:] = [*(item for item in session.items if item.path.name not in LAST), *last]
        assert not _is_noticed(session, None), "the tests fail without any mutation"
        for mutation in self._chosen:
            try:
                mutation.source()
            except ValueError as error:
                what = str(error)
            else:
                what = "" if _is_noticed(session, mutation) else "survived"
            if what:
                self.survivors += 1
                print(f"{mutation.file}: {mutation.name}: {what}", flush=True)  # noqa: T201 -- a program
        return True


def _mirror(file: str) -> str:
    """Return the test file that stands where a module does."""
    folder, _, name = file.removeprefix("gateway/").rpartition("/")
    return f"tests/{folder}/test_{name}"


def _is_noticed(session: pytest.Session, mutation: Mutation | None) -> bool:
    """Return whether a test fails, or does not end in its time, in a fork with the mutation."""
    pid = os.fork()
    if pid == 0:
        failed = True
        try:
            if mutation is not None:
                transplant(mutation)
                own = OWN.get(mutation.file, ()) or (_mirror(mutation.file),)
                session.items.sort(key=lambda item: not item.path.as_posix().endswith(own))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            with contextlib.suppress(session.Failed):
                pytest_runtestloop(session)
            failed = bool(session.testsfailed)
        finally:
            os._exit(1 if failed else 0)
    _, status = os.waitpid(pid, 0)
    return status != 0


def package_of(mutation: Mutation) -> str:
    """Return the package whose tests are run for a mutation: the innermost of ``TESTS`` around its file.

    Raises ``ValueError`` where there is none, so that no mutation is passed over without a word.
    """
    around = [package for package in TESTS if mutation.file.startswith(f"{package}/")]
    if not around:
        raise ValueError(f"{mutation.file}: no package of TESTS")
    return max(around, key=len)


def main(part: str = "") -> int:
    """Try all mutations whose file or name holds ``part``; returns how many were not noticed."""
    began, tried, survivors = time.monotonic(), 0, 0
    chosen = [mutation for mutation in mutations() if part in mutation.file or part in mutation.name]
    for package, tests in TESTS.items():
        trial = Trial([mutation for mutation in chosen if package_of(mutation) == package])
        if not trial._chosen:
            continue
        code = pytest.main([*OPTIONS, *tests], plugins=[trial])
        if code != pytest.ExitCode.OK:
            return code
        tried += len(trial._chosen)
        survivors += trial.survivors
    took_s = time.monotonic() - began
    print(f"{tried} mutations made by hand, {tried - survivors} noticed, {took_s:.0f} s")  # noqa: T201 -- a program
    return survivors


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:2]) else 0)
