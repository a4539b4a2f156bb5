"""What `pocketpost check` reports about the gateway's own certificate for HTTPS.

Nothing here may listen: the files are read as `serve` reads them.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from gateway.admin.checks.findings import ReportLine, Verdict, bad, good, note, remaining
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.server.certificate import ServerCertificate
from gateway.upstreams import certificates
from gateway.upstreams.certificates import PeerCertificate

_END = "-----END CERTIFICATE-----"


def findings(config: Config, now: datetime) -> Iterator[ReportLine]:
    """Examine certificate and key, if the gateway serves HTTPS."""
    if config.https_cert is None or config.https_key is None:
        return
    yield ReportLine(Verdict.HEAD, f"HTTPS at {config.https_listen}")
    try:
        ServerCertificate(config.https_cert, config.https_key)
    except ConfigError as error:
        yield bad(error.detail or error.sentence)
        return
    certificate = shown(config.https_cert)
    if certificate.expires is None:
        yield note(f"certificate {config.https_cert} cannot be read any further")
        return
    yield good(
        f"certificate for {', '.join(certificate.names) or certificate.subject}, signed by {certificate.issuer}"
    )
    yield remaining(certificate.expires, now)
    if certificate.begins is not None and certificate.begins > now:
        yield bad(f"valid only from {certificate.begins:%Y-%m-%d}")
    if certificate.self_signed:
        yield note("self-signed: phones will warn of it, or refuse it")
    url = urlsplit(config.url)
    if url.scheme == "https" and not certificate.covers(url.hostname or ""):
        yield bad(f"the certificate is not for {url.hostname}, the name in url")


def shown(file: Path) -> PeerCertificate:
    """Read the gateway's own certificate from a PEM file."""
    return certificates.read(_first(file))


def _first(file: Path) -> bytes:
    """Return the first certificate of a PEM file, which is the gateway's own, in DER."""
    try:
        text = file.read_text("ascii", "replace")
        return ssl.PEM_cert_to_DER_cert(
            text[text.index("-----BEGIN CERTIFICATE") : text.index(_END) + len(_END)]
        )
    except (OSError, ValueError):
        return b""
