"""Tests of the sizes that `gateway.wap.wbxml` computes beforehand, against Kannel and libwbxml."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.wap import wbxml
from gateway.wap.wbxml.meter import Share
from gateway.wap.wbxml.replayed_texts import ReplayedTexts, StringTables
from tests.wap import oracles
from tests.wap.wbxml.decks import BLOCKS, ELEMENTS, deck


class TestSizes:
    def test_frame_and_fragments(self) -> None:
        parts = ["<p>Zoë &amp; 5</p>", '<p><a href="3">x</a><br/>y</p>', "<p>x</p>", "<p/>"]
        frame = len(wbxml.encode(deck("<p/>"))) - 1
        assert frame + sum(map(wbxml.fragment_size, parts)) == len(wbxml.encode(deck("".join(parts))))

    @given(BLOCKS)
    @settings(deadline=None)
    def test_fragments_add_up(self, blocks: list[str]) -> None:
        frame = len(wbxml.encode(deck("<p/>"))) - 1
        assert frame + sum(map(wbxml.fragment_size, blocks)) >= len(wbxml.encode(deck("".join(blocks))))

    @given(ELEMENTS)
    @settings(deadline=None)
    def test_measures_of_pieces_make_that_of_the_whole(self, blocks: list[str]) -> None:
        frame = wbxml.measure_deck(deck("<p/>"))
        pieces = [wbxml.measure(block) for block in blocks]
        whole = wbxml.deck_bound(deck("".join(blocks)))
        assert wbxml.bound([frame, *pieces]) >= whole + len(b"\x20")
        most = wbxml.bound([frame, *pieces])
        measured = wbxml.MeasuredDeck([frame, *pieces])
        assert [measured.room(limit) for limit in (most, most + 9)] == [0, 9]
        assert measured.room(most - 1) < 0
        assert whole >= len(wbxml.encode(deck("".join(blocks))))

    @given(ELEMENTS, ELEMENTS, ELEMENTS, st.sampled_from(["UTF-8", "ISO-8859-1"]))
    @settings(deadline=None)
    def test_a_deck_grows_to_the_size_of_the_whole(
        self, blocks: list[str], others: list[str], last: list[str], encoding: str
    ) -> None:
        """One piece after another may be asked about, whether it changes the string table or not."""
        declared = deck("<p>lamp lamps</p>").replace("?>", f" encoding='{encoding}'?>", 1)
        frame = wbxml.measure_deck(declared.encode(encoding))
        page = [wbxml.measure(block) for block in blocks]
        begun = wbxml.MeasuredDeck(page, wbxml.MeasuredDeck([frame]))
        for block in [*last, "<p>lamp lamps</p>", *others, *last]:
            piece = wbxml.measure(block)
            assert begun.size(piece) == wbxml.bound([frame, *page, piece])
        assert begun.size() == wbxml.bound([frame, *page])

    def test_only_the_last_piece_is_replayed(self) -> None:
        """Unless it changes the table: then all texts are."""
        replayed: list[int] = []

        def replay(texts: Sequence[bytes], _items: object) -> int:
            replayed.append(len(texts))
            return 0

        def said(*texts: bytes) -> Share:
            return Share(0, (), texts, texts)

        frame = ReplayedTexts(said(b"a lantern", b"one lantern"), StringTables(4, replay))
        page = ReplayedTexts(said(b"green lamps", b"more", b"oil"), frame)
        for text in (b"first", b"second", b"third lamps", b"fourth lamps"):
            page.size(said(text))
        assert replayed == [2, 3, 1, 1, 2, 3, 1, 1]

    @given(
        st.text(st.sampled_from(" \t\nab.é日&$"), min_size=1, max_size=9),
        st.lists(st.sampled_from(["http://", "www.", ".com/", "../m1.2", "?a=", "&b", "$$", "é", "x y"])),
        st.sampled_from(["{}", "<b>{}</b>", '<a href="{address}">{}</a>', "<i>{}</i>"]),
    )
    def test_a_simple_paragraph_takes_what_it_takes_among_others(
        self, text: str, parts: list[str], shape: str
    ) -> None:
        """It is measured without being parsed."""
        said, address = text.replace("$", "$$").replace("&", "&amp;"), "".join(parts).replace("&", "&amp;")
        markup = f"<p>{shape.format(said, address=address)}</p>"
        other = wbxml.measure("<p/>")
        found, both = wbxml.measure(markup), wbxml.measure(f"{markup}<p/>")
        assert both.own == found.own + other.own
        for one, two in ((found.kannel, both.kannel), (found.libwbxml, both.libwbxml)):
            assert two == one._replace(fixed=one.fixed + other.kannel.fixed)

    @pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\ud800b", "a\uffffb", "a]]>b"])
    def test_a_paragraph_that_is_no_xml_is_not_measured(self, text: str) -> None:
        with pytest.raises(wbxml.WBXMLError):
            wbxml.measure(f"<p>{text}</p>")

    @given(st.text(st.sampled_from(" \t\nab"), max_size=40))
    def test_blanks_are_those_that_each_compiler_writes(self, text: str) -> None:
        found = wbxml.measure(f"<p>{text}</p>")
        one = re.sub(r"[ \t\n]+", " ", text).strip()
        said = re.sub(r"[ \t\n](?:[ \t\n]{2,})?", " ", text).strip()
        assert found.own == (2 + 2 + len(one) if one else 1)
        assert found.kannel.said == ((said.encode(),) if said else ())
        assert found.libwbxml.said == ((text.strip().encode(),) if one else ())

    def test_only_plain_markup_is_measured(self) -> None:
        for markup in ("<p><!-- c --></p>", "<p><?x?></p>", "<p><![CDATA[x]]></p>", "</x><x>", "$", "&a;"):
            with pytest.raises(wbxml.WBXMLError):
                wbxml.measure(markup)

    @oracles.needs_kannel
    @oracles.needs_libwbxml
    @given(BLOCKS)
    @settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
    def test_nobody_exceeds_the_bound(self, blocks: list[str]) -> None:
        wml = deck("".join(blocks), "1.3")
        limit = wbxml.deck_bound(wml)
        for size in (oracles.kannel_size(wml.encode()), oracles.libwbxml_size(wml.encode())):
            assert size is None or size <= limit

    @oracles.needs_kannel
    @given(
        st.lists(
            st.sampled_from(["größere", "Bäume", "für", "Gärten", "schöne", "und", "andere", "€"]),
            max_size=40,
        )
    )
    @settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
    def test_kannel_makes_no_latin_deck_larger_than_the_bound(self, words: list[str]) -> None:
        wml = deck(f"<p>{' '.join(words)}</p><p>{' '.join(words[::2])}</p>")
        wml = wml.replace("?>", ' encoding="ISO-8859-1"?>', 1)
        size = oracles.kannel_size(wml.encode("latin-1", "xmlcharrefreplace"), "iso-8859-1")
        assert size is not None
        assert size <= wbxml.deck_bound(wml)

    @oracles.needs_kannel
    @oracles.needs_libwbxml
    @pytest.mark.parametrize(
        "body",
        [
            "".join(
                f'<p><a href="3/{n}a">Message {n} from someone</a><br/>Re: the meeting</p>' for n in range(40)
            ),
            "<p>" + "every other word repeats and another word repeats too, " * 25 + "</p>",
            "<p>" + "Это письмо, что пришло вчера, и это не то письмо. " * 12 + "</p>",
            "<p>" + "会議は明日です。🙂 &#x4F1A;&#35696; " * 20 + "</p>",
            "<p>it costs $$5, $$6 and $$$$7</p>" * 12,
            "<p> <b>x</b> </p>" * 20,
            "<p>To <input name='to1' maxlength='40'/> <select name='f'>"
            + "".join(f"<option value='{n}'>Folder number {n}</option>" for n in range(20))
            + "</select></p><do type='accept' label='Send'><go href='s' method='post'>"
            + "".join(f"<postfield name='field{n}' value='$(field{n}:noesc)'/>" for n in range(20))
            + "</go></do>",
        ],
    )
    def test_the_bound_is_tight(self, body: str) -> None:
        wml = deck(body).encode()
        kannel, libwbxml = oracles.kannel_size(wml), oracles.libwbxml_size(wml)
        assert kannel is not None
        assert libwbxml is not None
        largest = max(kannel, libwbxml, len(wbxml.encode(wml)))
        assert largest <= wbxml.deck_bound(wml) <= largest + 3
