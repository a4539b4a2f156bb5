"""Fuzzes the WBXML decoder, or the encoder: `python -m tests.fuzz.wbxml decode|encode [libFuzzer's options]`.

What is decoded must be a document that can be compiled, and then be the same; what is compiled must be decodable. The
only error is WBXMLError.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

#: Octets that suffice for any document, so that no substrings are searched for.
ROOM: Final = 1 << 24
#: Small, so that many runs are possible.
DECK: Final = (
    '<wml><card id="c"><do type="accept"><go href="http://www.x.com/$(x)"/></do>'
    '<p title="x">harbour $(x:e) <b>harbour</b>, $$5<pre>  </pre>harbour &#8364;</p></card></wml>'
)
SI: Final = '<si><indication href="http://www.x.com/a" created="2026-11-30T08:00:00Z">x</indication></si>'
SL: Final = '<sl href="https://www.x.org/a" action="cache"/>'


def decode(data: bytes) -> None:
    """Decode octets; compile what came out, and decode that."""
    from gateway.wap import wbxml

    try:
        document = wbxml.decode(data)
    except wbxml.WBXMLError as error:
        if error.offset is None or error.offset > len(data):
            raise AssertionError(f"no offset: {error}") from error
        return
    octets = wbxml.encode(document, room=ROOM)
    assert wbxml.encode(wbxml.decode(octets), room=ROOM) == octets


def encode(data: bytes) -> None:
    """Compile text, as small as possible and in another charset, and decode it."""
    from gateway.wap import wbxml

    for charset, room in ((106, None), (4, ROOM)):
        try:
            octets = wbxml.encode(data, charset, room=room)
        except wbxml.WBXMLError:
            return
        wbxml.decode(octets)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {"decode": decode, "encode": encode}


def samples(target: str) -> list[bytes]:
    """Return the samples with which fuzzing begins."""
    from gateway.wap import wbxml

    documents = [DECK, "<wml><größe straße='1'>é</größe></wml>", SI, SL]
    if target == "encode":
        return [document.encode() for document in documents]
    return [wbxml.encode(document) for document in documents]


def main() -> None:
    """Run Atheris."""
    atheris = import_module("atheris")
    name, *options = sys.argv[1:]
    # The search for repeats has loops but no input of its own: instrumented, it would take all the time.
    with atheris.instrument_imports(include=["gateway.wap.wbxml"], exclude=["gateway.wap.wbxml.repeats"]):
        import_module("gateway.wap.wbxml")
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(samples(name)):
            Path(folder, str(number)).write_bytes(sample)
        atheris.Setup([sys.argv[0], "-max_len=500", *options, folder], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
