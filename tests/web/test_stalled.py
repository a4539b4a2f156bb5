"""The gateway as it is served, with readers that read nothing and servers that say nothing."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from werkzeug.test import EnvironBuilder

from gateway.app import client_address, is_signed_in
from gateway.config import Config
from gateway.web.attachments import download
from tests import PATIENCE, rig
from tests.devices.phones import XhtmlBrowser, in_process, over_http
from tests.servers.dovecot import Dovecot
from tests.servers.gateway import GatewayServer
from tests.servers.scripted.cutting import NEVER, Cutting
from tests.servers.smtp import SmtpServer
from tests.servers.toy import connect, received

READERS = 6
SIZE = 10_000_000
LINE = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"
MAIL = (
    b"From: bob@example.net\r\nTo: x@example.net\r\nSubject: Large\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: application/x-tar; name=large.tar\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=large.tar\r\n\r\n"
) + LINE * (SIZE // len(LINE))
AGENT = "Mozilla/5.0 (Mobile; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"
#: Octets upstream besides what is fetched for a reader: a list, a structure, the handshake.
OTHERS = 200_000


def browser(server: GatewayServer, user: str) -> XhtmlBrowser:
    return XhtmlBrowser(server.url, over_http).sign_in(user, "secret")


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_fetch_pauses_with_the_reader_and_ends_with_it(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    """Six files of ten megabytes: the mail server is asked for what the readers' sockets take, and no more."""
    user = "stalled@example.net"
    shutil.rmtree(dovecot.home(user), ignore_errors=True)
    dovecot.deliver(dovecot.user(user), MAIL)
    with Cutting(dovecot.ports["imap"], lambda: NEVER) as between, contextlib.ExitStack() as lines:
        upstream = SimpleNamespace(host=between.host, ports={"imap": between.port}, ca_file=dovecot.ca_file)
        server = GatewayServer(tmp_path, upstream, smtp_server).start()  # type: ignore[arg-type]
        lines.callback(server.stop)
        device = browser(server, user)
        path = next(href for label, href in device.links.items() if "Large" in label).replace("m", "/o", 1)
        cookie = "; ".join(f"{name}={value}" for name, value in device.jar.items())
        before = between.down
        for _ in range(READERS):
            line = lines.enter_context(connect(server.port, room=4096))
            request = (
                f"GET {path}.1?y=1 HTTP/1.1\r\nHost: x\r\nUser-Agent: {AGENT}\r\nCookie: {cookie}\r\n\r\n"
            )
            line.sendall(request.encode())
            assert line.recv(12) == b"HTTP/1.1 200"
        seen = [-1]

        def settled() -> bool:
            seen.append(between.down)
            time.sleep(0.5)
            return seen[-1] == seen[-2]

        until(settled)
        held = 2 * download.CHUNK_OCTETS + 4 * 64 * 1024  # coded; what the sockets take
        assert between.down - before < READERS * held + OTHERS
        assert device.open("/i").links  # the connections of the account are free
        lines.pop_all().close()
        assert between.down - before < READERS * held + 2 * OTHERS
        assert "Traceback" not in server.log


def test_sigterm_ends_it_though_a_mail_server_says_nothing(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        upstream = SimpleNamespace(
            host="127.0.0.1", ports={"imap": mute.getsockname()[1]}, ca_file=dovecot.ca_file
        )
        server = GatewayServer(tmp_path, upstream, smtp_server).start()  # type: ignore[arg-type]
        with contextlib.ExitStack() as undo, connect(server.port) as line:
            undo.callback(server.stop)
            form = b"user=anna%40example.net&password=s3cret"
            head = "POST /m HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            line.sendall(f"{head}Content-Length: {len(form)}\r\n\r\n".encode() + form)
            mute.settimeout(PATIENCE)
            caller, _ = mute.accept()
            with caller:
                # A greeting, which is waited for less long than requests in progress; an answer is waited for longer.
                caller.sendall(b"* OK hi\r\n")
                server.stop()  # with status 0
                assert received(line) == (b"", False)
        assert re.search(r"not finished within 10 s, broken off now: 1 being worked on", server.log)
        assert "anna" not in server.log
        assert "s3cret" not in server.log


def test_who_is_signed_in_is_seen_in_the_header(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    user = dovecot.user("header@example.net")

    def known(path: str, cookie: str = "") -> bool:
        environ: dict[str, Any] = EnvironBuilder(path, headers={"Cookie": cookie}).get_environ()
        return is_signed_in(app, environ)

    with rig.gateway(tmp_path, dovecot, smtp_server) as app:
        device = XhtmlBrowser("http://pp.example:8080", in_process(app)).sign_in(user, "secret")
        token = device.jar["s"]
        assert known("/i", f"a=b; s={token}")
        assert known(f"/~{token}/i")
        for other in ("", "A" * 22, token[:-1], token.swapcase(), "../.."):
            assert not known("/i", f"s={other}")
            assert not known(f"/~{other}/i")
        device.follow("Menu").follow("Sign out")
        assert not known("/i", f"s={token}")


def test_shares_are_by_the_address_that_a_trusted_proxy_tells() -> None:
    config = Config((), trusted_proxies=(ip_network("127.0.0.0/8"),))

    def address(peer: str, told: str = "") -> str:
        headers = {"X-Forwarded-For": told} if told else {}
        environ: dict[str, Any] = EnvironBuilder("/i", headers=headers).get_environ()
        return client_address(config, environ | {"REMOTE_ADDR": peer})

    assert address("127.0.0.1", "192.0.2.7") == "192.0.2.7"
    assert address("127.0.0.1") == "127.0.0.1"
    assert address("198.51.100.1", "192.0.2.7") == "198.51.100.1"
