"""Proxies in front of the gateway, started from the samples in deploy/ unchanged, except for places and ports.

Nothing here may set what a sample does not say; what only a test needs, such as a folder of its own, is around it.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests import PATIENCE
from tests.servers import free_ports, unpacked
from tests.servers.certs import Authority
from tests.servers.toy import connect

DEPLOY = Path(__file__).parents[2] / "deploy"
#: The path in the samples, and one that leaves a phone room for its address.
MAIL, PATH = "/mail", "/pp"

_NGINX = """\
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    {sample}
}}
"""
_CADDY = """\
{{
    admin off
    auto_https disable_redirects
    local_certs
    skip_install_trust
}}
{sample}
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A proxy: its sample, what surrounds it in a test, how it is run, and how it removes the path.

    `places`: what the sample says, and what replaces it, occurrence by occurrence; `removing` likewise.
    """

    sample: str
    around: str
    command: str
    package: str
    places: tuple[tuple[str, tuple[str, ...]], ...]
    removing: tuple[str, str]


KINDS = {
    "nginx": Kind(
        "nginx.conf",
        _NGINX,
        "nginx -p {folder} -e stderr -c {file}",
        "",
        (
            ("listen 80;", ("listen 127.0.0.1:{root};", "listen 127.0.0.1:{path};")),
            ("listen 443 ssl", ("listen 127.0.0.1:{root_tls} ssl", "listen 127.0.0.1:{path_tls} ssl")),
            ("/etc/pocketpost/cert.pem", ("{cert}", "{cert}")),
            ("/etc/pocketpost/key.pem", ("{key}", "{key}")),
        ),
        ("proxy_pass http://pocketpost; # the path is kept", "proxy_pass http://pocketpost/; #"),
    ),
    "caddy": Kind(
        "Caddyfile",
        _CADDY,
        "caddy run --config {file} --adapter caddyfile",
        "caddy",
        (
            (
                "http://m.example.org, https://m.example.org",
                ("http://127.0.0.1:{root}, https://localhost:{root_tls}",),
            ),
            (
                "http://example.org, https://example.org",
                ("http://127.0.0.1:{path}, https://localhost:{path_tls}",),
            ),
        ),
        (f"handle {MAIL}/*", f"handle_path {MAIL}/*"),
    ),
    "haproxy": Kind(
        "haproxy.cfg",
        "{sample}",
        "haproxy -db -f {file}",
        "haproxy",
        (
            ("bind :80", ("bind 127.0.0.1:{root}", "bind 127.0.0.1:{path}")),
            ("bind :443", ("bind 127.0.0.1:{root_tls}", "bind 127.0.0.1:{path_tls}")),
            ("/etc/pocketpost/haproxy.pem", ("{folder}/both.pem", "{folder}/both.pem")),
        ),
        ("    server gateway", f"    http-request replace-path {MAIL}(/.*) \\1\n    server gateway"),
    ),
}


@dataclass(frozen=True, slots=True)
class Front:
    """A running proxy: its ports for a host of its own and for the path, without and with TLS."""

    root: int
    root_tls: int
    path: int
    path_tls: int


def fronts() -> Front:
    """Choose the ports of a proxy, which its gateway has to know first."""
    return Front(*free_ports(4))


#: Starts of a proxy until its ports are free.
_TRIES: Final = 10


class NotStarted(Exception):
    """A proxy has ended, or accepts no connections."""


@contextmanager
def running(name: str, folder: Path, front: Front, behind: int, *, removing: bool = False) -> Iterator[None]:
    """Run a proxy; `behind`: the gateway's port; `removing`: it removes the path. Skip if it is not installed."""
    kind = KINDS[name]
    if kind.package and (why := unpacked.lacking(kind.package)):
        pytest.skip(f"NOT TESTED: {why}")
    if not kind.package and shutil.which(name) is None:
        pytest.skip(f"NOT TESTED: {name} is not installed (see tests/debian-packages.txt)")
    file = folder / kind.sample
    file.write_text(kind.around.format(folder=folder, sample=_placed(kind, folder, front, behind, removing)))
    command, log = kind.command.format(folder=folder, file=file), folder / f"{name}.log"
    for tries_left in reversed(range(_TRIES)):
        log.unlink(missing_ok=True)
        if kind.package:
            process = unpacked.run(
                kind.package, folder, f"exec {command}", log, {"HOME": str(folder)}, "root"
            )
        else:
            with log.open("ab") as said:
                process = subprocess.Popen(command.split(), stdout=said, stderr=said)
        try:
            _wait(process, front, log)
            yield
            return
        except NotStarted:
            # Its ports were chosen before its gateway began: since then, another's connection may use one.
            if not tries_left or "in use" not in log.read_text():
                raise
            time.sleep(1)
        finally:
            if kind.package:
                unpacked.end(process)
            else:
                process.terminate()
                process.wait(PATIENCE)


def _placed(kind: Kind, folder: Path, front: Front, behind: int, removing: bool) -> str:
    """Return the sample with the places and ports of this test; each place must be where it is expected."""
    pair = Authority(folder).issue("proxy", "localhost")
    (folder / "both.pem").write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    text = (DEPLOY / kind.sample).read_text()
    assert text.count("127.0.0.1:8080") == 2  # the comment, and the gateway
    head, _, tail = text.rpartition("127.0.0.1:8080")
    text = f"{head}127.0.0.1:{behind}{tail}"
    if removing:
        assert text.count(kind.removing[0]) == 1
        text = text.replace(*kind.removing)
    words = {name: getattr(front, name) for name in Front.__slots__}
    for said, here in kind.places:
        assert text.count(said) == len(here), said
        for one in here:
            text = text.replace(said, one.format(folder=folder, cert=pair.cert, key=pair.key, **words), 1)
    return text.replace(MAIL, PATH)


def _wait(process: subprocess.Popen[bytes], front: Front, log: Path) -> None:
    """Wait until it accepts connections; Caddy does so before its certificates are made."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), connect(front.root):
            for port in (front.root_tls, front.path_tls):
                with connect(port) as line, context.wrap_socket(line, server_hostname="localhost"):
                    pass
            return
        time.sleep(0.05)
    raise NotStarted(f"the proxy did not start: {log.read_text()}")
