"""Messages to test with: those that ship in CPython's own test package, and odd ones made here.

Nothing here may fail if a Python comes without its tests: there are fewer samples then.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path


def of_python() -> dict[str, bytes]:
    """Read the mails of `test.test_email`, by name; none if Python was built without them."""
    try:
        found = importlib.util.find_spec("test.test_email")
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        return {}
    folder = Path(found.origin).parent / "data"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("msg_*.txt"))}


def _multipart(boundary: bytes, body: bytes, subtype: bytes = b"mixed") -> bytes:
    return b"Content-Type: multipart/" + subtype + b"; boundary=" + boundary + b"\n\n" + body


#: Each agrees with Dovecot 2.3 in sections, types, parameters and sizes.
ODD: dict[str, bytes] = {
    "only a header": b"Subject: x\n",
    "a line that is no field": b"Subject: x\ngarbage line\nTo: a@b\n\nbody\n",
    "no final boundary": _multipart(b"b", b"before\n--b\n\none\n--b\n\ntwo"),
    "outer is a prefix of inner": _multipart(
        b"a", b"--a\n" + _multipart(b"ab", b"--ab\n\none\n--ab--\n\n--a\n\ntwo\n--a--\n")
    ),
    "inner is a prefix of outer": _multipart(
        b"ab", b"--ab\n" + _multipart(b"a", b"--a\n\none\n--a--\n\n--ab\n\ntwo\n--ab--\n")
    ),
    "inexact boundaries": _multipart(b"b", b"--b\n\none\n--bXX\n\ntwo\n--b  \n\nthree\n--b--xx\n\nfour\n--b--\n"),
    "empty boundary": _multipart(b'""', b"--b\n\none\n--b--\n"),
    "empty parts": _multipart(b"b", b"--b\n--b\n\n--b\nContent-Type: text/html\n--b\nX: y\n\n--b--\n"),
    "digest": _multipart(b"b", b"--b\n\nSubject: in\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n", b"digest"),
    "message as the whole": b"Content-Type: message/rfc822\n\nSubject: in\n"
    + _multipart(b"b", b"--b\n\none\n--b\nContent-Type: message/rfc822\n\nSubject: in2\n\ntext\n--b--\n"),
    "outer ends inner": _multipart(
        b"o", b"--o\n" + _multipart(b"i", b"--i\n\none\n--o\n\ntwo\n--i\n\nthree\n--o--\n", b"alternative")
    ),
    "alike boundaries": _multipart(b"b", b"--b\n" + _multipart(b"b", b"--b\n\none\n--b--\n\n--b\n\ntwo\n--b--\n")),
    "boundary with a blank": _multipart(b'"a b"', b"--a b\n\nx\n--a b--\n"),
    "boundary of 120": _multipart(b"x" * 120, b"--" + b"x" * 120 + b"\n\none\n--" + b"x" * 120 + b"--\n"),
    "two content types": b"Content-Type: text/html\nContent-Type: text/plain\n\nx\n",
    "no subtype": b"Content-Type: text\n\nx\n",
    "CRLF": _multipart(b"b", b"--b\n\none\n\n--b--\n").replace(b"\n", b"\r\n"),
    "thirty deep": b"".join(_multipart(b"b%d" % depth, b"--b%d\n" % depth) for depth in range(30)) + b"\nx\n",
    "message in a cut header": _multipart(
        b"b", b"--b\nContent-Type: message/rfc822\n\n--b\nContent-Type: message/rfc822\n\nSubject: y\n--b--\n"
    ),
    "parameters": b"Content-Type: text/plain; charset=utf-8; name*0*=utf-8''%c3%a4; name*1=\"b c.txt\"\n"
    b"Content-Disposition: ATTACHMENT; filename=\"=?utf-8?q?=C3=A4?=\"\nContent-ID: <c1>\n"
    b"Content-Description: =?utf-8?q?=C3=B6?=\nContent-Transfer-Encoding: BASE64 \n\nw6Q=\n",
}  # fmt: skip
