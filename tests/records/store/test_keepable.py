"""Rows as they may be kept."""

from gateway.logs.redaction import Redactor
from gateway.records.masking import Masking
from gateway.records.rows import CallRow, EventRow
from gateway.records.store.keepable import Keepable
from gateway.records.store.number_keys import NumberKey
from tests.records.store.rows import CALLED, CALLER, call_row, event_row

KEY = NumberKey("k1", b"secret")


def test_a_masked_call_has_the_hashes_of_its_numbers() -> None:
    """By which it is found, and forgotten; they are those of the numbers themselves."""
    row = Keepable(KEY, Masking(numbers="masked"), Redactor()).row(call_row(caller=CALLER, called=CALLED))
    assert isinstance(row, CallRow)
    assert (row.caller, row.called) == ("+1415…23", "+1425…00")
    assert (row.caller_hash, row.called_hash) == (KEY.hash(CALLER), KEY.hash(CALLED))


def test_secrets_are_in_no_message() -> None:
    """Those of the deployment, and what looks like one; words stay as they were said."""
    keepable = Keepable(KEY, Masking(), Redactor(["api-key-1234"]))
    event = EventRow(call_key="k", n=0, at_ms=0, kind="service_error", fields={"code": "c", "detail": "api-key-1234?"})
    kept = keepable.row(event)
    assert isinstance(kept, EventRow)
    assert kept.fields == {"code": "c", "detail": "…?"}
    call = keepable.row(call_row(detail="refused: https://me:pass@host/x"))
    assert isinstance(call, CallRow)
    assert call.detail == "refused: https://…@host/x"
    assert keepable.row(event_row(1)) == event_row(1)


def test_many_numbers_take_no_memory() -> None:
    """Hashes are remembered for a thousand numbers, and made anew."""
    keepable = Keepable(KEY, Masking(), Redactor())
    for n in range(2500):
        keepable.row(call_row(caller=f"+1415555{n:04}"))
    assert len(keepable._hashes) <= 1000
