"""Tells whether a number's webhook is ours, and whether its codecs are those that streams bring. Pure."""

from collections.abc import Collection

from gateway.doctor.row import Row, failed, fine, reduced
from gateway.phone.pointing import Change


def webhook_row(change: Change, answer_url: str, lines: Collection[str], remedy: str, about: str) -> Row:
    """Return the row of a number's webhook; ``answer_url`` is ours, behind which a line's name may stand."""
    before = change.before.rstrip("/")
    if not before:
        return failed("webhook", f"{change.what} has none", remedy, about)
    if before == answer_url:
        return fine("webhook", f"{change.what} points here", about)
    line = before.removeprefix(f"{answer_url}/")
    if line == before:
        return failed("webhook", f"{change.what} points at {change.before}, expected {answer_url}", remedy, about)
    if line not in lines:
        return failed("webhook", f"{change.what} points at the line {line}, which is not there", remedy, about)
    return fine("webhook", f"{change.what} points here, at the line {line}", about)


def codecs_row(change: Change, about: str) -> Row | None:
    """Return the row of the codecs; ``None`` where the provider does not tell any."""
    if not change.codecs:
        return None
    found = f"{change.what} has the codecs {', '.join(change.codecs)}"
    unfit = change.unfit_codecs
    if not unfit:
        return fine("codecs", found, about)
    remedy = f"set them to {' and '.join(change.usable_codecs)} alone, in the provider's portal"
    if change.codecs[0] in unfit:
        return failed("codecs", f"{found}: streams in {change.codecs[0]} are refused", remedy, about)
    return reduced("codecs", f"{found}: calls that come in {' or '.join(unfit)} are refused", remedy, about)
