"""Outgoing mail: one message, text/plain, as octets ready for submission (RFC 5322, RFC 2047, RFC 3676, RFC 6532).

Nothing here may read a clock, draw a random number, or let a line end into a header: date and Message-ID are
passed in, and every value is cleaned of controls. There is no Bcc: who else gets a copy is the submission's to know.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from gateway.message import addresses, headers
from gateway.message.model import Address

#: Characters of a header or text line, without its end (RFC 5322 §2.1.1: should, must).
_LINE: Final = 78
_LONGEST: Final = 998
#: Characters of a flowed line (RFC 3676 §4.2 rule 5).
_FLOWED: Final = 76
#: Octets that one encoded word carries, so that it has at most 75 characters in base64 (RFC 2047 §2).
_WORD: Final = 45
#: Quote marks in front of a line that are kept when it is flowed.
_DEPTH: Final = 30

_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MSG_ID: Final = re.compile(r"<[^<>\s@]+@[^<>\s]+>")


def compose(
    *,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address] = (),
    subject: str = "",
    text: str,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    date: datetime,
    message_id: str,
) -> bytes:
    """Write a message; `date` is aware. Raise ValueError for an address or id without the form of one."""
    if not _ids([message_id]):
        raise ValueError(f"not a message id: {message_id!a}")
    out = [
        _fold("Date", [format_datetime(date)]),
        _fold("From", _list([sender])),
        _fold("To", _list(to)),
        _fold("Cc", _list(cc)),
        _fold("Subject", _unstructured(subject)),
        _fold("Message-ID", _ids([message_id])),
        _fold("In-Reply-To", _ids([in_reply_to])),
        _fold("References", _ids(references)),
        "MIME-Version: 1.0\r\n",
    ]
    body, encoding = _body(text)
    charset = "us-ascii" if text.isascii() else "utf-8"
    out.append(_fold("Content-Type", ["text/plain;", f"charset={charset};", "format=flowed"]))
    out.append(f"Content-Transfer-Encoding: {encoding}\r\n\r\n")
    return "".join(out).encode() + body


def new_message_id(domain: str, unique: str) -> str:
    """Make a Message-ID of a string that the caller knows to be unique, in the sender's domain."""
    left = re.sub(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]", "", unique).strip(".")
    right = re.sub(r"[^A-Za-z0-9.:\[\]-]", "", ascii_domain(domain)).strip(".")
    return f"<{left or 'mail'}@{right or 'localhost'}>"


def ascii_domain(domain: str) -> str:
    """Write a domain as A-labels where that is possible (RFC 5891), else leave it as it is."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def ascii_spec(spec: str) -> str:
    """Write an addr-spec in ASCII; one whose local part is not needs SMTPUTF8 and stays (RFC 6531)."""
    local, at, domain = spec.rpartition("@")
    return local + at + ascii_domain(domain) if local.isascii() else spec


# --- header fields ---


def _fold(name: str, words: Sequence[str]) -> str:
    """Write a field from words between which it may be folded; '' for a field without any."""
    if not words:
        return ""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > _LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join((*lines, line)) + "\r\n"


def _list(found: Sequence[Address]) -> list[str]:
    words: list[str] = []
    for address in found:
        if not addresses.valid(ascii_spec(address.spec)):
            raise ValueError(f"not an address: {address.spec!a}")
    for address in addresses.unique(found):
        if words:
            words[-1] += ","
        name, spec = headers.clean(address.name), ascii_spec(address.spec)
        words += [*_phrase(name), f"<{spec}>"] if name else [spec]
    return words


def _phrase(name: str) -> list[str]:
    if _ATOMS.fullmatch(name) and "=?" not in name:
        return name.split(" ")
    if name.isascii() and len(name) < _LINE and "=?" not in name:
        return ['"' + re.sub(r'(["\\])', r"\\\1", name) + '"']
    return list(_encoded_words(name))


def _unstructured(text: str) -> list[str]:
    text = headers.clean(text)
    words = text.split(" ") if text else []
    if text.isascii() and "=?" not in text and max(map(len, words), default=0) < _LINE - len("Subject: "):
        return words
    return list(_encoded_words(text))


def _encoded_words(text: str) -> Iterator[str]:
    """Encode text in words that hold whole characters each (RFC 2047 §5)."""
    piece = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _WORD:
            yield _encoded_word(piece)
            piece = b""
        piece += octets
    if piece:
        yield _encoded_word(piece)


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(octets, newline=False).decode('ascii')}?="


def _ids(found: Iterable[str]) -> list[str]:
    """Take the message ids out of what is meant to be some; others are dropped."""
    out = [match for text in found for match in _MSG_ID.findall(headers.clean(text))]
    return [one for one in out if one.isascii() and len(one) < _LONGEST // 2]


# --- text ---


def _body(text: str) -> tuple[bytes, str]:
    """Flow the text, and encode it if it is not ASCII, or has lines too long for the wire."""
    lines = [flowed for line in _lines(text) for flowed in _flow(line)]
    octets = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if octets.isascii() and max(map(len, lines), default=0) <= _LONGEST:
        return octets.replace(b"\n", b"\r\n"), "7bit"
    if 3 * sum(octet > 127 for octet in octets) < len(octets):
        return b2a_qp(octets, istext=True).replace(b"\n", b"\r\n"), "quoted-printable"
    octets = octets.replace(b"\n", b"\r\n")
    lines64 = (b2a_base64(octets[at : at + 57], newline=False) for at in range(0, len(octets), 57))
    return b"".join(line + b"\r\n" for line in lines64), "base64"


def _lines(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.removesuffix("\n").split("\n")


_QUOTED: Final = re.compile(rf"(>(?: ?>){{0,{_DEPTH}}}) ?")


def _flow(line: str) -> Iterator[str]:
    """Break one paragraph into flowed lines: all but the last end in a blank (RFC 3676 §4)."""
    if line == "-- ":
        yield line
        return
    match = _QUOTED.match(line)
    mark = match.group(1).replace(" ", "") if match else ""
    rest = (line[match.end() :] if match else line).rstrip(" ")
    room = _FLOWED - len(mark) - 1
    while len(rest) > room:
        cut = rest.rfind(" ", 1, room) + 1 or rest.find(" ", room) + 1
        if not cut or not rest[cut:].strip(" "):
            break
        yield _stuff(mark, rest[:cut])
        rest = rest[cut:]
    yield _stuff(mark, rest)


def _stuff(mark: str, text: str) -> str:
    """Put a blank in front where the text would be read as something else (RFC 3676 §4.4)."""
    if mark:
        return f"{mark} {text}" if text else mark
    return f" {text}" if text.startswith((" ", ">", "From ")) else text
