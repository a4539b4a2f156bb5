"""A private Dovecot on loopback: real IMAP and LMTP, real mailboxes, thrown away afterwards.

Nothing here may touch the system's Dovecot: it has its own configuration, folder and ports, and is ended by its own
pid. Started by root it works as `nobody`, since Dovecot refuses mail access as root; otherwise as the caller. The
folder's path is short, since a socket's path has at most 108 bytes (unix(7)).
"""

from __future__ import annotations

import base64
import grp
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.servers import free_ports, greets, maildir
from tests.servers.certs import Authority, Pair

BINARY = "/usr/sbin/dovecot"
PORTS = ("imap", "imaps", "lmtp", "pop3", "pop3s")
_POP3 = Path("/usr/lib/dovecot/pop3")
STOP_SECONDS = 20.0
#: Mailboxes are in memory if there is room for them (octets): they are made and thrown away by the thousand.
MEMORY, ROOM = Path("/dev/shm"), 2 * 1024**3
# Everybody's password, except for those who were given another one.
PASSWORD = "secret"
SPECIAL = ("Drafts", "Sent", "Trash", "Junk")

_CONFIG = """\
base_dir = {base}/run
state_dir = {base}/run
log_path = {base}/dovecot.log
protocols = imap lmtp{pop3}
listen = 127.0.0.1, 127.0.0.2
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
last_valid_uid = 0
mail_uid = {user}
mail_gid = {group}
ssl = yes
ssl_cert = <{pair.cert}
ssl_key = <{pair.key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
auth_failure_delay = 0
mail_max_userip_connections = 0
mail_fsync = never
mail_location = maildir:~/Maildir
lda_mailbox_autocreate = yes
passdb {{
  driver = passwd-file
  args = scheme=plain {base}/users
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={base}/mail/%Lu
}}
{namespaces}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  client_limit = 1000
  vsz_limit = 512M
  inet_listener imap {{
    port = {ports[imap]}
  }}
  inet_listener imaps {{
    port = {ports[imaps]}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 500
  service_count = 1000
}}
service pop3-login {{
  chroot =
  service_count = 0
  inet_listener pop3 {{
    port = {ports[pop3]}
  }}
  inet_listener pop3s {{
    port = {ports[pop3s]}
    ssl = yes
  }}
}}
service pop3 {{
  service_count = 1000
}}
service lmtp {{
  user = {user}
  inet_listener lmtp {{
    port = {ports[lmtp]}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-urlauth-login {{
  chroot =
}}
protocol imap {{
  imap_capability = +SPECIAL-USE
}}
"""

#: A person's own namespace, with a separator and a prefix, and one for everybody without a prefix.
NAMESPACE = """
namespace inbox {{
  inbox = yes
  separator = %s
  prefix = %s
}}
"""
PUBLIC = """
namespace public {{
  type = public
  separator = .
  prefix =
  location = maildir:{base}/public
  subscriptions = no
  list = yes
}}
"""
# The namespace for all tests that do not ask for another layout; {special} are mailboxes with a special use.
NAMESPACES = """\
namespace inbox {{
  inbox = yes
  separator = /
{special}
}}
"""


#: Courier's layout: "." between names, everything below INBOX, and mailboxes for everybody.
COURIER = """
namespace inbox {{
  inbox = yes
  prefix = INBOX.
  separator = .
{special}
}}
namespace public {{
  type = public
  separator = .
  prefix = Public.
  location = maildir:{base}/public
  subscriptions = no
  list = yes
}}
"""


def installed() -> bool:
    return Path(BINARY).exists()


def has_pop3() -> bool:
    return _POP3.exists()


def memory_is_roomy() -> bool:
    """Whether files can be in memory: there is room, and programs among them can be run."""
    if not MEMORY.is_dir() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(MEMORY).free >= ROOM


class Dovecot:
    """One running server. `ca_file` vouches for it as `host`; `misnamed_host` is not in its certificate.

    `namespaces` and `more` are configuration, in which {base} is the server's folder.
    """

    host = "127.0.0.1"
    misnamed_host = "127.0.0.2"

    def __init__(self, namespaces: str = NAMESPACES, more: str = "") -> None:
        self._namespaces, self._more = namespaces, more
        self.base = Path(tempfile.mkdtemp(prefix="pd", dir=MEMORY if memory_is_roomy() else None))
        (self.base / "run").mkdir()
        (self.base / "mail").mkdir()
        self._account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        for folder in (self.base, self.base / "run", self.base / "mail"):
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        authority = Authority(self.base)
        self.ca_file = authority.ca_file
        self.ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._users: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._write_users()
        self._write_config(authority.issue("server", "localhost", self.host))

    def _write_config(self, pair: Pair) -> None:
        special = "\n".join(
            f"  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}" for name in SPECIAL
        )
        account = self._account
        text = _CONFIG.format(
            base=self.base,
            user=account.pw_name,
            group=grp.getgrgid(account.pw_gid).gr_name,
            ports=self.ports,
            pair=pair,
            password=PASSWORD,
            pop3=" pop3" if has_pop3() else "",
            namespaces=self._namespaces.format(base=self.base, special=special),
        )
        text += self._more.format(base=self.base)
        (self.base / "dovecot.conf").write_text(text)

    def _write_users(self) -> None:
        lines = []
        for name, password in self._users.items():
            sealed = base64.b64encode(password.encode()).decode()
            lines.append(f"{name}:{{PLAIN.b64}}{sealed}\n")
        path = self.base / "users"
        path.write_text("".join(lines))
        path.chmod(0o600)
        os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def user(self, name: str, password: str = PASSWORD) -> str:
        """Make a user, or give one a new password; the name is in lower case, an address or not.

        QUIRK: Dovecot checks its password file once a second, and only its time in seconds.
        """
        self.users({name: password})
        return name

    def users(self, passwords: Mapping[str, str]) -> None:
        """Make several users at once, each with a password."""
        fresh = {n: p for n, p in passwords.items() if p != self._users.get(n, PASSWORD)}
        if fresh:
            self._users.update(fresh)
            self._write_users()
            time.sleep(2.1 if self._process is not None else 0)
        for name in passwords:
            self.home(name).mkdir(exist_ok=True)
            os.chown(self.home(name), self._account.pw_uid, self._account.pw_gid)

    def home(self, name: str) -> Path:
        return self.base / "mail" / name

    def maildir(self, name: str, mailbox: str = "INBOX") -> Path:
        """Return where a user's mailbox is; deliveries may be written there directly."""
        root = self.home(name) / "Maildir"
        return root if mailbox == "INBOX" else root / f".{mailbox.replace('/', '.')}"

    def deliver(self, name: str, octets: bytes, mailbox: str = "INBOX", flags: str = "") -> None:
        """Put a message into a user's mailbox, as a delivery agent would; `flags` in Maildir letters."""
        maildir.write(self.maildir(name, mailbox), [octets], flags)

    def count(self, name: str, mailbox: str = "INBOX") -> int:
        """Count a user's messages that are not marked as deleted, by their files."""
        root = self.maildir(name, mailbox)
        names = [path.name for folder in ("cur", "new") for path in (root / folder).glob("*")]
        return sum("T" not in one.partition(":2,")[2] for one in names)

    def start(self) -> None:
        """Start and wait until it answers; if it does not, end it again."""
        self._process = subprocess.Popen(
            [BINARY, "-F", "-c", str(self.base / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if greets(self._process, self.host, self.ports["imap"]):
            return
        self.stop()
        log = self.base / "dovecot.log"
        raise RuntimeError("dovecot did not start: " + (log.read_text() if log.exists() else "no log"))

    def stop(self) -> None:
        """End the server; mailboxes stay, `start` brings them back."""
        if self._process is None:
            return
        children = _children(self._process.pid)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # QUIRK: imap, log and stats outlive the master while a client is connected.
        end = time.monotonic() + STOP_SECONDS
        while (left := children & _running()) and time.monotonic() < end:
            for child, _started in left:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        self._process = None

    def close(self) -> None:
        """End the server and remove everything that it had."""
        self.stop()
        subprocess.run(["rm", "-rf", str(self.base)], check=False)  # some hundred thousand files


@contextmanager
def running(namespaces: str = NAMESPACES, more: str = "") -> Iterator[Dovecot]:
    """Run a server in the block; the test is skipped by name if there is none."""
    if not installed():
        pytest.skip("NOT TESTED: dovecot is not installed (see tests/debian-packages.txt)")
    with closing(Dovecot(namespaces, more)) as server:
        server.start()
        yield server


def _processes() -> Iterator[tuple[int, int, str, str]]:
    """Yield pid, parent, state and start time of every process (proc(5))."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            yield int(path.parent.name), int(fields[1]), fields[0], fields[19]
        except (OSError, ValueError, IndexError):
            continue


def _children(master: int) -> set[tuple[int, str]]:
    """Identify the processes of one master, by pid and start time: a pid alone may be somebody else's later."""
    return {(pid, started) for pid, parent, _state, started in _processes() if parent == master}


def _running() -> set[tuple[int, str]]:
    """Identify all processes that are running; one that is only waiting for its parent is not."""
    return {(pid, started) for pid, _parent, state, started in _processes() if state not in "ZX"}
