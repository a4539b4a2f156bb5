"""Independent programs and grammars that judge our WML, XHTML and WBXML.

Nothing here may use a compiler, decoder or validator of ours. If a program is not installed, its function returns None;
mark tests with `needs_kannel`, `needs_libwbxml` or `needs_tshark`, which skip by name.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.servers import NO_CERTIFICATES

_DTD: Final = Path(__file__).resolve().parent.parent / "data" / "dtd"
os.environ["XML_CATALOG_FILES"] = (_DTD / "catalog.xml").as_uri()  # read by libxml2 when it first resolves

from lxml import etree  # noqa: E402

_DTD_BY_PUBLIC_ID: Final = {
    "-//WAPFORUM//DTD WML 1.1//EN": "wml11.dtd",
    "-//WAPFORUM//DTD WML 1.2//EN": "wml12.dtd",
    "-//WAPFORUM//DTD WML 1.3//EN": "wml13.dtd",
    "-//WAPFORUM//DTD XHTML Mobile 1.0//EN": "xhtml-mobile10.dtd",
    "-//WAPFORUM//DTD XHTML Mobile 1.1//EN": "xhtml-mobile10.dtd",
    "-//WAPFORUM//DTD XHTML Mobile 1.2//EN": "xhtml-mobile10.dtd",
    "-//W3C//DTD XHTML Basic 1.0//EN": "REC-xhtml-basic-20001219/xhtml-basic10.dtd",
    "-//W3C//DTD XHTML Basic 1.1//EN": "REC-xhtml-basic-20101123/xhtml-basic11.dtd",
}
#: Debian's package w3c-sgml-lib.
_W3C: Final = Path("/usr/share/xml/w3c-sgml-lib/schema/dtd")
#: Debian's package kannel-extras.
KANNEL: Final = shutil.which("wml_tester", path="/usr/lib/kannel/test")
XML2WBXML: Final = shutil.which("xml2wbxml")
WBXML2XML: Final = shutil.which("wbxml2xml")
TSHARK: Final = shutil.which("tshark")
#: Seconds that any of them may take before it counts as hanging.
_PATIENCE: Final = 60

needs_kannel = pytest.mark.skipif(
    KANNEL is None, reason="wml_tester (package kannel-extras) is not installed"
)
needs_libwbxml = pytest.mark.skipif(
    XML2WBXML is None or WBXML2XML is None,
    reason="xml2wbxml, wbxml2xml (package libwbxml2-utils) are not installed",
)
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")


def _compiled(wml: bytes, command: list[str]) -> bytes | None:
    """Run a compiler whose arguments name {source} and {target}; None if it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "deck.wml"), Path(folder, "deck.wmlc")
        source.write_bytes(wml)
        arguments = [part.format(source=source, target=target) for part in command]
        environment = {**os.environ, **NO_CERTIFICATES}
        done = subprocess.run(arguments, capture_output=True, timeout=_PATIENCE, check=False, env=environment)
        if done.returncode != 0 or not target.exists():
            return None
        return target.read_bytes() or None


def kannel_compile(wml: bytes, charset: str = "") -> bytes | None:
    """Compile a deck with Kannel's compiler, which may be told a charset, as by an HTTP header."""
    told = ["-c", charset] if charset else []
    return _compiled(wml, [KANNEL, "-b", *told, "-f", "{target}", "{source}"]) if KANNEL else None


def kannel_size(wml: bytes, charset: str = "") -> int | None:
    """Return the octets of a deck compiled by Kannel; None if it refuses it or is not installed."""
    octets = kannel_compile(wml, charset)
    return None if octets is None else len(octets)


def kannel_service(document: bytes, program: str) -> bytes | None:
    """Compile a Service Indication (`test_si`) or a Service Loading (`test_sl`) with Kannel."""
    command = [str(Path(KANNEL).with_name(program)), "-f", "{target}", "{source}"] if KANNEL else []
    said = _compiled(document, command) if KANNEL else None
    if said is None:
        return None
    octets = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), said)
    return octets.partition(b"content being\n")[2]


def libwbxml_compile(wml: bytes, *options: str) -> bytes | None:
    """Compile a deck with libwbxml; `-n` is without string table, `-k` keeps white space."""
    return (
        _compiled(wml, [XML2WBXML, *options, "-v", "1.1", "-o", "{target}", "{source}"])
        if XML2WBXML
        else None
    )


def libwbxml_size(wml: bytes) -> int | None:
    """Return the most octets that libwbxml makes of a deck, with or without a string table."""
    sizes = [len(octets) for octets in (libwbxml_compile(wml), libwbxml_compile(wml, "-n")) if octets]
    return max(sizes, default=None)


def libwbxml_decode(octets: bytes) -> bytes | None:
    """Return the canonical XML that libwbxml reads from a compiled deck."""
    return _compiled(octets, [WBXML2XML, "-m", "1", "-o", "{target}", "{source}"]) if WBXML2XML else None


def tshark_tree(octets: bytes) -> str | None:
    """Return how tshark dissects a compiled deck, sent as a connectionless WSP Reply."""
    if TSHARK is None:
        return None
    # TID, Reply, 200, headers of one octet: application/vnd.wap.wmlc
    return tshark_datagrams([bytes([1, 4, 0x20, 1, 0x94]) + octets], 9200, "wbxml")


def tshark_datagrams(datagrams: Sequence[bytes], port: int, *protocols: str, target: int = 40000) -> str:
    """Return how tshark dissects datagrams from one port to another, and what it finds malformed.

    `protocols` are shown with all their fields.
    """
    decoder = f"udp.port=={port},{'wtp' if 'wtp' in protocols else 'wsp'}"
    return tshark(
        [(port, target, datagram) for datagram in datagrams], "-d", decoder, "-O", ",".join(protocols)
    )


def tshark(datagrams: Sequence[tuple[int, int, bytes]], *arguments: str) -> str:
    """Return what tshark says about datagrams, each with its source and target port."""
    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    local = bytes([127, 0, 0, 1])
    for source, target, datagram in datagrams:
        udp = struct.pack(">HHHH", source, target, 8 + len(datagram), 0) + datagram
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + local + local + udp
        capture += struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "deck.pcap").write_bytes(capture)
        command = [TSHARK or "tshark", "-n", "-r", str(Path(folder, "deck.pcap")), *arguments]
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=True)
    return done.stdout.decode("utf-8", "replace")


@cache
def _dtd(name: str) -> etree.DTD:
    own = _DTD / name
    return etree.DTD(str(own if own.exists() else _W3C / name))


def dtd_errors(document: bytes) -> list[str]:
    """Return what the grammar named by the DOCTYPE finds wrong with a WML or XHTML document."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    try:
        tree = etree.fromstring(document, parser).getroottree()
    except etree.XMLSyntaxError as error:
        return [f"not well-formed: {error}"]
    name = _DTD_BY_PUBLIC_ID.get(tree.docinfo.public_id or "")
    if name is None:
        return [f"no grammar for the DOCTYPE {tree.docinfo.public_id!r}"]
    dtd = _dtd(name)
    if dtd.validate(tree):
        return []
    return [f"line {error.line}: {error.message}" for error in dtd.error_log.filter_from_errors()]
