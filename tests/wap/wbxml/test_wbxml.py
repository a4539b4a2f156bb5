"""Tests of `gateway.wap.wbxml`: round trips, other programs' opinion, hostile octets, and sizes known beforehand."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway import cli
from gateway.wap import wbxml
from gateway.wap.wbxml import decoder, encoder, tokens, wml_parser
from tests import bounded
from tests.fuzz import wbxml as fuzz
from tests.wap import oracles
from tests.wap.wbxml.decks import DECKS, ELEMENTS, FULL, HEAD, canonical, deck


class TestEncode:
    def test_the_example_of_the_standard(self) -> None:
        """WAP-191 §14.4, except for its string table, which would make it larger."""
        example = """<wml><card id="abc" ordered="true"><p><do type="accept"><go href="http://xyz.org/s"/></do>
        X: $(X)<br/>Y: $(&#x59;)<br/>Enter name: <input type="text" name="N"/></p></card></wml>"""
        expected = (
            b"\x01\x04\x6a\x00\x7f\xe7\x55\x03abc\0\x33\x01\x60\xe8\x38\x01\xab\x4b\x03xyz\0\x88\x03s\0\x01\x01"
            b"\x03X: \0\x42X\0\x26\x03Y: \0\x42Y\0\x26\x03Enter name:\0\xaf\x48\x21\x03N\0\x01\x01\x01\x01"
        )
        assert wbxml.encode(example) == expected

    @pytest.mark.parametrize(("version", "number"), [("1.1", 4), ("1.2", 9), ("1.3", 10), ("9.9", 4)])
    def test_a_deck_begins_with_the_header_of_its_version(self, version: str, number: int) -> None:
        assert wbxml.encode(deck("", version))[:4] == bytes([1, number, 106, 0])

    @pytest.mark.parametrize(
        ("markup", "octets"),
        [
            ("<p> \n </p>", b"\x20"),
            ("<p> a \n b </p>", b"\x60\x03a b\0\x01"),
            ("<p>a <b>b</b> c</p>", b"\x60\x03a \0\x64\x03b\0\x01\x03 c\0\x01"),
            ("<p>a <br/> b</p>", b"\x60\x03a\0\x26\x03b\0\x01"),
            ("<p>5 $$ &#36;$</p>", b"\x60\x035 $ $\0\x01"),
            ("<p>$v.$(w:unesc)</p>", b"\x60\x42v\0\x03.\0\x41w\0\x01"),
            ('<a href="$(v)$(w:noesc)"/>', b"\x9c\x4a\x40v\0\x42w\0\x01"),
            ('<p title="$(v)"/>', b"\xa0\x36\x42v\0\x01"),
            ('<do type="accept"/>', b"\xa8\x38\x01"),
            ('<do type="vnd.x"/>', b"\xa8\x49\x03x\0\x01"),
            ('<a href="http://www.a.com/b"/>', b"\x9c\x4b\xa1\x03a\0\x85\x03b\0\x01"),
            ('<p title="http://www.a"/>', b"\xa0\x36\x8f\x03a\0\x01"),
            ('<setvar name="a" value=""/>', b"\xbe\x21\x03a\0\x4d\x01"),
            ("<p>\u20ac&#x1F642;</p>", b"\x60\x03\xe2\x82\xac\xf0\x9f\x99\x82\0\x01"),
            ("<pre> a\n b </pre>", b"\x5b\x03 a\n b \0\x01"),
            ("<p><!-- c --><?pi?><![CDATA[<x>]]></p>", b"\x60\x03<x>\0\x01"),
            ("<p>&nbsp;&shy;</p>", b"\x60\x03\xc2\xa0\xc2\xad\0\x01"),
        ],
    )
    def test_markup_becomes_these_octets(self, markup: str, octets: bytes) -> None:
        assert wbxml.encode(deck(markup)) == b"\x01\x04\x6a\x00\x7f\x67" + octets + b"\x01\x01"

    def test_unknown_names_are_literals(self) -> None:
        octets = wbxml.encode(deck('<blink on="1">x</blink><blink/>'))
        assert octets[3:] == b"\x09blink\0on\0\x7f\x67\xc4\x00\x04\x06\x031\0\x01\x03x\0\x01\x04\x00\x01\x01"

    def test_what_repeats_is_said_once(self) -> None:
        octets = wbxml.encode(deck("<p>the same text</p>" * 3 + '<p title="the same text"/>'))
        assert octets.count(b"the same text") == 1
        assert b"\x0ethe same text\0" in octets
        assert wbxml.encode(deck("<p>a</p><p>a</p>"))[3] == 0

    @given(ELEMENTS)
    @settings(deadline=None)
    def test_a_table_never_costs(self, blocks: list[str]) -> None:
        wml = "".join(blocks).replace("unheard", "p").replace("of>", "b>").replace("zzz", "alt")
        compiler = encoder.Compiler()
        wml_parser.read(deck(wml), compiler)
        assert not compiler.body.names
        bare = len(b"\0" + b"".join(compiler.body.pieces))
        assert len(compiler.body.with_wholes(True)) <= bare

    def test_a_deck_in_any_encoding_is_the_same(self) -> None:
        body = "<wml><card><p>caf\u00e9</p></card></wml>"
        expected = wbxml.encode(body)
        assert wbxml.encode(body.encode()) == expected
        assert (
            wbxml.encode(('<?xml version="1.0" encoding="iso-8859-1"?>' + body).encode("latin-1")) == expected
        )
        assert wbxml.encode(('<?xml version="1.0" encoding="utf-16"?>' + body).encode("utf-16")) == expected
        assert wbxml.encode('<?xml version="1.0" encoding="iso-8859-1"?>' + body) == expected

    @pytest.mark.parametrize(
        ("wml", "line"),
        [
            ("", 1),
            ("<wml>\n<card></wml>", 2),
            ("<wml>\n\n<p>$ 5</p></wml>", 3),
            ("<wml><p>$(a</p></wml>", 1),
            ("<wml><p>$(a:wrong)</p></wml>", 1),
            ('<wml><p title="\n$1"/></wml>', 2),
            ("<wml>&unheard;</wml>", 1),
            ('<wml><p title="&unheard;"/></wml>', 1),
            (HEAD % "1.1" + "<wml>&unheard;</wml>", 3),
            ('<?xml version="1.0"?>\n<!DOCTYPE wml [<!ENTITY a "b">]><wml>&a;</wml>', 2),
            ('<!DOCTYPE wml [<!ATTLIST p a CDATA "b">]><wml/>', 1),
            ("<wml>\0</wml>", 1),
            ("<wml/><wml/>", 1),
            ("<a>" * 300 + "</a>" * 300, 1),
            ('<?xml version="1.0" encoding="x-unheard"?><wml/>', 1),
        ],
    )
    def test_what_is_wrong_has_a_line(self, wml: str, line: int) -> None:
        with pytest.raises(wbxml.WBXMLError) as caught:
            wbxml.encode(wml.encode())
        assert caught.value.line == line
        assert str(caught.value).startswith(f"line {line}: ")

    def test_lone_surrogates(self) -> None:
        with pytest.raises(wbxml.WBXMLError):
            wbxml.encode("<wml>\ud800</wml>")

    def test_entities_are_never_fetched(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("<!ENTITY nbsp 'secret'>")
        octets = wbxml.encode(f'<!DOCTYPE wml SYSTEM "{secret.as_uri()}"><wml><p>&nbsp;</p></wml>')
        assert b"secret" not in octets
        assert "\u00a0".encode() in octets

    @given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
    def test_what_cannot_be_compiled_raises_one_error(self, wml: str | bytes) -> None:
        try:
            octets = wbxml.encode(wml)
        except wbxml.WBXMLError:
            return
        assert wbxml.decode(octets)


class TestRoundTrip:
    def test_the_whole_language(self) -> None:
        octets = wbxml.encode(FULL)
        assert canonical(wbxml.decode(octets)) == canonical(FULL)
        assert wbxml.encode(wbxml.decode(octets)) == octets

    @given(DECKS)
    @settings(deadline=None, max_examples=150)
    def test_a_deck_survives_compiling(self, wml: str) -> None:
        octets = wbxml.encode(wml)
        assert canonical(wbxml.decode(octets)) == canonical(wml)

    def test_every_token(self) -> None:
        for tag in tokens.TAGS:
            assert f"<{tag}/>" in wbxml.decode(wbxml.encode(deck(f"<{tag}/>")))
        for name, prefix in tokens.ATTRIBUTE_STARTS:
            octets = wbxml.encode(deck(f"<p {name}={quoteattr(prefix)}/>"))
            assert f"<p {name}={quoteattr(prefix)}/>" in wbxml.decode(octets)
            assert octets[3] == 0, "no literal"
        for value in tokens.ATTRIBUTE_VALUES:
            octets = wbxml.encode(deck(f'<p title="{value}"/>'))
            assert octets[6:] == bytes([0xA0, 0x36, tokens.ATTRIBUTE_VALUES[value], 1, 1, 1])
            assert f'<p title="{value}"/>' in wbxml.decode(octets)


def _decode_and_encode_bombs() -> None:
    long = b"x" * 400_000 + b"\0"
    table = bytes([0x98, 0xB5, 0x01]) + long
    names = b"".join(
        bytes([0x04, 0x80 | n >> 14 & 127, 0x80 | n >> 7 & 127, n & 127]) for n in range(100_000)
    )
    for body in (
        b"\x7f" + b"\x83\x00" * 100_000 + b"\x01",
        b"\xbf\x36" + b"\x83\x00" * 100_000 + b"\x01",
        b"\xbf" + names + b"\x01",
        b"\x7f" + names + b"\x01",
    ):
        with pytest.raises(wbxml.WBXMLError, match="characters"):
            wbxml.decode(b"\x01\x04\x6a" + table + body)
    for wml in (
        "<p>" + "<b>" * 200 + "x " * 500_000,
        "<p>" + "$$" * 500_000 + "</p>",
        "<p " + "a " * 300_000,
    ):
        with suppress(wbxml.WBXMLError):
            wbxml.encode(wml)


class TestDecode:
    @pytest.mark.parametrize(
        ("octets", "wml"),
        [
            (b"\x03\x0a\x6a\x00\x7f\x60\x03\xc3\xa9\0\x01\x01", "<wml><p>é</p></wml>"),
            (b"\x01\x04\x04\x00\x7f\x60\x03\xe9\0\x01\x01", "<wml><p>é</p></wml>"),
            (b"\x01\x04\x03\x00\x7f\x60\x03e\0\x02\x81\x69\x01\x01", "<wml><p>eé</p></wml>"),
            (b"\x01\x04\x87\x68\x00\x7f\x60\x03\x00\xe9\x01\x00\0\0\x01\x01", "<wml><p>éĀ</p></wml>"),
            (b"\x00\x04\x00\x7f\x60\x03e\0\x01\x01", "<wml><p>e</p></wml>"),
            (b"\x01\x01\x6a\x00\x3f", "<wml/>"),
            (b"\x01\x04\x6a\x02p\0\x7f\x44\x00\x03$\0\x01\x01", "<wml><p>$$</p></wml>"),
            (b"\x01\x04\x6a\x02X\0\x7f\x80\x00\x81\x00\x82\x00\x01", "<wml>$(X:escape)$(X:unesc)$(X)</wml>"),
            (b"\x01\x04\x6a\x00\x00\x00\x7f\xc3\x01x\x01", "<wml>x</wml>"),
            (b"\x01\x04\x6a\x00\x43\x21\x03x\0\x01\x3f", "<wml/>"),
            (
                b'\x01\x04\x6a\x02a\0\x7f\xe0\x04\x00\x03<"\n\0\x01\x01\x01',
                '<wml><p a="&lt;&quot;&#10;"></p></wml>',
            ),
        ],
    )
    def test_octets_that_others_write_are_decompiled(self, octets: bytes, wml: str) -> None:
        assert wbxml.decode(octets.replace(b"\0\0\0\x7f", b"\0\x7f")).endswith(wml)

    def test_public_identifier_in_the_table(self) -> None:
        name = b"-//WAPFORUM//DTD WML 1.2//EN\0"
        assert "WML 1.2//EN" in wbxml.decode(b"\x01\x00\x00\x6a" + bytes([len(name)]) + name + b"\x3f")

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"\x01\x04\x6a",
            b"\x10\x04\x6a\x00\x3f",  # WBXML 2.0
            b"\x01\x07\x6a\x00\x05",  # Channel
            b"\x01\x04\x11\x00\x3f",  # Shift_JIS
            b"\x01\x04\x6a\x00\x7f",  # no end
            b"\x01\x04\x6a\x00\x3f\x3f",  # two roots
            b"\x01\x04\x6a\x00\x3a",  # unknown tag
            b"\x01\x04\x6a\x00\xbf\x7f\x01",  # unknown attribute
            b"\x01\x04\x6a\x00\xbf\x36\x92\x01",  # unknown value
            b"\x01\x04\x6a\x00\xbf\x36\x36\x01",  # title twice
            b"\x01\x04\x6a\x00\x7f\x03x",  # string without end
            b"\x01\x04\x6a\x00\x7f\x83\x05\x01",  # reference beyond the table
            b"\x01\x04\x6a\x01x\x7f\x83\x00\x01",  # table without end
            b"\x01\x04\x6a\xff\xff\xff\xff\xff\x7f\x3f",  # integer without end
            b"\x01\x04\x6a\x8f\xff\xff\xff\x7f\x3f",  # table longer than all
            b"\x01\x04\x6a\x00\x7f\x03\xff\0\x01",  # no UTF-8
            b"\x01\x04\x6a\x00\x7f\x03\x07\0\x01",  # not in XML
            b"\x01\x04\x6a\x00\x7f\x02\x00\x01",  # entity 0
            b"\x01\x04\x6a\x00\x7f\x02\x83\xb0\x00\x01",  # a surrogate
            b"\x01\x04\x6a\x00\x7f\x02\x8f\xff\xff\xff\x7f\x01",  # beyond Unicode
            b"\x01\x04\x6a\x00\x7f\x40a b\0\x01",  # no name of a variable
            b"\x01\x04\x6a\x03a>\0\x04\x00",  # no name of an element
            b"\x01\x04\x6a\x00\x7f\x00\x01\x01",  # code page 1
            b"\x01\x04\x6a\x00\x7f\xc0\x01",  # reserved
            b"\x01\x04\x87\x68\x00\x7f\x03\x00e\x00\x01",  # UCS-2 without end
            b"\x01\x04\x6a\x00" + b"\x7f" * 300 + b"\x01" * 300,  # too deep
            b"\x01\x04\x6a\x00\x3f" + b"\0" * (1 << 20),  # too large
        ],
    )
    def test_broken_octets_are_refused(self, octets: bytes) -> None:
        with pytest.raises(wbxml.WBXMLError):
            wbxml.decode(octets)

    @given(
        st.binary(max_size=200),
        st.sampled_from([b"", b"\x01\x04\x6a\x00\x7f", b"\x01\x04\x6a\x06title\0\xff"]),
    )
    @settings(max_examples=400)
    def test_any_octets_are_a_deck_or_refused(self, octets: bytes, start: bytes) -> None:
        self.assert_decodes_or_refuses(start + octets)

    @given(st.data())
    @settings(max_examples=400)
    def test_damaged_decks(self, data: st.DataObject) -> None:
        octets = bytearray(wbxml.encode(FULL))
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(octets) - 1))
            length = data.draw(st.integers(0, 3))
            octets[at : at + length] = data.draw(st.binary(max_size=3))
            assume(octets)
        self.assert_decodes_or_refuses(bytes(octets))

    @staticmethod
    def assert_decodes_or_refuses(octets: bytes) -> None:
        """Either an error of ours, or text that is well-formed and can be compiled."""
        try:
            wml = wbxml.decode(octets)
        except wbxml.WBXMLError:
            return
        wbxml.encode(wml)

    def test_bombs_cost_little(self) -> None:
        """A long string repeated a hundred thousand times, in text, in one attribute and as names."""
        bounded.call(_decode_and_encode_bombs)

    def test_limits_leave_room_for_real_decks(self) -> None:
        assert decoder.INPUT_LIMIT > 357_000


class TestOtherPrograms:
    @oracles.needs_libwbxml
    @given(DECKS)
    @settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
    def test_libwbxml_reads_ours_as_we_do(self, wml: str) -> None:
        octets = wbxml.encode(wml)
        theirs = oracles.libwbxml_decode(octets)
        assert theirs is not None
        # It writes a dollar sign as one, and reformats the text: compare without white space.
        own, other = (
            re.sub(
                r"\s+", "", "".join(etree.fromstring(re.sub("<!DOCTYPE[^>]*>", "", text).encode()).itertext())
            )
            for text in (wbxml.decode(octets), theirs.decode())
        )
        assert re.sub(r"\$\((\w+)\)", r"$(\1:noesc)", own).replace("$$", "$") == other

    @oracles.needs_kannel
    def test_kannel_compiles_alike(self) -> None:
        for wml in (
            FULL,
            deck("<p>a $(b:unesc) $$</p>"),
            deck('<p title="x"><a href="http://a.com/$(b)">x</a></p>'),
        ):
            theirs = oracles.kannel_compile(wml.encode())
            assert theirs is not None
            # Kannel drops `xml:` from names, and white space inside `pre` and beside links.
            text, own = wbxml.decode(theirs), wbxml.decode(wbxml.encode(wml)).replace("xml:", "")
            assert re.sub(r"\s+", "", text) == re.sub(r"\s+", "", own)

    @oracles.needs_tshark
    def test_tshark_knows_all_tokens(self) -> None:
        tree = oracles.tshark_tree(wbxml.encode(FULL))
        assert tree is not None
        shown = re.findall(r"^.*\|.*\|.*\|.*\|(.*)$", tree, re.MULTILINE)[1:]
        text = re.sub(r"\s+", "", "".join(shown))
        assert text.startswith("<wmlxml:lang='en'><head><metahttp-equiv='Cache-Control'content='max-age=0'")
        assert text.endswith("<dotype='help'label='N'><noop/></do></card></wml>")
        assert "nknown" not in tree
        assert "Malformed" not in tree


class TestOracles:
    def test_the_grammar_is_heard(self) -> None:
        assert oracles.dtd_errors(FULL.replace("&nbsp;&shy;", "").encode()) == []
        assert oracles.dtd_errors(deck("<p>x</p>").encode()) == []
        assert oracles.dtd_errors(deck('<p><a href="x" accesskey="1">x</a></p>').encode()) != []
        assert oracles.dtd_errors(deck("x").encode()) != []
        assert oracles.dtd_errors(b"<wml/>") != []
        assert oracles.dtd_errors(b"<wml>") != []

    def test_the_grammar_of_xhtml_is_heard_too(self) -> None:
        page = (
            b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN" "x"><html xmlns="http://www.w3.org/1999/xhtml">'
            b"<head><title>x</title></head><body><p>x</p>%s</body></html>"
        )
        if not Path("/usr/share/xml/w3c-sgml-lib").exists():
            pytest.skip("w3c-sgml-lib is not installed")
        assert oracles.dtd_errors(page % b"") == []
        assert oracles.dtd_errors(page % b"<font/>") != []


class TestFuzzTargets:
    @pytest.mark.parametrize("target", list(fuzz.TARGETS))
    def test_their_samples(self, target: str) -> None:
        samples = list(fuzz.samples(target))
        assert samples
        for sample in samples:
            fuzz.TARGETS[target](sample)
            fuzz.TARGETS[target](sample[:-3])


class TestCommands:
    @staticmethod
    def run(*arguments: str, octets: bytes, fails: int = 0) -> bytes:
        said = CliRunner().invoke(cli.main, ["wbxml", *arguments, "-"], input=octets)
        assert said.exit_code == fails, said.output
        return said.stdout_bytes if not fails else said.stderr_bytes

    def test_there_and_back(self, tmp_path: Path) -> None:
        octets = self.run("encode", octets=FULL.encode())
        assert octets == wbxml.encode(FULL)
        assert self.run("decode", octets=octets).decode() == wbxml.decode(octets) + "\n"
        file = tmp_path / "deck.wml"
        file.write_text(FULL)
        assert CliRunner().invoke(cli.main, ["wbxml", "encode", str(file)]).stdout_bytes == octets

    def test_options(self) -> None:
        octets = self.run("encode", "--version", "1.3", "--charset", "iso-8859-1", octets=deck("é").encode())
        assert octets == wbxml.encode(deck("é"), 4, version="1.3")
        twice = deck('<p title="twice"/>' * 2).encode()
        plain = self.run("encode", "--plain-attributes", octets=twice)
        assert plain == wbxml.encode(twice, attribute_references=False)
        assert plain != self.run("encode", octets=twice)

    def test_what_is_wrong_is_one_sentence(self) -> None:
        assert (
            self.run("encode", octets=b"<wml>\n<p></wml>", fails=1)
            == b"Error: <stdin>: line 2: mismatched tag\n"
        )
        assert (
            self.run("decode", octets=b"\x01\x04\x6a\x00\x7f", fails=1)
            == b"Error: <stdin>: octet 5: cut off\n"
        )
