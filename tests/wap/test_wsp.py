"""Tests of `gateway.wap.wsp`: packets of real phones, round trips, tables against tshark's, and hostile octets."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wap import wsp
from gateway.wap.wsp import assigned, assigned_media_types, capabilities, header_parameters, octets
from gateway.wap.wsp.assigned import Capability
from gateway.wap.wsp.capabilities import Terms, negotiate, read_capabilities, write_capabilities
from gateway.wap.wsp.headers import field, read_headers, write_headers
from gateway.wap.wsp.octets import Cursor, WSPError, uintvar
from tests.wap import oracles, packets


class TestPhones:
    def test_the_packet_of_a_nokia_7110_is_read_and_written_octet_by_octet(self) -> None:
        transaction, pdu = wsp.read_unit(packets.NOKIA_7110_GET)
        assert transaction == 1
        assert isinstance(pdu, wsp.Method)
        assert (pdu.name, pdu.url) == ("GET", "http://wap.billy.wales/m.wml")
        assert field(pdu.headers, "accept") == (
            "application/vnd.wap.wmlc, application/vnd.wap.wmlscriptc, image/vnd.wap.wbmp, "
            "application/vnd.wap.wtls-ca-certificate, text/plain"
        )
        assert field(pdu.headers, "accept-charset") == "iso-8859-1, utf-8;q=0.8, iso-10646-ucs-2;q=0.6"
        assert field(pdu.headers, "accept-language") == "en"
        assert field(pdu.headers, "user-agent") == "Nokia7110/1.0 (04.94)"
        assert field(pdu.headers, "x-wap.tod") == "Thu, 01 Jan 1970 00:00:00 GMT"
        assert wsp.write_unit(1, pdu) == packets.NOKIA_7110_GET

    def test_the_connect_of_a_motorola_mxp600_is_read_with_its_own_code_page(self) -> None:
        assert (len(packets.MXP600_CONNECT), len(packets.MXP600_HEADERS)) == (394, 356)
        pdu = wsp.read_pdu(packets.MXP600_CONNECT[4:])
        assert isinstance(pdu, wsp.Connect)
        assert pdu.capabilities[:3] == ((0, b"\x94\x80\0"), (1, b"\x94\x80\0"), (2, b"\xf0"))
        assert field(pdu.headers, "cache-control") == "no-cache"
        assert field(pdu.headers, "referer") == "http://wap.example.net/start.wml"
        assert field(pdu.headers, "encoding-version") == "1.3"
        assert field(pdu.headers, "accept-charset") == "utf-8, iso-8859-1"
        assert {name for name, _ in pdu.headers} == {
            *(
                "Accept",
                "Accept-Language",
                "Accept-Charset",
                "Cache-Control",
                "Encoding-Version",
                "User-Agent",
            ),
            *("Referer", "x-filler"),
        }
        terms, answers = negotiate(pdu.capabilities, Terms(0, 65_536, capabilities.RESUME, 4))
        assert terms == Terms(327_680, 65_536, capabilities.RESUME, 4)
        assert answers[-1] == (Capability.HEADER_CODE_PAGES, b"")

    def test_headers_without_a_value_and_a_nul_too_many_do_no_harm(self) -> None:
        sx1, s35 = wsp.read_pdu(packets.SIEMENS_SX1_GET), wsp.read_pdu(packets.SIEMENS_S35_GET)
        assert isinstance(sx1, wsp.Method)
        assert isinstance(s35, wsp.Method)
        assert sx1.headers == (("Accept", "application/vnd.wap.wmlc"), ("User-Agent", "SIE-SX1/1.0"))
        assert s35.headers[-1] == ("Accept-Language", "en")

    def test_a_url_is_whatever_a_phone_sends(self) -> None:
        pdu = wsp.read_pdu(packets.TIMEPORT_GET)
        assert isinstance(pdu, wsp.Method)
        assert pdu.url == "DEVICE:home"

    def test_the_303_after_signing_in(self) -> None:
        reply = wsp.Reply(
            303, "text/plain", (("Location", "http://m.example.org/~abc/"), ("Cache-Control", "no-store"))
        )
        assert wsp.write_pdu(reply) == b"\x04\x33\x1f\x83\x9chttp://m.example.org/~abc/\0\x88\x81"
        assert wsp.read_pdu(wsp.write_pdu(reply)) == reply


PDUS = (
    wsp.Connect(((0, b"\x8a\x78"), ("x-own", b"1")), (("Accept", "image/vnd.wap.wbmp"),)),
    wsp.ConnectReply(0x1FFFFF, ((0, b"\x8a\x78"),), (("Encoding-Version", "1.3"),)),
    wsp.Redirect((wsp.RedirectAddress(b"\x7f\0\0\1", 49152), wsp.RedirectAddress(b"\x7f\0\0\2", None, 10)), True),
    wsp.Disconnect(7),
    wsp.Suspend(129),
    wsp.Resume(3, (("User-Agent", "x"),)),
    wsp.Method("GET", "http://a/", (("Accept-Language", "de;q=0.5"),)),
    wsp.Method("HEAD", "/"),
    wsp.Method("OPTIONS", "*"),
    wsp.Method("DELETE", "/a"),
    wsp.Method("TRACE", "/"),
    wsp.Method("POST", "http://a/b", (("Referer", "http://a/"),), "text/plain; charset=utf-8", b"a=b"),
    wsp.Method("PUT", "/", (), "text/plain", b"\0\xff"),
    wsp.Reply(404, "application/vnd.wap.wmlc", (("Content-Length", "300"),), b"\1\4"),
    wsp.Push("application/vnd.wap.sic", (("X-Wap-Application-Id", "2"),), b"x"),
    wsp.Push("application/vnd.wap.slc", (), b"x", confirmed=True),
)  # fmt: skip


def _offset_of_error(octets: bytes) -> int:
    """Return where an error is seen, 0 if there is none."""
    try:
        wsp.read_pdu(octets)
    except WSPError as error:
        return error.offset
    return 0


class TestPdus:
    @pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: type(pdu).__name__)
    def test_what_is_written_is_read_again(self, pdu: wsp.WspPdu) -> None:
        version = (1, 3)
        assert wsp.read_pdu(wsp.write_pdu(pdu, version)) == pdu
        assert wsp.read_unit(wsp.write_unit(200, pdu, version)) == (200, pdu)

    def test_the_capabilities_of_the_standard(self) -> None:
        octet = wsp.write_pdu(wsp.Connect(((Capability.CLIENT_SDU, uintvar(1350)),)))
        assert octet == b"\x01\x10\x04\x00\x03\x80\x8a\x46"

    @pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: type(pdu).__name__)
    def test_a_cut_pdu_is_an_error_with_its_offset_or_a_shorter_one(self, pdu: wsp.WspPdu) -> None:
        whole = wsp.write_pdu(pdu)
        offsets = [_offset_of_error(whole[:length]) for length in range(len(whole))]
        assert all(0 <= offset <= length for length, offset in enumerate(offsets))
        with pytest.raises(WSPError):
            wsp.read_pdu(b"")

    @pytest.mark.parametrize(
        ("hostile", "said"),
        [
            (b"\x40\xff\xff\xff\xff\xff\x00", "octet 6: an integer has no end"),
            (b"\x40\x9f\xff\xff\xff\x7f", "octet 6: an integer has more than 32 bits"),
            (b"\x40\x8f\xff\xff\xff\x7fhttp", "octet 6: 4294967295 octets are announced, 4 are there"),
            (b"\x60\x01\x05/\x92", "octet 4: 5 octets are announced, 1 are there"),
            (b"\x40\x01/\xa9Nokia", "octet 4: a text has no end"),
            (b"\x40\x01/\x80\x1f\x85a", "octet 7: 737 octets are announced, 0 are there"),
            (b"\x01\x10\x02\x00\x05\x80", "octet 5: 5 octets are announced, 1 are there"),
            (b"\x99", "octet 0: PDU type 0x99 is not known"),
            (b"\x40\x01/" + b"\x80\x80" * 201, "octet 404: more than 200 headers"),
        ],
    )
    def test_malformed_octets_are_named(self, hostile: bytes, said: str) -> None:
        with pytest.raises(WSPError) as caught:
            wsp.read_pdu(hostile)
        assert str(caught.value) == said

    def test_an_offset_of_a_unit_counts_its_transaction_id(self) -> None:
        with pytest.raises(WSPError, match="octet 1: PDU type"):
            wsp.read_unit(b"\0\x99")
        with pytest.raises(WSPError, match="octet 1: it ends too early"):
            wsp.read_unit(b"\0")

    @given(st.sampled_from(PDUS), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4))
    def test_mutations_are_read_or_refused(self, pdu: wsp.WspPdu, changes: list[tuple[int, int]]) -> None:
        mutated = bytearray(wsp.write_pdu(pdu))
        for at, value in changes:
            mutated[at % len(mutated)] = value
        try:
            read = wsp.read_pdu(bytes(mutated))
        except WSPError:
            return
        for _, value in getattr(read, "headers", ()):
            assert "\r" not in value
            assert "\n" not in value

    @given(st.binary(max_size=80))
    def test_any_octets_are_read_or_refused(self, noise: bytes) -> None:
        for head in (b"", b"\x01\x10", b"\x40\x00", b"\x60\x00", b"\x04\x20", b"\x09\x01"):
            try:
                read = wsp.read_pdu(head + noise)
            except WSPError:
                continue
            assert not any("\r" in value or "\n" in value for _, value in getattr(read, "headers", ()))


#: Octets of headers and what they would be in HTTP.
READ = (
    (b"\x80\x80", "Accept", "*/*"),
    (b"\x80\x03\x94\x80\x51", "Accept", "application/vnd.wap.wmlc; q=0.8"),
    (b"\x80\x06\x83\x81\x84\x80\x83\x31", "Accept", "text/plain; charset=iso-8859-1; q=0.333"),
    (b"\x80image/x-own\0", "Accept", "image/x-own"),
    (b"\x81\x80", "Accept-Charset", "*"),
    (b"\x81\x02\x80\x01", "Accept-Charset", "*;q=0"),
    (b"\x81utf-8\0", "Accept-Charset", "utf-8"),
    (b"\x81\x03\x02\x03\xe8", "Accept-Charset", "iso-10646-ucs-2"),
    (b"\x83\x01\x88", "Accept-Language", "yi"),
    (b"\x83\x02\x96\x83", "Accept-Language", None),
    (b"\x83\x03\x96\x83\x31", "Accept-Language", "de;q=0.333"),
    (b"\x83de-AT\0", "Accept-Language", "de-AT"),
    (b"\x87\x0a\x80alice\0pw\0", "Authorization", "Basic YWxpY2U6cHc="),
    (b"\x88\x80", "Cache-Control", "no-cache"),
    (b"\x88\x02\x82\x80", "Cache-Control", "max-age=0"),
    (b"\x88\x04\x82\x02\x0e\x10", "Cache-Control", "max-age=3600"),
    (b"\x88\x02\x80\xaa", "Cache-Control", 'no-cache="Vary"'),
    (b"\xbd\x81", "Cache-Control", "no-store"),
    (b"\xc7\x81", "Cache-Control", "no-store"),
    (b"\x8d\x02\x05\x78", "Content-Length", "1400"),
    (b"\x8d\xe4", "Content-Length", "100"),
    (b"\x92\x04\x36\x9a\x26\x4f", "Date", "Mon, 11 Jan 1999 16:26:55 GMT"),
    (b"\x97\x1e" + b"\xff" * 30, "If-Modified-Since", None),
    (b"\x9c\x7f\xe4\0", "Location", "\xe4"),
    (b"\xa3\x03\x80\x05\x09", "Range", "bytes=5-9"),
    (b"\xa3\x02\x81\x05", "Range", "bytes=-5"),
    (b"\xa5\x02\x81\x9e", "Retry-After", "30"),
    (b"\xae\x0b\x81\x86file.vcf\0", "Content-Disposition", "attachment; filename=file.vcf"),
    (b"\xc5\x0b\x81\x98file.vcf\0", "Content-Disposition", "attachment; filename=file.vcf"),
    (b"\xc3\x94", "Encoding-Version", "1.4"),
    (b"\xc3\x9f", "Encoding-Version", "1"),
    (b"\xc3\x02\x90\x92", "Encoding-Version", "10 1.2"),
    (b"\xc2\x08\x90\x06abc\0d\0", "Cookie", "abc=d"),
    (b"\xbf\x80", "X-Wap-Tod", "Thu, 01 Jan 1970 00:00:00 GMT"),
    (b"X-Own\0value\0", "X-Own", "value"),
    (b"X-Own\0\x02ab", "X-Own", None),
    (b"\xff\x80", "", None),
    (b"\x1f\x81\x82", "", None),
)


class TestHeaders:
    @pytest.mark.parametrize(("octets", "name", "value"), READ)
    def test_a_header_is_read(self, octets: bytes, name: str, value: str | None) -> None:
        after = b"\x83\x99"
        found = read_headers(octets + (b"\x01" if octets[0] == 0x1F else b"") + after)
        assert found == (((name, value),) if value is not None else ()) + (("Accept-Language", "en"),)

    @pytest.mark.parametrize(
        ("name", "value", "version", "written"),
        [
            ("Cache-Control", "no-cache, max-age=60", (1, 2), b"\x88\x80\x88\x02\x82\xbc"),
            ("Cache-Control", "no-store", (1, 3), b"\xbd\x81"),
            ("Cache-Control", "no-store", (1, 4), b"\xc7\x81"),
            ("Encoding-Version", "1.4", (1, 2), b"Encoding-Version\x001.4\0"),
            ("Encoding-Version", "1.4", (1, 3), b"\xc3\x94"),
            (
                "X-Wap-Tod",
                "Mon, 11 Jan 1999 16:26:55 GMT",
                (1, 2),
                b"X-Wap-Tod\0Mon, 11 Jan 1999 16:26:55 GMT\0",
            ),
            ("X-Wap-Tod", "Mon, 11 Jan 1999 16:26:55 GMT", (1, 3), b"\xbf\x04\x36\x9a\x26\x4f"),
            ("X-WAP.TOD", "Mon, 11 Jan 1999 16:26:55 GMT", (1, 2), b"X-WAP.TOD\0\x04\x36\x9a\x26\x4f"),
            ("Vary", "Accept, X-Own", (1, 2), b"\xaa\x80\xaaX-Own\0"),
            ("Content-Disposition", 'attachment; filename="a b.vcf"', (1, 2), b"\xae\x0a\x81\x86a b.vcf\0"),
            ("Content-Disposition", 'attachment; filename="a b.vcf"', (1, 4), b"\xc5\x0a\x81\x98a b.vcf\0"),
            ("Expires", "never", (1, 2), b"Expires\0never\0"),
            ("Set-Cookie", "a=b", (1, 4), b"Set-Cookie\0a=b\0"),
            ("Retry-After", "30", (1, 2), b"\xa5\x02\x81\x9e"),
            ("Allow", "GET, POST", (1, 2), b"\x86\xc0\x86\xe0"),
            (
                "Accept-Charset",
                "utf-8;q=0.8, *;q=0.1, x-own",
                (1, 2),
                b"\x81\x02\xea\x51\x81\x02\x80\x0b\x81x-own\0",
            ),
        ],
    )
    def test_a_header_is_written(
        self, name: str, value: str, version: tuple[int, int], written: bytes
    ) -> None:
        assert write_headers(((name, value),), version) == written

    @given(
        st.sampled_from([
            ("Accept", "text/plain; charset=utf-8; q=0.5"),
            ("Accept", "application/x-own; level=1"),
            ("Accept-Charset", "windows-1252;q=0.25"),
            ("Accept-Language", "pl;q=0.1"),
            ("Content-Language", "kl"),
            ("Cache-Control", "max-age=31536000"),
            ("Date", "Mon, 02 Nov 2026 10:00:00 GMT"),
            ("Content-Length", "123456789"),
            ("Location", "http://example.org/?a=b&c=%20"),
            ("Retry-After", "120"),
            ("Connection", "close"),
            ("Server", "x"),
        ]),
        st.sampled_from([(1, 1), (1, 2), (1, 3), (1, 4)]),
    )  # fmt: skip
    def test_what_is_written_is_read_again(self, header: tuple[str, str], version: tuple[int, int]) -> None:
        assert read_headers(write_headers((header,), version)) == (header,)

    @given(st.floats(0, 1).map(lambda q: f"{q:.3f}".rstrip("0").rstrip(".")))
    def test_quality_factors(self, q: str) -> None:
        written = header_parameters.q_value(q)
        assert (header_parameters.q_text(Cursor(written).uintvar()) if written else "1") == q

    def test_a_charset_of_the_body_is_understood(self) -> None:
        for kind_octets, charset in (
            (b"\x03\x92\x81\xea", "utf-8"),
            (b"\x03\x92\x81\x84", "iso-8859-1"),
            (b"\x05\x92\x81\x02\x03\xe8", "iso-10646-ucs-2"),
            (b"\x09\x92charset\0", None),
            (b"\x0e\x92\x81windows-1252", None),
            (b"\x0f\x92\x81windows-1252\0", "windows-1252"),
        ):
            pdu = b"\x60\x01" + bytes((len(kind_octets),)) + b"/" + kind_octets + b"a=b"
            try:
                read = wsp.read_pdu(pdu)
            except WSPError:
                assert charset is None
                continue
            assert isinstance(read, wsp.Method)
            assert read.body == b"a=b"
            kind = "application/x-www-form-urlencoded"
            assert read.content_type == (f"{kind}; charset={charset}" if charset else f"{kind}; charset")


class TestCapabilities:
    SUPPORTED = Terms(0, 65_536, capabilities.RESUME, 4, 1)

    @pytest.mark.parametrize(
        ("sdu", "answered"), [(0, 0), (3, 3), (256, 256), (1400, 1400), (1 << 20, 1 << 20)]
    )
    def test_a_client_s_sdu_is_never_raised(self, sdu: int, answered: int) -> None:
        terms, answers = negotiate(((Capability.CLIENT_SDU, uintvar(sdu)),), self.SUPPORTED)
        assert terms.client_sdu == answered
        assert answers == ((Capability.CLIENT_SDU, uintvar(answered)),)

    def test_nothing_is_answered_that_was_not_offered(self) -> None:
        assert negotiate((), self.SUPPORTED) == (Terms(), ())
        terms, answers = negotiate(
            ((Capability.PROTOCOL_OPTIONS, b"\xf8\xff"), (Capability.METHOD_MOR, b"\x09")), self.SUPPORTED
        )
        assert answers == ((Capability.PROTOCOL_OPTIONS, b"\x20"), (Capability.METHOD_MOR, b"\x04"))
        assert terms.can_resume

    def test_what_is_not_supported_is_refused_politely(self) -> None:
        proposals = read_capabilities(
            b"\x09\x86\x10x-up-1\0"
            + b"\x07\x85\x50MKCOL\0"[:8]
            + b"\x04\x87\x01\x02\x03"
            + b"\x03ab\0"
            + b"\x02\xfe\x01"
        )
        terms, answers = negotiate(proposals, self.SUPPORTED)
        assert terms == Terms()
        assert answers == (
            (Capability.HEADER_CODE_PAGES, b""), (Capability.EXTENDED_METHODS, b""), ("ab", b""), (0x7E, b""),
        )  # fmt: skip
        assert write_capabilities(answers) == b"\x01\x86\x01\x85\x03ab\0\x01\xfe"

    def test_an_identifier_of_several_octets_is_refused_as_it_came(self) -> None:
        """Found by fuzzing."""
        proposals = read_capabilities(b"\x04\x02\x12\x34x\x02\x85\1")
        assert proposals == ((0x1234, b"x"), (5, b"\1"))
        _, answers = negotiate(proposals, self.SUPPORTED)
        assert write_capabilities(answers) == b"\x03\x02\x12\x34\x01\x85"

    def test_of_several_the_first_holds(self) -> None:
        terms, answers = negotiate(((0, uintvar(900)), (0, uintvar(500))), self.SUPPORTED)
        assert (terms.client_sdu, len(answers)) == (900, 1)

    @pytest.mark.parametrize("octets", [b"", b"\xff", b"\xff\xff\xff\xff\xff\xff"])
    def test_a_size_that_says_nothing_is_none(self, octets: bytes) -> None:
        assert negotiate(((Capability.CLIENT_SDU, octets),), self.SUPPORTED) == (Terms(), ())


def _tshark_values(name: str) -> Iterator[tuple[int, str]]:
    command = [oracles.TSHARK or "tshark", "-G", "values"]
    listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    for number, text in re.findall(rf"^V\t{re.escape(name)}\t(\w+)\t(.*)$", listed, re.M):
        yield int(number, 0), text


@oracles.needs_tshark
class TestTables:
    def test_header_names_are_those_of_tshark(self) -> None:
        known = assigned.HEADER_NAMES
        theirs = [row for row in _tshark_values("wsp.header.name_value") if "x-up-" not in row[1].lower()]
        assert {number for number, _ in theirs} >= known.keys()
        for number, text in theirs:
            if number in known:  # it knows later ones, too
                assert text.partition(" (")[0].lower() == known[number].lower(), hex(number)

    def test_statuses_are_those_of_tshark(self) -> None:
        theirs = {
            octet: int(text[:3]) for octet, text in _tshark_values("wsp.reply.status") if text[:3].isdigit()
        }
        assert len(theirs) > 35
        for octet, status in theirs.items():
            assert assigned.http_status(octet) == status
            assert assigned.status_octet(status) == octet

    def test_pdu_types_are_those_of_tshark(self) -> None:
        theirs = {
            number: text.upper().replace("CONNECTREPLY", "CONNECT_REPLY")
            for number, text in _tshark_values("wsp.pdu_type")
        }
        for kind in assigned.WspPduType:
            assert theirs[kind].replace("CONFIRMEDPUSH", "CONFIRMED_PUSH") == kind.name

    def test_media_types_and_languages_are_those_of_tshark(self) -> None:
        headers = b"".join(
            bytes((0x80, 0x80 | number)) for number in range(len(assigned_media_types.MEDIA_TYPES))
        )
        languages = {code: number for code, number in assigned.LANGUAGES.items() if number < 0x80}
        headers += b"".join(bytes((0x83, 0x80 | number)) for number in languages.values())
        tree = oracles.tshark_datagrams([b"\x01\x40\x01/" + headers], 9200, "wsp")
        told = re.findall(r"Accept: (.*)", tree)
        assert [(at, name.lower()) for at, name in enumerate(told) if "channel" not in name] == [
            (at, name.lower())
            for at, name in enumerate(assigned_media_types.MEDIA_TYPES)
            if at not in (0x0A, 0x16)  # tshark has their names of WAP 1.1
        ]
        spoken = re.findall(r"Accept-Language: .*\(?\b([a-z]{2})\)?$", tree, re.M)
        assert len(spoken) in (0, len(languages))


def test_integers_of_the_standard() -> None:
    assert uintvar(0x87A5) == b"\x82\x8f\x25"
    assert Cursor(b"\x82\x8f\x25").uintvar() == 0x87A5
    assert octets.integer(127) == b"\xff"
    assert octets.integer(128) == b"\x01\x80"
    assert octets.value_length(b"x" * 31)[:2] == b"\x1f\x1f"
    with pytest.raises(ValueError, match="no unsigned integer"):
        uintvar(1 << 32)
