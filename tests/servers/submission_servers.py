"""Real submission servers from Debian's unpacked packages: Postfix with Dovecot's SASL, and Exim.

Nothing here may touch the system: each server has its own configuration, folder and ports, and ends with the namespace
in which it runs. Both begin as root, since they work as users of their own. Both accept mail for everybody @example.net
into the mailboxes of a Dovecot, demand STARTTLS before AUTH, let people send only from the address with which they sign
in, and accept three recipients at a time and messages of 200,000 octets. nobody@ is unknown, grey@ is greylisted.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tests.servers import free_ports, greets, unpacked
from tests.servers.certs import Authority
from tests.servers.dovecot import Dovecot

#: What Dovecot also needs to vouch for people to Postfix, at {port}.
SASL = """
service auth {{{{
  inet_listener postfix {{{{
    port = {port}
  }}}}
}}}}
"""
#: Users that the packages would create.
_PASSWD = "postfix:x:70001:70001::/:/bin/false\nDebian-exim:x:70003:70003::/:/bin/false\n"
_GROUP = "postfix:x:70001:\npostdrop:x:70002:\nDebian-exim:x:70003:\n"


class SubmissionServer:
    """One running server: STARTTLS on `port`; Postfix has another, `seven`, for seven bits and three mails a minute.

    In `etc` and `script`, {base} is the server's folder, {port} and {seven} its ports, {pem} a certificate with its
    key, {lmtp} and {sasl} ports of Dovecot.
    """

    host = "127.0.0.1"
    package: str
    #: Files of /etc, by name.
    etc: ClassVar[Mapping[str, str]]
    script: str

    def __init__(self, dovecot: Dovecot, sasl: int) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="ps"))
        authority = Authority(self.base)
        self.ca_file = authority.ca_file
        pair = authority.issue("server", "localhost", self.host)
        pem = self.base / "server.pem.both"
        pem.write_bytes(pair.key.read_bytes() + pair.cert.read_bytes())
        self.port, self.seven = free_ports(2)
        lmtp = dovecot.ports["lmtp"]
        self._words = {
            "base": self.base, "port": self.port, "seven": self.seven, "pem": pem, "lmtp": lmtp, "sasl": sasl,
        }  # fmt: skip
        people = {name: Path("/etc", name).read_text() for name in ("passwd", "group")}
        self._write("passwd", people["passwd"] + _PASSWD)
        self._write("group", people["group"] + _GROUP)
        for name, text in self.etc.items():
            self._write(name, text.format(**self._words))
        self.base.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def _write(self, name: str, text: str) -> None:
        path = self.base / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start(self) -> None:
        """Start and wait until it answers."""
        script, base = self.script.format(**self._words), self.base
        self._process = unpacked.run(self.package, base / "etc", script, base / "log", {}, "root")
        if greets(self._process, self.host, self.port, b"220"):
            return
        self.stop()
        raise RuntimeError(f"{self.package} did not start: {(base / 'log').read_text()}")

    def stop(self) -> None:
        """End the server with all its processes."""
        if self._process is not None:
            unpacked.end(self._process)
            self._process = None

    def close(self) -> None:
        """End the server and remove everything that it had."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


_MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {base}/spool
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
maillog_file_prefixes = /dev
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.net
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.net
virtual_mailbox_maps = regexp:/etc/postfix/people
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
lmtp_destination_recipient_limit = 1
message_size_limit = 200000
smtpd_recipient_limit = 3
smtpd_recipient_overshoot_limit = 100
smtpd_client_event_limit_exceptions =
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {pem}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_login_maps = regexp:/etc/postfix/senders
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_recipient_restrictions =
    check_recipient_access regexp:/etc/postfix/recipients, permit_sasl_authenticated, reject
"""
_MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{seven} inet n - n - - smtpd
    -o smtpd_discard_ehlo_keywords=8bitmime,smtputf8,pipelining,chunking
    -o smtpd_client_message_rate_limit=3
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
retry unix - - n - - error
error unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(SubmissionServer):
    """Postfix, which says at RCPT what is wrong with the sender and with EHLO."""

    package = "postfix"
    etc: ClassVar = {
        "postfix/main.cf": _MAIN_CF,
        "postfix/master.cf": _MASTER_CF,
        "postfix/people": "/^(anna|ben|cleo|dan|eve)@example.net$/ ok\n",
        "postfix/senders": "/^(.*)@example.net$/ $1@example.net\n",
        "postfix/recipients": "/^grey@/ 450 4.2.0 Greylisted\n/^nobody@/ 550 5.1.1 User unknown\n",
    }
    script = "mkdir -p {base}/spool {base}/data\nchown postfix {base}/data\nexec postfix start-fg\n"


_EXIM_CONF = """\
primary_hostname = mx.example.net
keep_environment =
spool_directory = {base}/spool
log_file_path = {base}/spool/%slog
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
host_lookup =
rfc1413_hosts =
tls_certificate = {pem}
tls_advertise_hosts = *
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
message_size_limit = 200000
recipients_max = 3
recipients_max_reject = false
deliver_drop_privilege = true
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data

begin acl
mail:
  deny !authenticated = *
       message = 5.7.0 Authentication required
  deny condition = ${{if eqi{{$sender_address}}{{$authenticated_id}}{{no}}{{yes}}}}
       condition = ${{if eqi{{$sender_address_local_part}}{{verify}}{{no}}{{yes}}}}
       message = you may not send as <$sender_address>
  accept
rcpt:
  deny senders = verify@example.net
       message = Sender verify failed
  defer local_parts = grey
       message = Greylisted, please try again later
  deny local_parts = nobody
       message = Unrouteable address
  accept domains = example.net
  deny message = relay not permitted
data:
  deny condition = ${{if match{{$message_headers}}{{GTUBE}}}}
       message = This message was classified as SPAM
  accept

begin routers
all:
  driver = accept
  transport = dovecot

begin transports
dovecot:
  driver = smtp
  protocol = lmtp
  hosts = 127.0.0.1
  hosts_override
  port = {lmtp}
  allow_localhost
  max_rcpt = 1

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if eq{{$auth3}}{{secret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = secret
  server_set_id = $auth1
"""


class Exim(SubmissionServer):
    """Exim, which replies 452 without an enhanced code to a recipient too many, and has no enhanced codes at all."""

    package = "exim4-daemon-heavy"
    etc: ClassVar = {"exim.conf": _EXIM_CONF}
    script = "mkdir -p {base}/spool\nchown Debian-exim {base}/spool {pem}\nexec exim4 -bdf -q1m -C /etc/exim.conf\n"
