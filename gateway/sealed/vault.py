"""Tokens, encryption of credentials, and one-time tickets.

Nothing else may import cryptography, and nothing here may store, log or show what it is given. A credential
is encrypted with AES-256-GCM (NIST SP 800-38D) under a key derived (HKDF-SHA256, RFC 5869) from both the
person's token, which only their handheld has, and the server secret, which is not in the database. The row of
the session is the associated data, so that an encrypted credential copied to another row cannot be decrypted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.addresses import LINK_ID_LENGTH, LINK_ID_PATTERN
from gateway.errors import ConfigError, SessionEnded

SECRET_OCTETS = 32
TOKEN_LENGTH = 22  # characters of 6 bits: 132 bits; 96 would do, and each one is in every URL
NONCE_OCTETS = 12  # SP 800-38D §8.2
TICKET_NONCE_OCTETS = 5  # 40 bits: a session claims some thousand tickets, so none collide
TICKET_MAC_OCTETS = 8  # 64 bits, and each guess costs a request
TICKET_LENGTH = 18  # characters of the two together
POST_MARK_OCTETS = 12  # 96 bits: 16 characters in a page

MARK_LENGTH = 16  # characters of 6 bits: 96 bits

_FORMAT = b"\x01"  # the first octet of a sealed value, to allow for another format later
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
_LINK_ID = re.compile(LINK_ID_PATTERN)
_TICKET = re.compile(rf"[A-Za-z0-9_-]{{{TICKET_LENGTH}}}")
_POST_MARK = re.compile(rf"[A-Za-z0-9_-]{{{POST_MARK_OCTETS * 4 // 3}}}")


@dataclass(frozen=True, slots=True, repr=False)
class TicketedPost:
    """A ticket with a mark of the content posted with it: the same content again is a repeat.

    `mark` is an HMAC of the content under the ticket, of which the database has only the hash. So it reveals nothing
    about a text, and does not depend on the server secret.
    """

    ticket: str
    mark: bytes

    @classmethod
    def of(cls, ticket: str, content: bytes) -> TicketedPost:
        """Return the post of some content with a ticket."""
        key = ticket.encode("utf-8", "surrogatepass")
        return cls(ticket, hmac.digest(key, content, "sha256")[:POST_MARK_OCTETS])

    @property
    def key(self) -> bytes:
        """The ticket's key in the database."""
        return digest(self.ticket)

    @property
    def name(self) -> str:
        """The post's name in pages of its session."""
        return base64.urlsafe_b64encode(self.mark).decode("ascii")


def post_mark(name: str) -> bytes | None:
    """Return the mark of a post from its name in a page; None for an invalid name."""
    return base64.urlsafe_b64decode(name) if _POST_MARK.fullmatch(name) else None


def server_secret(path: Path) -> bytes:
    """Read the server secret, creating it if it is missing. Raise ConfigError if others can read it."""
    try:
        if not path.exists():
            _create_secret(path)
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(4096)
    except OSError as error:
        raise ConfigError(f"server secret {path}: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigError(
            f"server secret {path}: others may read it; chmod 600 it, or remove it for a new one"
        )
    if len(secret) < SECRET_OCTETS:
        raise ConfigError(
            f"server secret {path}: shorter than {SECRET_OCTETS} octets; remove it for a new one"
        )
    return secret


def new_token() -> str:
    """Make a session token."""
    return base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_LENGTH)).decode("ascii")[:TOKEN_LENGTH]


def is_token(text: str) -> bool:
    """Return whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return a token's key in the database: 132 random bits need neither salt nor stretching."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def seal(plain: bytes, token: str, secret: bytes, row_id: int, purpose: bytes = b"credential") -> bytes:
    """Encrypt a credential, or data for another purpose, for one row."""
    nonce = secrets.token_bytes(NONCE_OCTETS)
    return _FORMAT + nonce + AESGCM(_key(token, secret, purpose)).encrypt(nonce, plain, _row(row_id))


def unseal(sealed: bytes, token: str, secret: bytes, row_id: int, purpose: bytes = b"credential") -> bytes:
    """Decrypt a sealed value. Raise SessionEnded unless token, secret and row are those of `seal`."""
    nonce, text = sealed[1 : 1 + NONCE_OCTETS], sealed[1 + NONCE_OCTETS :]
    if not sealed.startswith(_FORMAT) or len(nonce) < NONCE_OCTETS:
        raise SessionEnded("sealed in a way that is not known")
    try:
        return AESGCM(_key(token, secret, purpose)).decrypt(nonce, text, _row(row_id))
    except InvalidTag as error:
        raise SessionEnded("the seal does not fit: was the server secret changed?") from error


def ticket(token: str, secret: bytes) -> str:
    """Make a one-time ticket that only this session can redeem."""
    nonce = secrets.token_bytes(TICKET_NONCE_OCTETS)
    return _ticket(nonce + _mac(nonce, token, secret))


def check_ticket(text: str, token: str, secret: bytes) -> bytes | None:
    """Return the nonce of a ticket of this session, None for any other text, in constant time."""
    if not _TICKET.fullmatch(text):
        return None
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    nonce, mac = octets[:TICKET_NONCE_OCTETS], octets[TICKET_NONCE_OCTETS:]
    ours = hmac.compare_digest(mac, _mac(nonce, token, secret))
    return nonce if ours and _ticket(octets) == text else None  # its last character has spare bits


def link_key(token: str, secret: bytes) -> bytes:
    """Derive the key of a session's link ids."""
    return _key(token, secret, b"link")


def link_id(content: bytes, key: bytes) -> str:
    """Make the id of a link: deterministic in a session, and revealing neither session nor link."""
    mac = hmac.digest(key, content, "sha256")
    return base64.urlsafe_b64encode(mac).decode("ascii")[:LINK_ID_LENGTH]


def mark(content: bytes, token: str, secret: bytes, purpose: bytes) -> bytes:
    """Make a deterministic name for some content that reveals nothing about it."""
    return hmac.digest(_key(token, secret, b"mark " + purpose), content, "sha256")[:16]


class Seal:
    """Encrypts many small values for one owner, whose name is not secret: only the server secret protects them.

    `row` identifies the value, so that it cannot be decrypted in another one's place.
    """

    __slots__ = ("_cipher", "_key")

    def __init__(self, owner: str, secret: bytes, purpose: bytes) -> None:
        self._key = _key(owner, secret, purpose)
        self._cipher = AESGCM(self._key)

    def __repr__(self) -> str:
        return "<seal>"

    def close(self, plain: bytes, row: bytes) -> bytes:
        """Encrypt one value."""
        nonce = secrets.token_bytes(NONCE_OCTETS)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, row)

    def open(self, sealed: bytes, row: bytes) -> bytes | None:
        """Decrypt one value; None unless owner, secret and row are those of `close`."""
        nonce, text = sealed[1 : 1 + NONCE_OCTETS], sealed[1 + NONCE_OCTETS :]
        if not sealed.startswith(_FORMAT) or len(nonce) < NONCE_OCTETS:
            return None
        try:
            return self._cipher.decrypt(nonce, text, row)
        except InvalidTag:
            return None

    def mark(self, text: str) -> str:
        """Make a deterministic name for a text that reveals nothing about it."""
        mac = hmac.digest(self._key, b"mark " + text.encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(mac).decode("ascii")[:MARK_LENGTH]


def is_link_id(text: str) -> bool:
    """Return whether a text has the form of a link id."""
    return _LINK_ID.fullmatch(text) is not None


def _create_secret(path: Path) -> None:
    """Write a new secret under another name and link it, so that no process ever sees half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_OCTETS))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its secret is used
    finally:
        draft.unlink()


def _key(token: str, secret: bytes, purpose: bytes) -> bytes:
    """Derive a key of 32 octets: HKDF-SHA256 without salt, whose second step is one block (RFC 5869 §2.2, §2.3)."""
    source = token.encode("utf-8", "surrogatepass") + secret
    extracted = hmac.digest(bytes(32), source, "sha256")
    return hmac.digest(extracted, b"pocketpost " + purpose + b"\x01", "sha256")


def _row(row_id: int) -> bytes:
    return struct.pack(">Q", row_id)


def _ticket(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def _mac(nonce: bytes, token: str, secret: bytes) -> bytes:
    return hmac.digest(_key(token, secret, b"ticket"), nonce, "sha256")[:TICKET_MAC_OCTETS]
