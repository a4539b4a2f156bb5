"""The gateway in front of the test servers, as an administrator runs it.

Nothing here may reach into the served process: its behaviour is seen over HTTP, and it is ended by SIGTERM to its pid.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from gateway.config import Tls
from tests import PATIENCE
from tests.servers import free_ports
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

_READY = "listening at "
_SCHEMES = {Tls.IMPLICIT: "imaps", Tls.STARTTLS: "imap+starttls", Tls.NONE: "imap"}

_CONFIG = """\
[http]
listen = "127.0.0.1:{port}"
{http}

[display]
timezone = "Europe/Berlin"

[state]
database = "state.sqlite"
secret = "server.secret"

[[upstream]]
domains = ["example.net"]
imap = "{scheme}://{imap.host}:{imap_port}"
smtp = "smtp+starttls://{smtp.host}:{smtp.port}"
ca_file = "{imap_ca}"

{tables}
"""


class GatewayServer:
    """One gateway in front of these servers; `folder` keeps its state over a restart.

    `http`: further options of that table; `tables`: further tables of the file.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        dovecot: Dovecot,
        smtp: SmtpServer,
        tls: Tls = Tls.STARTTLS,
        http: str = "",
        tables: str = "",
    ) -> None:
        self.port = free_ports(1)[0]
        self.url = f"http://{self.host}:{self.port}"
        # One file vouches for both servers.
        authorities = folder / "authorities.pem"
        authorities.write_bytes(dovecot.ca_file.read_bytes() + smtp.ca_file.read_bytes())
        self._config = folder / "pocketpost.toml"
        self._config.write_text(
            _CONFIG.format(
                port=self.port,
                scheme=_SCHEMES[tls],
                imap=dovecot,
                imap_port=dovecot.ports["imaps" if tls is Tls.IMPLICIT else "imap"],
                smtp=smtp,
                imap_ca=authorities,
                http=http,
                tables=tables,
            )
        )
        self._log = folder / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> GatewayServer:
        """Start, and return when it listens."""
        with self._log.open("ab") as log:
            known = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            if _READY in self._log.read_bytes()[known:].decode():
                return self
            time.sleep(0.05)
        self._process.kill()
        self._process.wait()
        raise RuntimeError(f"the gateway did not start: {self.log}")

    def stop(self) -> None:
        """Ask it to finish, as a service manager does; it must end cleanly."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("the gateway did not end after SIGTERM") from None
        assert status == 0, self.log

    def restart(self) -> None:
        self.stop()
        self.start()
