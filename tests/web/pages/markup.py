"""Enough of an HTML reader to ask a page what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Element:
    """One element with its attributes and what is inside it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def content(self) -> str:
        """Its text content, exactly as a browser's `textContent`."""
        return "".join(child if isinstance(child, str) else child.content for child in self.children)

    @property
    def text(self) -> str:
        """Its text with blanks folded, as people read it."""
        return " ".join(self.content.split())

    def __iter__(self) -> Iterator[Element]:
        """Every element below this one, in the order of the page."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child

    def all(self, tag: str | None = None, **wanted: str | None) -> list[Element]:
        """Those of a tag whose attributes are as wanted; None: the attribute is there. `data_x` means `data-x`."""
        names = {name.rstrip("_").replace("_", "-"): value for name, value in wanted.items()}
        return [
            element
            for element in self
            if (tag is None or element.tag == tag)
            and all(
                name in element.attributes and value in (None, element.attributes[name])
                for name, value in names.items()
            )
        ]

    def one(self, tag: str | None = None, **wanted: str | None) -> Element:
        """The only one; fails where there is none, or more."""
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} of {tag} {wanted}"
        return found[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute stands twice on {tag}: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"{tag} closes {self._open[-1].tag}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read(text: str) -> Element:
    """The document; fails where elements do not close in order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader._open == [reader.root], f"never closed: {[element.tag for element in reader._open[1:]]}"
    return reader.root
