"""Secrets: tokens, the sealing of credentials, and one-time tickets.

Nothing else may import cryptography, and nothing here may keep, log or show what it is given. A credential is
sealed with AES-256-GCM (NIST SP 800-38D) under a key that needs both the person's token, which only their
handheld has, and the server secret, which the database does not have: HKDF-SHA256 (RFC 5869). The row of the
session is the associated data, so that a sealed credential moved to another row does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import struct
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import ConfigError, SessionEnded

SECRET_OCTETS = 32
TOKEN_LENGTH = 22  # characters of 6 bits: 132 bits; 96 are the least, and every one stands in each URL
NONCE_OCTETS = 12  # SP 800-38D §8.2
TICKET_NONCE_OCTETS = 5  # 40 bits: a session claims some thousand tickets, so none meets another
TICKET_MAC_OCTETS = 8  # 64 bits, and each guess costs a request
TICKET_LENGTH = 18  # characters of the two together
LINK_ID_LENGTH = 11  # characters of 6 bits: 66 bits that nobody can guess, and no two links share

MARK_LENGTH = 16  # characters of 6 bits: 96 bits

_FORMAT = b"\x01"  # the first octet of what is sealed, for the day when the way of sealing changes
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
_LINK_ID = re.compile(rf"[A-Za-z0-9_-]{{{LINK_ID_LENGTH}}}")
_TICKET = re.compile(rf"[A-Za-z0-9_-]{{{TICKET_LENGTH}}}")


def server_secret(path: Path) -> bytes:
    """Read the server secret, made at the first time. Raise ConfigError when others may read it."""
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
    """Make a session's token."""
    return base64.urlsafe_b64encode(secrets.token_bytes(TOKEN_LENGTH)).decode("ascii")[:TOKEN_LENGTH]


def is_token(text: str) -> bool:
    """Say whether this could be a token at all."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return what the database knows of a token: 132 random bits need no salt and no stretching."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def seal(plain: bytes, token: str, secret: bytes, row_id: int, purpose: bytes = b"credential") -> bytes:
    """Seal a credential, or what else the purpose says, for one row."""
    nonce = secrets.token_bytes(NONCE_OCTETS)
    return _FORMAT + nonce + AESGCM(_key(token, secret, purpose)).encrypt(nonce, plain, _row(row_id))


def unseal(sealed: bytes, token: str, secret: bytes, row_id: int, purpose: bytes = b"credential") -> bytes:
    """Open what was sealed. Raise SessionEnded when token, secret or row are not those of the sealing."""
    nonce, text = sealed[1 : 1 + NONCE_OCTETS], sealed[1 + NONCE_OCTETS :]
    if not sealed.startswith(_FORMAT) or len(nonce) < NONCE_OCTETS:
        raise SessionEnded("sealed in a way that is not known")
    try:
        return AESGCM(_key(token, secret, purpose)).decrypt(nonce, text, _row(row_id))
    except InvalidTag as error:
        raise SessionEnded("the seal does not fit: was the server secret changed?") from error


def ticket(token: str, secret: bytes) -> str:
    """Make a one-time ticket that only this session can bring back."""
    nonce = secrets.token_bytes(TICKET_NONCE_OCTETS)
    return base64.urlsafe_b64encode(nonce + _mac(nonce, token, secret)).decode("ascii").rstrip("=")


def check_ticket(text: str, token: str, secret: bytes) -> bytes | None:
    """Return the nonce of a ticket of this session, else None; as fast for a wrong one as for a right one."""
    if not _TICKET.fullmatch(text):
        return None
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    nonce, mac = octets[:TICKET_NONCE_OCTETS], octets[TICKET_NONCE_OCTETS:]
    return nonce if hmac.compare_digest(mac, _mac(nonce, token, secret)) else None


def link_id(content: bytes, token: str, secret: bytes) -> str:
    """Make the id of a link: always the same for one session, and telling nothing of session or link."""
    mac = hmac.digest(_key(token, secret, b"link"), content, "sha256")
    return base64.urlsafe_b64encode(mac).decode("ascii")[:LINK_ID_LENGTH]


def mark(content: bytes, token: str, secret: bytes, purpose: bytes) -> bytes:
    """Name some content so that the same is always named the same, and the name tells nothing of it."""
    return hmac.digest(_key(token, secret, b"mark " + purpose), content, "sha256")[:16]


class Seal:
    """Seals many small things for one owner, whose name is no secret: the server secret alone keeps them.

    `row` says which thing it is, so that one put in another's place does not open.
    """

    __slots__ = ("_cipher", "_key")

    def __init__(self, owner: str, secret: bytes, purpose: bytes) -> None:
        self._key = _key(owner, secret, purpose)
        self._cipher = AESGCM(self._key)

    def __repr__(self) -> str:
        return "<seal>"

    def close(self, plain: bytes, row: bytes) -> bytes:
        """Seal one thing."""
        nonce = secrets.token_bytes(NONCE_OCTETS)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, plain, row)

    def open(self, sealed: bytes, row: bytes) -> bytes | None:
        """Open one thing; None where owner, secret or row are not those of the sealing."""
        nonce, text = sealed[1 : 1 + NONCE_OCTETS], sealed[1 + NONCE_OCTETS :]
        if not sealed.startswith(_FORMAT) or len(nonce) < NONCE_OCTETS:
            return None
        try:
            return self._cipher.decrypt(nonce, text, row)
        except InvalidTag:
            return None

    def mark(self, text: str) -> str:
        """Make a name that is always the same for a text and tells nothing of it."""
        mac = hmac.digest(self._key, b"mark " + text.encode("utf-8", "surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(mac).decode("ascii")[:MARK_LENGTH]


def is_link_id(text: str) -> bool:
    """Say whether this could be a link's id at all."""
    return _LINK_ID.fullmatch(text) is not None


def _create_secret(path: Path) -> None:
    """Write a new secret under another name and link it: no process ever sees half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_OCTETS))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its secret is the secret
    finally:
        draft.unlink()


def _key(token: str, secret: bytes, purpose: bytes) -> bytes:
    source = token.encode("utf-8", "surrogatepass") + secret
    return HKDF(SHA256(), length=32, salt=None, info=b"pocketpost " + purpose).derive(source)


def _row(row_id: int) -> bytes:
    return struct.pack(">Q", row_id)


def _mac(nonce: bytes, token: str, secret: bytes) -> bytes:
    return hmac.digest(_key(token, secret, b"ticket"), nonce, "sha256")[:TICKET_MAC_OCTETS]
