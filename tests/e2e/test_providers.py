"""The same call over every provider's wire: webhook, signature, answer, token, stream, and what both ends heard."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config.deployment import Deployment
from gateway.config.providers import settings_of
from gateway.phone.provider import Confirmation, Provider, Traits
from gateway.phone.providers import PROVIDERS
from gateway.served import make_provider, providers_of
from gateway.sim.emulator import Script
from gateway.sim.emulator.script import Latency
from gateway.sim.emulator.speaking.words import word_times
from tests.e2e.ear import KeepingPlayout, as_played, common
from tests.e2e.exchange import Exchange, exchange
from tests.e2e.provider_calls import (
    ANSWER,
    CASES,
    FAREWELL,
    GREETING,
    KEYS,
    LOOSE_END_MS,
    STORIES,
    STORIES_AT,
    WITHOUT_MARKS,
    Caller,
    Case,
    Outcome,
    Seen,
    said,
    truncates,
)
from tests.e2e.rig import noise
from tests.kinds import ASKING, CLEARED_BY_MESSAGE
from tests.phone.parts import webhooks
from tests.virtual_time import in_virtual_time


@pytest.fixture(scope="module")
def calls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome | Exception]:
    """All calls of the tests that are run, on one gateway that serves all providers."""
    chosen = {item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.sim.emulator.speaking.response.spoken", noise)
        patch.setattr("gateway.sim.phone.phone.Playout", KeepingPlayout)
        seen = {name: Seen() for name in PROVIDERS}

        def watched(deployment: Deployment) -> dict[str, Provider]:
            made = providers_of(deployment)
            for name in ASKING:
                seen[name].watch(webhooks(made[name]))
            return made

        patch.setattr("gateway.app.providers_of", watched)
        return in_virtual_time(lambda: make_calls(tmp_path_factory.mktemp("providers"), chosen, seen))


async def make_calls(folder: Path, chosen: Set[object], seen: Mapping[str, Seen]) -> dict[str, Outcome | Exception]:
    turns = [{"say": say} for say in (ANSWER, *STORIES)]
    script = Script.model_validate(
        {
            "turns": [*turns, {"call": {"name": "end_call"}, "after_call": FAREWELL}],
            "latency_ms": Latency.none(),
            "vad": "scripted",
            "pace": 8,
        }
    )
    lines = {
        case.line: f'numbers: ["{case.to}"]\ninstructions: Talk.\ngreeting: {GREETING}\nmodel: gpt-4.1\n'
        "voice: en-US-AvaNeural\ntools: [end_call]\n"
        for case in CASES.values()
    }
    outcomes: dict[str, Outcome | Exception] = {}
    accounts = {name: asyncio.Lock() for name in PROVIDERS}  # the simulated REST API of an account knows one call

    async def make(held: Exchange, case: Case) -> None:
        try:
            async with accounts[case.provider], held.waits.within(60):
                seen[case.provider].forget()
                outcomes[case.name] = replace(
                    await Caller(held, case).call(),
                    answers=tuple(seen[case.provider].answers),
                    statuses=tuple(seen[case.provider].statuses),
                )
        except Exception as error:  # noqa: BLE001 -- it is raised again in the tests of this case
            outcomes[case.name] = error

    async with (
        exchange(folder, PROVIDERS, lines, script, limit_s=600, keep_audio=True) as held,
        asyncio.TaskGroup() as group,
    ):
        for case in CASES.values():
            if case.name in chosen:
                group.create_task(make(held, case))
    return outcomes


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """One of all."""
    return CASES[request.param]


@pytest.fixture
def outcome(calls: dict[str, Outcome | Exception], case: Case) -> Outcome:
    """What came of it."""
    found = calls[case.name]
    if isinstance(found, Exception):
        raise found
    return found


def test_the_service_hears_what_the_phone_sent(outcome: Outcome) -> None:
    """Byte for byte, from the first frame to the end of the call."""
    sent, arrived = bytes(outcome.phone.caller_audio), outcome.session.input_audio
    assert sent.startswith(arrived)
    assert outcome.phone.audio_format.duration_ms(len(sent) - len(arrived)) <= LOOSE_END_MS


async def test_the_phone_plays_what_the_service_said(outcome: Outcome) -> None:
    """Each reply byte for byte, up to where the caller spoke; every other byte is silence that fills up a frame."""
    stream = bytes(outcome.playout.stream)
    spoken = outcome.phone.audio_format.silence(round(outcome.phone.bot_format.duration_ms(len(stream))))
    silence = as_played(outcome.case.provider, outcome.phone, spoken)
    cuts = iter(cuts_of(outcome, await said(outcome)))
    at, expected = 0, b""
    for number, reply in enumerate(await said(outcome)):
        start = stream.find(reply[:64], at)
        assert start >= 0, f"reply {number} never came"
        assert stream[at:start] == silence[: start - at], f"before reply {number}"
        sent = played = start + len(reply)
        if number in STORIES_AT:
            sent, played = next(cuts)
        assert stream[start:sent] == reply[: sent - start], f"reply {number}"
        expected += stream[at:played]
        at = sent
    assert stream[at:] == silence[: len(stream) - at]
    assert outcome.played.startswith(expected), f"{len(outcome.played)} bytes were played of {len(expected)}"


def cuts_of(outcome: Outcome, replies: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where each story was cut: up to which byte it was sent, and up to which it was played."""
    if outcome.case.provider in CLEARED_BY_MESSAGE:
        clears = outcome.phone.clears[: len(STORIES)]
        return [(clear.position, clear.cleared.position) for clear in clears if clear.cleared is not None]
    stream, cuts = bytes(outcome.playout.stream), []
    for number in STORIES_AT:
        start = stream.find(replies[number][:64])
        end = start + common(stream[start:], replies[number])
        cuts.append((end, end))
    return cuts


async def test_what_was_heard_is_told(case: Case, outcome: Outcome) -> None:
    """Within 20 ms where playback is confirmed, within 60 ms where it is computed."""
    told, wrong = truncates(outcome.session), []
    assert len(told) == len(STORIES)
    for story, played_ms, told_ms in zip(STORIES, await played(outcome), told, strict=True):
        if abs(told_ms - played_ms) > tolerance_ms(case):
            wrong.append(f"{story}: {played_ms:g} ms were heard, {told_ms} ms were told")
    assert not wrong


async def test_the_words_that_were_heard_are_known(case: Case, outcome: Outcome) -> None:
    """Those that the phone had played to their end, by the service's own times of words, and the rest as not heard."""
    notes = [note for note in outcome.heard if note["unheard"]]
    assert len(notes) == len(STORIES)
    for number, (story, note, played_ms) in enumerate(zip(STORIES, notes, await played(outcome), strict=True)):
        ends_ms = [word.offset_ms + word.duration_ms for word in word_times(story, 2501 + number)]
        text, unheard = str(note["text"]), str(note["unheard"])
        assert f"{text} {unheard}".strip() == story
        early, late = (
            sum(end_ms <= played_ms + by for end_ms in ends_ms) for by in (-tolerance_ms(case), tolerance_ms(case))
        )
        assert early <= len(text.split()) <= late, f"{played_ms:g} ms of it were played, and known is: {text}"


async def played(outcome: Outcome) -> list[float]:
    """Return how much of each story the phone played, in milliseconds."""
    replies, stream = await said(outcome), bytes(outcome.playout.stream)
    starts = [stream.find(replies[number][:64]) for number in STORIES_AT]
    ends = [end for _, end in cuts_of(outcome, replies)]
    return [outcome.phone.bot_format.duration_ms(end - start) for start, end in zip(starts, ends, strict=True)]


def tolerance_ms(case: Case) -> int:
    """Return how far the gateway may be off: less where the provider confirms what it has played."""
    confirmed = traits(case).confirmation in (Confirmation.MARKS, Confirmation.PLAYED_MARKS)
    return 20 if confirmed and not set(WITHOUT_MARKS) & set(case.quirks) else 60


def traits(case: Case) -> Traits:
    """What the provider says of itself."""
    return make_provider(case.provider, settings_of(case.provider)()).traits


def test_keys_arrive(case: Case, outcome: Outcome) -> None:
    """Each key that was pressed, in order, where the stream carries keys."""
    assert outcome.digits == (list(KEYS) if traits(case).keys_in else [])


def test_either_side_ends_the_call(case: Case, outcome: Outcome) -> None:
    """The gateway knows who did, and so does the provider."""
    wanted = {"bot": ("bot_hung_up", "bot"), "caller": ("caller_hung_up", "caller")}[case.ended_by]
    assert (outcome.end["reason"], outcome.end["by"]) == wanted
    assert outcome.phone.ended_by == {"bot": "gateway", "caller": "caller"}[case.ended_by]


def test_the_provider_reports_the_end(case: Case, outcome: Outcome) -> None:
    """A callback of an answered call says that it has ended: it frees what a lost stream would keep."""
    if not asked(case):
        return
    ends = [status.status for status in outcome.statuses if status.ended]
    assert ends, (
        f"{case.provider}: no webhook reported the end of the call: send it in Webhook.ended of "
        f"gateway/sim/providers/{case.provider}.py, and return ended=True from Webhooks.status of its provider; "
        f"reported: {list(outcome.statuses)}"
    )


def test_the_answer_says_the_format_of_the_stream(case: Case, outcome: Outcome) -> None:
    """Where it says one: a session that is opened ahead of the stream is opened in it."""
    promised = {answer.audio_format for answer in outcome.answers} - {None}
    assert promised <= {outcome.phone.audio_format}


def asked(case: Case) -> bool:
    """Return whether the call is announced by a webhook."""
    return case.provider in ASKING and not case.straight


def test_no_rule_is_broken(outcome: Outcome) -> None:
    """Neither the provider nor the service has anything to object to, from the webhook to the last callback."""
    tried = ["0 'MARK_MEDIA': unknown command"] if "20.17" in outcome.case.quirks else []
    assert outcome.violations == tried
    assert not [found for found in outcome.session.violations if not found.startswith("audio_stopped:")]
