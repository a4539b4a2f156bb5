"""Finds out what the overview shows: versions, certificates, the disk, the state.

Nothing here may wait for another machine; `upstream_probes` does that.
"""

from __future__ import annotations

import platform
import shutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from gateway import __version__
from gateway.admin.checks import own_certificate
from gateway.admin.configuring.saving import named
from gateway.admin.gateway_process import GatewayProcess
from gateway.admin.monitoring.attention import Facts, OwnCertificate
from gateway.admin.monitoring.upstream_probes import UpstreamProbes
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.server.certificate import ServerCertificate
from gateway.upstreams.certificates import PeerCertificate

#: Seconds before now within which sendings are counted.
RECENT_SECONDS: Final = 7 * 86_400.0
#: The libraries whose versions are shown, if they are installed.
LIBRARIES: Final = (
    "flask", "werkzeug", "h11", "imapclient", "lxml", "sqlalchemy", "cryptography", "pillow", "dnspython", "anyascii",
    "tzdata", "tomlkit", "prometheus-client", "pypdf", "python-calamine", "pymap", "aiosmtpd",
)  # fmt: skip


def facts(process: GatewayProcess, probes: UpstreamProbes) -> Facts:
    """Find out what may need attention."""
    config, now = process.config, datetime.now(UTC)
    free, size = _space(config.state.parent)
    return Facts(
        config,
        now,
        process.healths(),
        {server: probes.certificate(server) for server in config.servers},
        tuple(own_certificates(config)),
        process.unwritable(),
        _mode(config.secret),
        free,
        size,
        process.state.journal.kinds(now.timestamp() - RECENT_SECONDS),
        named(process.waiting),
    )


def own_certificates(config: Config) -> Iterator[OwnCertificate]:
    """Yield what is known about the certificates that the gateway presents."""
    for of, cert, key in (
        (f"the handhelds' listener {config.https_listen}", config.https_cert, config.https_key),
        (f"the panel's listener {config.admin_listen}", config.admin_cert, config.admin_key),
    ):
        if cert is None or key is None:
            continue
        try:
            ServerCertificate(cert, key)
        except ConfigError as error:
            yield OwnCertificate(of, PeerCertificate(), error.detail)
        else:
            yield OwnCertificate(of, own_certificate.shown(cert))


def versions() -> Iterator[tuple[str, str]]:
    """Yield names and versions of the software that is running."""
    yield "Pocketpost", __version__
    yield platform.python_implementation(), platform.python_version()
    yield "OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")
    for name in LIBRARIES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _space(folder: Path) -> tuple[int, int]:
    """Return the free octets of a disk, for this user, and its size."""
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode & 0o777
    except OSError:
        return 0o600  # a missing file is reported elsewhere
