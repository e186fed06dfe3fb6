"""One thing that was said or done in a call, a class for each kind. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from gateway.voice.commands import Role, SeedCall, SeedItem, SeedMessage, SeedOutput

UNKNOWN_WORDS = "(The caller said something that was not transcribed.)"
NO_WORDS = "(Something was said to the caller; its words are not known.)"


class Turn(Struct):
    """A turn of the caller; ``text`` is ``None`` as long as no transcript has come."""

    item_id: str
    text: str | None = None

    def items(self) -> Sequence[SeedItem]:
        """Return the turn as a message; nothing for a turn without words, which was a noise."""
        text = UNKNOWN_WORDS if self.text is None else self.text
        return (SeedMessage("user", text),) if text else ()


class Reply(Struct):
    """A reply of the bot: the words that the caller heard, and those that were generated and not heard."""

    item_id: str
    text: str = ""
    unheard: str = ""
    heard_ms: int = 0
    received_ms: int = 0

    def items(self) -> Sequence[SeedItem]:
        """Return what was heard as a message; nothing if nothing was."""
        text = self.text or (NO_WORDS if self.heard_ms and not self.unheard else "")
        return (SeedMessage("assistant", text),) if text else ()


class Message(Struct, frozen=True):
    """A message that the gateway gave the model."""

    role: Role
    text: str

    def items(self) -> Sequence[SeedItem]:
        """Return it as it was."""
        return (SeedMessage(self.role, self.text),)


class Keys(Struct):
    """Keys that the caller pressed one after the other, none of them secret."""

    digits: str

    def items(self) -> Sequence[SeedItem]:
        """Return them as a message of the caller."""
        return (SeedMessage("user", keys_text(self.digits)),)


class Called(Struct):
    """A function that the model called; ``output`` is ``None`` as long as it runs."""

    call_id: str
    name: str
    arguments: str
    output: str | None = None

    def items(self) -> Sequence[SeedItem]:
        """Return the call, and its output if there is one: an output is refused without its call."""
        call = SeedCall(self.call_id, self.name, self.arguments or "{}")
        return (call,) if self.output is None else (call, SeedOutput(self.call_id, self.output))


Entry = Turn | Reply | Message | Keys | Called


def keys_text(digits: str) -> str:
    """Return the message that gives the model keys of the caller."""
    return f"(Keys pressed on the phone: {digits})"


def chars(items: Sequence[SeedItem]) -> int:
    """Return the length of all texts of these items."""
    return sum(_chars(item) for item in items)


def _chars(item: SeedItem) -> int:
    match item:
        case SeedMessage(text=text):
            return len(text)
        case SeedCall(name=name, arguments=arguments):
            return len(name) + len(arguments)
        case SeedOutput(output=output):
            return len(output)


def is_open(entry: Entry) -> bool:
    """Return ``True`` for a call whose output is still to come: the output needs the call."""
    return isinstance(entry, Called) and entry.output is None
