"""The TLS side of HTTPS: the certificate, renewed while serving, and the versions and ciphers for handhelds.

Nothing here may open a socket, or use a certificate that does not match its key. docs/security.md lists what
is accepted; RFC 9325 (§4.2: forward secrecy), RFC 8446.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from gateway.errors import ConfigError

log = logging.getLogger(__name__)

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!AESCCM:@SECLEVEL=2"
"""For TLS 1.2, by preference: always with forward secrecy; CBC last, for handhelds of about 2012."""


class ServerCertificate:
    """A certificate and its key (PEM files) in a TLS server context. Raise ConfigError if they are unusable."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._files = (cert, key)
        self._stamp = self._look()
        try:
            self.context = _context(cert, key)
        except OSError as error:  # includes ssl.SSLError
            why = error.strerror or str(error)
            raise ConfigError(f"certificate {cert} with key {key}: {why}") from error

    def renew(self) -> None:
        """Reload the files if they have changed; open connections keep what they have."""
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.context = _context(*self._files)
        except OSError as error:
            why = error.strerror or str(error)
            log.error("the certificate has changed and is of no use, the old one stays: %s", why)
        else:
            log.info("a new certificate was taken")

    def _look(self) -> list[tuple[int, int, int]]:
        """Return a value that changes when a file is rewritten or replaced."""
        stamp = []
        for file in self._files:
            try:
                seen = file.stat()
            except OSError:
                stamp.append((0, 0, 0))
            else:
                stamp.append((seen.st_ino, seen.st_mtime_ns, seen.st_size))
        return stamp


def _context(cert: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # Without a password OpenSSL would prompt at the terminal, and everything would wait.
    context.load_cert_chain(cert, key, password="")
    return context
