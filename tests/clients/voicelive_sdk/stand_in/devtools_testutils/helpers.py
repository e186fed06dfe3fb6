"""Where recordings of the service are kept: nowhere here."""


def locate_assets(_path: str) -> str:
    """Return no folder."""
    return ""
