import zoneinfo

import pytest

from gateway.config.line.time_zones import time_zone


def test_a_zone_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others were asked for since: a call must not wait for a file."""
    names = sorted(zoneinfo.available_timezones())[:40]
    first = [time_zone(name) for name in names]
    zoneinfo.ZoneInfo.clear_cache()
    monkeypatch.setattr(zoneinfo, "ZoneInfo", None)
    assert [time_zone(name) for name in names] == first
    assert [zone.key for zone in first] == names


@pytest.mark.parametrize("name", ["Europe/Berlim", "", "../etc/passwd", "a\0b", "Europe"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    """By one error, whatever the file system makes of the name."""
    with pytest.raises(ValueError, match="no time zone "):
        time_zone(name)
