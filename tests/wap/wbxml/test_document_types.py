"""Tests of the encoder's charsets and versions, and of the other documents: Service Indication, Service Loading."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wap import wbxml
from gateway.wap.wbxml import document_types
from tests.wap import oracles
from tests.wap.wbxml.decks import deck

SI = """<?xml version="1.0"?>
<!DOCTYPE si PUBLIC "-//WAPFORUM//DTD SI 1.0//EN" "http://www.wapforum.org/DTD/si.dtd">
<si><indication href="http://www.xyz.com/email/123/abc.wml" created="1999-06-25T15:23:15Z"
 si-expires="1999-06-30T00:00:00Z">You have 4 new emails</indication></si>"""
#: From the tables of WAP-167 §8.3; Kannel and libwbxml write the same.
SI_OCTETS = bytes.fromhex(
    "01056a0045c60d0378797a008503656d61696c2f3132332f6162632e776d6c000ac3071999062515231510c304199906300103"
    "596f7520686176652034206e657720656d61696c73000101"
)
SL = """<!DOCTYPE sl PUBLIC "-//WAPFORUM//DTD SL 1.0//EN" "http://www.wapforum.org/DTD/sl.dtd">
<sl href="http://www.xyz.com/ppaid/123/abc.wml" action="execute-high"></sl>"""
SL_OCTETS = bytes.fromhex(
    "01066a00850a0378797a00850370706169642f3132332f6162632e776d6c00060 1".replace(" ", "")
)


class TestCharsets:
    def test_what_a_charset_lacks_becomes_entities(self) -> None:
        wml = deck('<p title="5 €">é &lt; €</p>')
        assert b"\x03\xe9 < \0\x02\xc1\x2c" in wbxml.encode(wml, 4)
        assert b"\x02\x81\x69\x03 < \0\x02\xc1\x2c" in wbxml.encode(wml, 3)
        for charset in (3, 4, 106):
            assert '<p title="5 €">é &lt; €</p>' in wbxml.decode(wbxml.encode(wml, charset))

    @given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="$<&"), max_size=40))
    @settings(deadline=None)
    def test_all_charsets_say_the_same(self, text: str) -> None:
        wml = deck(f"<pre>{text}{text}</pre>")
        assert len({wbxml.decode(wbxml.encode(wml, charset)) for charset in (3, 4, 106)}) == 1

    def test_names_have_letters(self) -> None:
        wml = "<wml><größe straße='1'>$(x:unescape)</größe></wml>"
        assert wbxml.decode(wbxml.encode(wml)).endswith('<wml><größe straße="1">$(x:unesc)</größe></wml>')
        with pytest.raises(wbxml.WBXMLError, match="name"):
            wbxml.encode(wml, 3)

    def test_no_charset_of_two_octets(self) -> None:
        with pytest.raises(ValueError, match="octets"):
            wbxml.encode(deck(""), 1000)


def test_versions() -> None:
    for version, octet in (("1.1", 1), ("1.2", 2), ("1.3", 3)):
        assert wbxml.encode(deck("<p>x</p>"), version=version)[0] == octet


class TestServices:
    @pytest.mark.parametrize(("document", "octets"), [(SI, SI_OCTETS), (SL, SL_OCTETS)])
    def test_their_octets(self, document: str, octets: bytes) -> None:
        assert wbxml.encode(document) == octets
        assert wbxml.encode(wbxml.decode(octets)) == octets

    def test_everything_has_its_token(self) -> None:
        for doctype in (document_types.SI, document_types.SL):
            for tag in doctype.tags:
                assert f"<{tag}/>" in wbxml.decode(wbxml.encode(f"<{doctype.root}><{tag}/></{doctype.root}>"))
            for name, prefix in doctype.starts:
                value = "2026-11-30T08:00:00Z" if name in doctype.dates else prefix
                document = f'<{doctype.root} {name}="{value}"/>'
                octets = wbxml.encode(document)
                assert octets[3] == 0, "no literal"
                assert wbxml.decode(octets).endswith(document)

    def test_a_dollar_is_one(self) -> None:
        assert "<indication>$5 $(x)</indication>" in wbxml.decode(
            wbxml.encode("<si><indication>$5 $(x)</indication></si>")
        )

    @pytest.mark.parametrize("date", ["", "1999-06-25", "1999-06-25 15:23:15Z", "1999-06-25T15:23:15+00:00"])
    def test_what_is_no_date(self, date: str) -> None:
        with pytest.raises(wbxml.WBXMLError, match="no date"):
            wbxml.encode(f'<si><indication created="{date}"/></si>')

    @pytest.mark.parametrize(
        "octets", [b"\x00", b"\x01\x2a", b"\x08\x19\x99\x06\x25\x15\x23\x15\x00", b"\x04\x19\x99\x06\x25\x85"]
    )
    def test_octets_that_are_no_date(self, octets: bytes) -> None:
        body = b"\x01\x05\x6a\x00\x45\x86\x0a\xc3" + octets + b"\x01\x01"
        with pytest.raises(wbxml.WBXMLError, match="no date"):
            wbxml.decode(body)

    @oracles.needs_libwbxml
    def test_libwbxml_reads_them(self) -> None:
        for document in (SI, SL):
            theirs = oracles.libwbxml_decode(wbxml.encode(document))
            assert theirs is not None
            ours = wbxml.decode(wbxml.encode(document))
            assert re.sub(r"\s", "", theirs.decode()) == re.sub(r"\s", "", ours)

    @oracles.needs_kannel
    def test_kannel_compiles_alike(self) -> None:
        for document, program in ((SI, "test_si"), (SL, "test_sl")):
            theirs = oracles.kannel_service(document.encode(), program)
            assert theirs is not None
            assert wbxml.decode(theirs) == wbxml.decode(wbxml.encode(document))
            assert len(wbxml.encode(document)) <= len(theirs)


def test_errors_name_the_octet() -> None:
    with pytest.raises(wbxml.WBXMLError) as caught:
        wbxml.decode(b"\x01\x04\x6a\x00\x7f\x03ab\0\x3a\x01")
    assert caught.value.offset == 10
    assert str(caught.value) == "octet 10: unknown tag 0x3a"
