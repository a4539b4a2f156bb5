"""No address on a page of ours may be refused by us: what is built is found again, for every converter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.routing import AnyConverter, Map, Rule

from gateway.addresses import HIGHEST_RANK, LINK_ID_LENGTH, Position
from gateway.app import create_app
from gateway.config import Config
from gateway.message.charset import decoding
from gateway.message.charset.shifts import after
from gateway.message.mime import part_tree
from gateway.message.model import MAX_NUMBER, Part
from gateway.rendition.segments import Mode, ReaderState, middle_of
from gateway.sealed.vault import link_id
from gateway.store.abilities import Order
from gateway.store.base import ListPosition
from gateway.web.mailbox.list_views import FILTERS, ListView, position_code

#: Every codec with which text of mail is read.
CODECS = sorted(set(decoding._CODECS.values()))
ORDINALS = st.integers(0, 36**8 - 1)


def _tree(kinds: list[tuple[bool, int]]) -> Part:
    """Make a message whose parts are nested: multiparts and messages, each with siblings before it."""
    raw: object = (b"text", b"plain", None, None, None, b"7bit", 1, 1)
    for is_message, siblings in reversed(kinds):
        if is_message:
            envelope = (None,) * 10
            raw = (b"message", b"rfc822", None, None, None, b"7bit", 1, envelope, raw, 1)
        else:
            raw = ([(b"text", b"plain", None, None, None, b"7bit", 1, 1)] * siblings + [raw], b"mixed")
    return part_tree.from_bodystructure(raw)[0]


def _sections(root: Part) -> list[str]:
    return [part.section for part in root.walk() if part.section]


KINDS = st.tuples(st.booleans(), st.integers(0, 12))
#: As deep as anything is opened, and a little deeper.
TREES = (
    st.integers(0, part_tree.DEPTH_LIMIT + 5)
    .flatmap(lambda depth: st.lists(KINDS, min_size=depth, max_size=depth))
    .map(_tree)
)
SECTIONS = TREES.map(_sections).filter(bool).flatmap(st.sampled_from)
DECODERS = st.tuples(st.sampled_from(CODECS), st.binary(max_size=60)).map(lambda each: after(*each, ""))
STATES = st.builds(
    ReaderState, st.booleans(), st.sampled_from(Mode), st.just(0) | st.integers(0, 9).map(middle_of), DECODERS
)
POSITIONS = st.builds(
    Position, st.just("") | SECTIONS, ORDINALS, STATES.map(ReaderState.encode), st.just(0) | ORDINALS
)
VIEWS = st.builds(ListView, st.sampled_from(Order), st.sampled_from(sorted(FILTERS))).map(
    lambda view: view.code
)
THREADS = st.builds(
    ListView, st.just(Order.THREADS), st.sampled_from(sorted(FILTERS)), st.integers(1, MAX_NUMBER)
).map(lambda view: view.code)
LIST_POSITIONS = st.builds(
    ListPosition, st.integers(1, HIGHEST_RANK), st.integers(0, MAX_NUMBER), st.booleans(), st.integers(0, 1)
).map(position_code)
KEYS = st.binary(max_size=40).map(lambda octets: link_id(octets, b"k" * 32))

#: Converter -> what a page of ours puts in its place.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "at": POSITIONS,
    "sec": SECTIONS.filter(lambda section: not section.endswith(".TEXT")),
    "view": VIEWS | THREADS,
    "listpos": LIST_POSITIONS,
    "key": KEYS,
}


#: Werkzeug's own converter -> the same.
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(0, MAX_NUMBER),
    "string": st.integers(1, 20).map(lambda number: f"f{number}"),  # the name of a favourite
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("app")
    return create_app(Config((), state=folder / "state.sqlite", secret=folder / "secret"))


@pytest.fixture(scope="module")
def found(app: Flask) -> Callable[[str, Any], Any]:
    """Return what builds an address with a value, and reads the value from it again."""
    ours = {name for name, kind in app.url_map.converters.items() if kind.__module__.startswith("gateway.")}
    assert ours == set(VALUES), "a converter without values here"
    rules = [Rule(f"/{name}4.5.1.<{name}:value>", endpoint=name) for name in VALUES]
    adapter = Map(rules, converters=app.url_map.converters).bind("m.example.org")

    def built_and_read(name: str, value: Any) -> Any:
        path = adapter.build(name, {"value": value})
        try:
            return adapter.match(path)[1]["value"]
        except NotFound:
            return f"{path} is refused"

    return built_and_read


@given(st.sampled_from(sorted(VALUES)), st.data())
def test_what_we_build_we_read(found: Callable[[str, Any], Any], name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[name])
    assert found(name, value) == value


@settings(max_examples=1000)
@given(st.data())
def test_an_address_of_a_screen_leads_to_that_screen(app: Flask, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(sorted(app.url_map.iter_rules(), key=str)))
    names = {kind: name for name, kind in app.url_map.converters.items()}
    values = {
        variable: data.draw(
            st.sampled_from(sorted(converter.items))
            if isinstance(converter, AnyConverter)
            else (VALUES | COMMON)[names[type(converter)]]
        )
        for variable, converter in rule._converters.items()
    }
    method = next(iter(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})))
    adapter = app.url_map.bind("m.example.org")
    path = adapter.build(rule.endpoint, values, method)
    assert adapter.match(path, method) == (rule.endpoint, values)


def test_the_deepest_and_widest_message_has_positions_that_are_read(found: Callable[[str, Any], Any]) -> None:
    deep = _sections(_tree([(False, 11)] * part_tree.DEPTH_LIMIT))
    wide = _sections(_tree([(False, part_tree.PART_LIMIT + 3)]))
    for section in (max(deep, key=len), max(wide, key=len), "1" + ".1" * 11):
        at = Position(section, 36**8 - 1, ReaderState(True, Mode.TAIL, 3, "EKLN").encode(), 36**4)
        assert found("at", at) == at
        assert found("sec", section) == section
    assert len(link_id(b"", b"k")) == LINK_ID_LENGTH == 11
