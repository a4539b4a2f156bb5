"""Tests of the string table of repeated substrings: what it saves, and that it loses nothing."""

from __future__ import annotations

import operator
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.wap import wbxml
from gateway.wap.wbxml import encoder, repeats, wml_parser
from tests import bounded
from tests.wap import oracles
from tests.wap.wbxml.decks import DECKS, FULL, canonical, deck

#: Few letters, so that much is repeated, within words and across them; two of them take more than an octet.
REPETITIVE = st.one_of(
    st.text("ab é🙂", max_size=60), st.builds(operator.mul, st.sampled_from("7 x"), st.integers(70, 170))
)
VALUES = st.lists(st.sampled_from(["http://www.", ".com/", "top", "text", "ab", "éa", " "]), max_size=8).map(
    "".join
)
REPEATING_DECKS = st.lists(st.tuples(REPETITIVE, VALUES, REPETITIVE), max_size=8).map(
    lambda rows: deck("".join(f'<p title="{a}"><a href="{b}">{c}</a></p>' for a, b, c in rows))
)


def octets(text: str) -> int:
    return len(text.encode())


def compiled(wml: str) -> encoder.Compiler:
    compiler = encoder.Compiler()
    wml_parser.read(wml, compiler)
    return compiler


class TestSubstrings:
    def test_parts_of_strings_are_in_the_table_once(self) -> None:
        wml = deck(
            "".join(f"<p>to {name}@harbour.example.</p>" for name in ("alice", "bob", "carol", "dave"))
        )
        octets = wbxml.encode(wml)
        assert octets.count(b"@harbour.example.") == 1
        assert len(octets) < len(wbxml.encode(wml, room=1 << 20))

    def test_a_tail_of_another_string_takes_no_room(self) -> None:
        tail, whole = "harbour.example", "alice@harbour.example"
        octets = wbxml.encode(deck(f"<p>{whole}</p><p>{whole}</p><p>{tail}</p><p>{tail}</p><p>{tail}</p>"))
        assert octets.count(b"harbour.example\0") == 1

    def test_a_variable_refers_to_a_string_of_the_text(self) -> None:
        octets = wbxml.encode(deck("<p>password, a password $(password)</p>"))
        assert octets.count(b"password") == 1

    def test_room_that_suffices_saves_the_search(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wml = deck("<p>one of many, two of many, three of many</p>")
        plain = wbxml.encode(wml, room=1 << 20)
        monkeypatch.delattr(repeats, "_candidates")
        assert wbxml.encode(wml, room=len(plain)) == plain
        with pytest.raises(NameError):
            wbxml.encode(wml, room=len(plain) - 1)

    def test_repeats_longer_than_is_compared(self) -> None:
        """Found by fuzzing: suffixes with more than 80 characters in common."""
        for length in (79, 80, 81, 82, 160):
            wml = deck(f"<p>x]{'7' * length}</p><p>77777777</p>")
            assert canonical(wbxml.decode(wbxml.encode(wml))) == canonical(wml)

    @given(st.text("ab\1", max_size=300), st.integers(1, 6))
    def test_common_prefixes(self, text: str, longest: int) -> None:
        text += repeats.BREAK
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repeats, "_LONGEST", longest)
            order = sorted(range(len(text)), key=lambda at: text[at : at + longest])
            found = repeats._common_prefixes(text, order)
        for place, (at, other) in enumerate(zip(order[1:], order, strict=False), 1):
            pairs = zip(text[at : at + longest], text[other : other + longest], strict=False)
            same = takewhile(lambda pair: repeats.BREAK < pair[0] == pair[1], pairs)
            assert found[place] == len(list(same))

    @given(REPEATING_DECKS)
    @settings(deadline=None)
    def test_nothing_is_lost_and_nothing_grows(self, wml: str) -> None:
        bare = len(b"".join(compiled(wml).body.pieces)) + 4
        for references in (True, False):
            octets = wbxml.encode(wml, attribute_references=references)
            assert canonical(wbxml.decode(octets)) == canonical(wml)
            assert (
                len(octets) <= len(wbxml.encode(wml, room=1 << 20, attribute_references=references)) <= bare
            )

    @given(DECKS)
    @settings(deadline=None)
    def test_the_gain_is_what_was_reckoned(self, wml: str) -> None:
        """The gains of a page, announced one by one, are the difference in octets while references are short."""
        body = compiled(wml).body
        texts = [text for _, text, in_attribute in body.strings if not in_attribute]
        page = repeats.DeckStrings(repeats.joined(texts), repeats.joined([]), "", {})
        items, chosen = repeats.choose(page, (), octets)
        before = sum(octets(text) + 2 for text in texts)
        table = sum(octets(item.text) + 1 for item in items if item.text + repeats.MARK in chosen.known)
        if table >= repeats.NEAR:
            return
        segments = [part for part in chosen.texts.split(repeats.BREAK) if part not in ("", repeats.MARK)]
        after = sum(2 if part[0] == repeats.MARK else octets(part) + 2 for part in segments)
        assert table + after <= before

    @given(st.integers(0, 342))
    def test_marks(self, number: int) -> None:
        mark = repeats.mark(number)
        assert repeats.marked(mark) == number
        assert repeats.BREAK not in mark

    def test_the_order_of_texts_does_not_matter(self) -> None:
        """A page is measured with its frame first, and written with the frame around it."""
        rows = [f"<p>message {n} from harbour, {n} days ago</p>" for n in range(9)]
        assert len(wbxml.encode(deck("".join(rows)))) == len(wbxml.encode(deck("".join(rows[::-1]))))

    def test_hostile_decks_cost_little(self) -> None:
        bounded.call(_compile_bombs)


def _compile_bombs() -> None:
    words = " ".join(f"{n:x}" for n in range(60_000))
    for text in (
        "x" * 400_000,
        "ab" * 200_000,
        words,
        "x" * 5_999 + "y",
        "<b>a</b>" * 20_000,
        "$(a)b" * 40_000,
    ):
        wbxml.encode(deck(f"<p>{text}</p>"))
    wbxml.encode(deck("".join(f"<p>$(v{n})</p>" for n in range(20_000))))


class TestAttributeReferences:
    """A Nokia 7110 is said not to understand references to the table in attribute values."""

    @pytest.mark.parametrize("room", [None, 1 << 20])
    def test_none_are_written(self, room: int | None) -> None:
        wml = deck("".join('<p><a href="12?box=inbox">inbox inbox</a></p>' for _ in range(6)))
        octets = wbxml.encode(wml, room=room, attribute_references=False)
        assert b"\x4a\x83" not in octets
        assert octets.count(b"12?box=inbox") == 6
        assert wbxml.encode(wml, room=room).count(b"12?box=inbox") == 1


class TestOtherPrograms:
    @oracles.needs_libwbxml
    @given(REPEATING_DECKS)
    @settings(deadline=None, max_examples=30)
    def test_libwbxml_reads_the_table_as_we_do(self, wml: str) -> None:
        theirs = oracles.libwbxml_decode(wbxml.encode(wml))
        assert theirs is not None
        texts = [
            "".join("".join(etree.fromstring(text).itertext()).split()) for text in (theirs, wml.encode())
        ]
        assert texts[0] == texts[1]

    @oracles.needs_tshark
    def test_tshark_reads_the_whole_language_with_its_table(self) -> None:
        tree = oracles.tshark_tree(wbxml.encode(FULL))
        assert tree is not None
        assert "Malformed" not in tree
        assert wbxml.encode(FULL)[3] > 0, "there is a table"
