"""Time zones by their IANA names: each is read once, with the line that names it, not during a call."""

import functools
import zoneinfo


@functools.cache
def time_zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the time zone from a cache, because ``zoneinfo`` keeps only a few. Raises ValueError if there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no time zone {name!r}") from error
