"""Reads the members of a peer's JSON as the types that are needed. Pure.

Providers and the values that operators pass through them have null where there is nothing, numbers where text is
documented, and empty arrays for empty objects. None of that may end a call.
"""

from collections.abc import Mapping

from gateway.text import encodable

_SHAPES: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
}
_NAME_LENGTH = 40


class Members:
    """The members of one JSON object, ``value``; ``where`` names it in messages.

    Null is absent and a number is its text. Any other shape than the one asked for is left out and described in
    ``odd``, by its place and never by its content.
    """

    def __init__(self, value: object, where: str, odd: list[str]) -> None:
        self._where = where
        self._odd = odd
        self._members: Mapping[str, object] = value if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            self._note("", value, "an object")

    def text(self, *names: str) -> str:
        """Return the first of these members that is not empty, as text; empty where there is none."""
        for name in names:
            value = self._members.get(name)
            if isinstance(value, bool):
                self._note(name, value, "text")
            elif found := self._text(name, value):
                return found
        return ""

    def number(self, name: str, otherwise: int) -> int:
        """Return a whole number, written as such or as digits."""
        value = self._members.get(name)
        if value is None or value == "":
            return otherwise
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._note(name, value, "a number")
        return otherwise

    def inside(self, name: str) -> "Members":
        """Return the members of an object that is a member; no members where it is no object."""
        return Members(self._members.get(name), f"{self._where}.{name}", self._odd)

    def each(self, name: str) -> list["Members"]:
        """Return the members of each object of an array."""
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._note(name, value, "an array")
            return []
        return [Members(item, f"{self._where}.{name}[{at}]", self._odd) for at, item in enumerate(value)]

    def words(self, name: str) -> list[str]:
        """Return the texts of an array."""
        value = self._members.get(name)
        return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []

    def texts(self) -> dict[str, str]:
        """Return all members as texts; true and false become words."""
        read: dict[str, str] = {}
        for name, value in self._members.items():
            if isinstance(value, bool):
                read[encodable(name)] = "true" if value else "false"
            elif value is not None and isinstance(value, str | int | float):
                read[encodable(name)] = self._text(name, value)
            else:
                self._text(name, value)
        return read

    def _text(self, name: str, value: object) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return encodable(value)
        if isinstance(value, int | float):
            return str(value)
        self._note(name, value, "text")
        return ""

    def _note(self, name: str, value: object, expected: str) -> None:
        place = f"{self._where}.{encodable(name)[:_NAME_LENGTH]}" if name else self._where
        self._odd.append(f"{place} is {_SHAPES.get(type(value), 'of another kind')}, expected {expected}: left out")
