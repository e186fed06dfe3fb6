"""Pages of a list of calls."""

from sqlalchemy import event

from gateway.records.listing import CallPage, page_of
from gateway.records.store.database import Database
from gateway.records.wanted import Wanted
from tests.records.kept import keep
from tests.records.many import fill
from tests.records.test_wanted import calls


def keys(page: CallPage) -> list[str]:
    """The keys of the calls on a page."""
    return [one.call.call_key for one in page.calls]


async def test_pages_lead_to_each_other(database_url: str) -> None:
    """There and back, each call once; the first page has no newer one, the last no older one."""
    async with Database(database_url) as database:
        await database.migrate()
        await keep(database, calls())
        first = await page_of(database, Wanted(), 2)
        second = await page_of(database, Wanted(before=first.older), 2)
        third = await page_of(database, Wanted(before=second.older), 2)
        assert [keys(page) for page in (first, second, third)] == [
            ["tool", "refused"],
            ["lost", "goes-on"],
            ["fine", "cut"],
        ]
        assert (first.newer, third.older) == ("", "")
        assert {page.total for page in (first, second, third)} == {6}
        back = await page_of(database, Wanted(), 2, after=third.newer)
        assert (keys(back), bool(back.newer), bool(back.older)) == (keys(second), True, True)
        assert await page_of(database, Wanted(), 2, after=back.newer) == first
        assert keys(await page_of(database, Wanted(before="gone"), 2)) == keys(first)


async def test_a_row_says_what_failed_and_whether_it_plays(database_url: str) -> None:
    """So that nobody opens a call to find out."""
    async with Database(database_url) as database:
        await database.migrate()
        await keep(database, calls())
        rows = {one.call.call_key: one for one in (await page_of(database, Wanted(), 10)).calls}
    assert {key: (one.is_recorded, one.ended_badly, one.failed) for key, one in rows.items()} == {
        "fine": (True, False, ()),
        "goes-on": (False, False, ()),
        "lost": (False, True, ()),
        "refused": (False, False, ("transfer",)),
        "tool": (False, False, ("tool",)),
        "cut": (False, True, ()),
    }


async def test_a_page_takes_few_statements_however_many_calls_there_are(database_url: str) -> None:
    """Four at most, and no more rows than the page has; words are searched without a count."""
    async with Database(database_url) as database:
        await database.migrate()
        await fill(database, 300)
        statements: list[str] = []
        engine = database._opened().sync_engine
        event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        page = await page_of(database, Wanted(problem=True), 20)
        assert len(page.calls) == 20
        asked = [statement for statement in statements if statement.startswith("SELECT")]
        assert len(asked) <= 4
        assert (await page_of(database, Wanted(said="order"), 20)).total is None
