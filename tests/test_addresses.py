"""addresses: what is written can be read, and what can be read was written that way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import (
    FILTERS,
    HIGHEST_RANK,
    ORDERS,
    SESSION_ROOT,
    ListPositionCode,
    MessageCode,
    Origin,
    Position,
    ViewCode,
    base36,
    nesting_code,
    nesting_steps,
    relative,
    session_root,
)
from gateway.errors import BadRequest
from gateway.message.model import MAX_NUMBER
from gateway.rendition.documents.bounds import ENTRIES_LIMIT
from gateway.sealed.vault import new_token
from gateway.web.attachments.file_links import DEEPEST

UIDS = st.integers(1, MAX_NUMBER)
LETTERS = st.sampled_from(["", *FILTERS])
VIEWS = st.builds(ViewCode, st.sampled_from(ORDERS), LETTERS, st.just(0)) | st.builds(
    ViewCode, st.just("t"), LETTERS, UIDS
)
LIST_POSITIONS = st.builds(
    ListPositionCode, st.integers(1, HIGHEST_RANK), st.just(0) | UIDS, st.booleans(), st.integers(0, 1)
)
ORIGINS = (
    st.just(Origin())
    | st.builds(Origin, st.just(0), st.just(1), st.none(), st.none(), st.integers(1, 10**9 - 1))
    | st.builds(
        Origin, st.integers(1, 10**9 - 1), st.integers(1, 10**9 - 1), st.none(), st.none(), st.just(0)
    )
    | st.builds(Origin, st.just(0), st.just(1), VIEWS, st.none() | LIST_POSITIONS, st.just(0))
)
#: What reads a code -> texts that look like one.
LIKE_CODES: dict[Callable[[str], Any], str] = {
    Position.decode: r"[0-9.t-]{0,9}-[0-9a-zA-Z]{0,9}(-[0-9a-z]{0,9})?",
    ViewCode.decode: r"[a-z]{0,3}[0-9]{0,11}",
    ListPositionCode.decode: r"[0-9]{0,10}-[0-9]{0,11}[sp]{0,3}",
    MessageCode.decode: r"[0-9]{0,11}[.]?[0-9]{0,11}",
    Origin.decode: r"[a-z]{0,3}[0-9]{0,11}([.][0-9]{0,10}(-[0-9]{0,11}s?p?)?)?",
    nesting_steps: r"[0-9-]{0,12}",
}


@given(ORIGINS)
def test_the_list_that_a_message_was_opened_from_is_found_again(origin: Origin) -> None:
    assert Origin.decode(origin.encode()) == origin
    assert quote(origin.encode(), safe="") == origin.encode()


@given(st.lists(st.integers(0, ENTRIES_LIMIT), max_size=DEEPEST).map(tuple))
def test_a_way_into_files_is_found_again(steps: tuple[int, ...]) -> None:
    assert nesting_steps(nesting_code(steps)) == steps


@given(st.sampled_from(list(LIKE_CODES)), st.data())
def test_what_is_no_code_is_refused_and_nothing_else_happens(
    read: Callable[[str], Any], data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(rf"\A{LIKE_CODES[read]}\Z") | st.text(max_size=20))
    try:
        value = read(text)
    except BadRequest:
        return
    written = nesting_code(value) if isinstance(value, tuple) and read is nesting_steps else value.encode()
    assert read(written) == value


@pytest.mark.parametrize(
    "text", ["q0", "q3.0", "q03", "q", "a.", "a.0-1", "t4294967296", "a5", "x", "q3.5-7", "a\n"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Origin.decode(text)


def test_the_rank_of_a_spot_has_a_bound() -> None:
    assert ListPositionCode.decode("999999999-1").rank == HIGHEST_RANK


@given(st.sampled_from(["", "/", "/i", "/m1.2"]))
def test_the_token_of_a_session_is_found_in_front_of_a_path(path: str) -> None:
    token = new_token()
    found = SESSION_ROOT.match(session_root(token) + path)
    assert found is not None
    assert (found[1], found.end()) == (token, len(session_root(token)))


@given(st.integers(0, 10**20))
def test_numbers_are_read_back(number: int) -> None:
    assert int(base36(number), 36) == number


@pytest.mark.parametrize(
    ("target", "base", "said"),
    [
        ("/~T/m1.2", "/~T/i", "m1.2"),
        ("/m1.2", "/i", "m1.2"),
        ("/w", "/~T/m1.2", "../w"),
        ("/", "/~T/i", "../"),
        ("/i?c=1", "/i", "i?c=1"),
        ("/", "/i", "."),
    ],
)
def test_a_relative_link_leads_where_it_is_meant_to(target: str, base: str, said: str) -> None:
    assert urljoin("http://x" + base, said) == "http://x" + target
    assert relative(target, base) == said


_PATH = st.lists(st.text("abc~", min_size=1, max_size=3), min_size=1, max_size=4).map(
    lambda p: "/" + "/".join(p)
)


@given(_PATH, _PATH)
def test_a_relative_address_leads_to_its_target(target: str, base: str) -> None:
    said = relative(target, base)
    assert urljoin("http://x" + base, said) == "http://x" + target
