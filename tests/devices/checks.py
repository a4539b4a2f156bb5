"""What every page must satisfy, by independent means: the grammars and our compiled size."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from lxml import etree

from gateway.wap import wbxml
from tests.devices import mobileok

_DTD = Path(__file__).parent.parent / "data" / "dtd"
#: Debian's w3c-sgml-lib; pages are checked against it if it is installed.
_XHTML_BASIC = Path("/usr/share/xml/w3c-sgml-lib/schema/dtd/REC-xhtml-basic-20101123/xhtml-basic11.dtd")


@cache
def _grammar(path: Path) -> etree.DTD | None:
    return etree.DTD(str(path)) if path.exists() else None


def wml_version(deck: bytes) -> str:
    return next(version for version in ("1.1", "1.2", "1.3") if f"DTD WML {version}//EN".encode() in deck)


# Many tests see the same sign-in page.
@lru_cache(1000)
def check_deck(deck: bytes, limit: int) -> None:
    """Assert that a deck is valid WML of its version and compiles to at most `limit` octets, whatever compiles it."""
    _check_grammar(deck)
    # The most that Kannel, libwbxml and we make of it; tests/wap compares that with the programs themselves.
    bound = wbxml.deck_bound(deck)
    assert bound <= limit, f"{bound} octets compiled, {limit} allowed:\n{deck!r}"


def check_compiled_deck(deck: bytes, limit: int) -> None:
    """Assert the same of a deck that we have compiled."""
    _check_grammar(deck)
    compiled = wbxml.encode(deck)
    assert len(compiled) <= limit, f"{len(compiled)} octets compiled, {limit} allowed:\n{deck!r}"


def _check_grammar(deck: bytes) -> None:
    root = etree.fromstring(deck, etree.XMLParser(resolve_entities=False, no_network=True))
    grammar = _grammar(_DTD / f"wml{wml_version(deck).replace('.', '')}.dtd")
    assert grammar is not None
    assert grammar.validate(root), (str(grammar.error_log), deck.decode())


@lru_cache(1000)
def check_page(page: bytes, limit: int) -> None:
    """Assert that a page is well-formed, valid XHTML Basic 1.1, mobileOK, and at most `limit` octets."""
    root = etree.fromstring(page, etree.XMLParser(resolve_entities=False, no_network=True))
    assert len(page) <= limit
    grammar = _grammar(_XHTML_BASIC)
    if grammar is not None:
        assert grammar.validate(root), (str(grammar.error_log), page.decode())
    assert not (faults := mobileok.page_faults(page)), (faults, page.decode("latin-1"))
