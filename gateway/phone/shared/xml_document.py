"""XML documents that answer a provider, built and written by the standard library. Pure."""

from collections.abc import Mapping
from io import StringIO
from xml.etree.ElementTree import Element
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from gateway.text import carried


def element(tag: str, *inner: Element, text: str | None = None, attributes: Mapping[str, str] | None = None) -> Element:
    """Make an element. Characters that XML cannot carry, which a caller's name may hold, become U+FFFD.

    Without ``inner`` and ``text`` it is written as ``<tag/>``; with an empty ``text``, as ``<tag></tag>``.
    """
    made = Element(tag, {name: carried(value) for name, value in (attributes or {}).items()})
    made.text = None if text is None else carried(text)
    made.extend(inner)
    return made


def response(*verbs: Element) -> str:
    """Write ``<Response>`` with the verbs in it."""
    out = StringIO()
    # The generator decides once for all elements how empty ones are written, so there is one for each way.
    _write(element("Response", *verbs, text=""), XMLGenerator(out), XMLGenerator(out, short_empty_elements=True))
    return out.getvalue()


def document(*verbs: Element) -> str:
    """Write a whole document: the XML declaration, and ``<Response>`` with the verbs in it."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{response(*verbs)}\n'


def _write(written: Element, long: XMLGenerator, short: XMLGenerator) -> None:
    is_empty = written.text is None and not len(written)
    generator = short if is_empty else long
    generator.startElement(written.tag, AttributesImpl(written.attrib))
    generator.characters(written.text or "")
    for inner in written:
        _write(inner, long, short)
    generator.endElement(written.tag)
