"""Mail stores other than Dovecot, from Debian's unpacked packages: Cyrus, Courier, GNU imap4d.

Nothing here may touch the system: each server has its own configuration, folder and ports, and ends with the namespace
in which it runs. Users are known before the start, all with the password "secret".
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers import free_ports, greets, unpacked
from tests.servers.certs import Authority

PASSWORD = "secret"
#: "secret", as crypt(5) writes it with MD5, which all of them support.
_CRYPTED = "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"


class Elsewhere:
    """One running server that speaks STARTTLS on the port of its protocol; `ca_file` vouches for it.

    In `etc` and `script`, {base} is the server's folder, {port} its port, {pem} a certificate with its key, {uid} and
    {gid} the user and group as which it works.
    """

    host = "127.0.0.1"
    protocol = "imap"
    greeting = b"* OK"
    package: str
    #: Files of /etc, by name.
    etc: ClassVar[Mapping[str, str]]
    script: str
    environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, users: Sequence[str]) -> None:
        self._users = users
        self.base = Path(tempfile.mkdtemp(prefix="pe"))
        authority = Authority(self.base)
        self.ca_file = authority.ca_file
        pair = authority.issue("server", "localhost", self.host)
        pem = self.base / "server.pem.both"
        pem.write_bytes(pair.key.read_bytes() + pair.cert.read_bytes())
        self.ports = {self.protocol: free_ports(1)[0]}
        account = pwd.getpwnam("nobody")
        self._words = {
            "base": self.base,
            "port": self.ports[self.protocol],
            "pem": pem,
            "uid": account.pw_uid,
            "gid": account.pw_gid,
        }
        for name, text in {**self.etc, **self.passwords(users)}.items():
            path = self.base / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(**self._words))
        for user in users:
            (self.base / "mail" / user).mkdir(parents=True)
        for path in (self.base, *self.base.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None

    def passwords(self, users: Sequence[str]) -> dict[str, str]:
        """Return files of /etc that name the users."""
        return {}

    def start(self) -> None:
        """Start and wait until it answers."""
        script, base = self.script.format(**self._words), self.base
        self._process = unpacked.run(self.package, base / "etc", script, base / "log", self.environment)
        if greets(self._process, self.host, self.ports[self.protocol], self.greeting):
            return
        self.stop()
        raise RuntimeError(f"{self.package} did not start: {(base / 'log').read_text()}")

    def stop(self) -> None:
        """End the server with all its processes; mailboxes stay."""
        if self._process is not None:
            unpacked.end(self._process)
            self._process = None

    def close(self) -> None:
        """End the server and remove everything that it had."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


_IMAPD_CONF = """\
configdirectory: {{base}}/conf
partition-default: {{base}}/spool
defaultpartition: default
proc_path: {{base}}/proc
mboxname_lockpath: {{base}}/lock
temp_path: {{base}}
servername: localhost
admins: cyrus
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
tls_server_cert: {{pem}}
tls_server_key: {{pem}}
virtdomains: userid
autocreate_quota: 0
autocreate_inbox_folders: {folders}
{uses}
altnamespace: {alt}
unixhierarchysep: {alt}
"""
_CYRUS_CONF = """\
START {{
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="/usr/lib/cyrus/bin/imapd" listen="127.0.0.1:{port}" prefork=0
}}
EVENTS {{
}}
"""
SPECIAL = ("Drafts", "Sent", "Trash", "Junk")


class Cyrus(Elsewhere):
    """Cyrus as it is today: `Sent` beside the inbox, separator `/`. QUIRK: it accepts any password here."""

    package = "cyrus-imapd"
    etc: ClassVar = {
        "imapd.conf": _IMAPD_CONF.format(
            alt="yes",
            folders="|".join(SPECIAL),
            uses="\n".join(f"xlist-{name.lower()}: {name}" for name in SPECIAL),
        ),
        "cyrus.conf": _CYRUS_CONF,
    }
    environment: ClassVar = {"CYRUS_USER": "nobody", "CYRUS_GROUP": "nogroup"}
    script = (
        "mkdir -p {base}/conf {base}/spool {base}/proc {base}/lock\n"
        "exec /usr/lib/cyrus/bin/master -D -p {base}/master.pid"
    )


class OldCyrus(Cyrus):
    """Cyrus as it was until version 3: everything below INBOX, separator `.`, and a shared namespace without a
    prefix."""

    etc: ClassVar = {
        "imapd.conf": _IMAPD_CONF.format(alt="no", folders="Trash", uses=""),
        "cyrus.conf": _CYRUS_CONF,
    }


class Courier(Elsewhere):
    """Courier: everything below INBOX, no special-use attributes, no MOVE."""

    package = "courier-imap"
    etc: ClassVar = {
        "courier/authdaemonrc": (
            'authmodulelist="authuserdb"\nauthmodulelistorig="authuserdb"\ndaemons=2\n'
            "authdaemonvar=/run/courier/authdaemon\n"
        ),
    }
    script = """\
mkdir -p /run/courier/authdaemon
chmod 600 /etc/courier/userdb
makeuserdb
for user in {base}/mail/*; do [ -d $user/Maildir ] || maildirmake.courier $user/Maildir; done
/usr/lib/courier/courier-authlib/authdaemond &
set -a
. /etc/courier/imapd-ssl
. /etc/courier/imapd
IMAP_STARTTLS=YES
TLS_CERTFILE={pem}
TLS_CACHEFILE=
IMAP_EMPTYTRASH=
exec couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup {port} \
  /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
"""

    def passwords(self, users: Sequence[str]) -> dict[str, str]:
        rows = (
            f"{user}\tuid={{uid}}|gid={{gid}}|home={{base}}/mail/{user}|mail={{base}}/mail/{user}/Maildir"
            f"|imappw={_CRYPTED}|pop3pw={_CRYPTED}\n"
            for user in users
        )
        # Its TLS part drops its privileges to those of the user with this name.
        known = Path("/etc/passwd").read_text() + "courier:x:{uid}:{gid}::/:/bin/false\n"
        return {"courier/userdb": "".join(rows), "passwd": known}


class CourierPop(Courier):
    """Courier's POP3."""

    protocol = "pop3"
    greeting = b"+OK"
    package = "courier-pop"
    script = """\
mkdir -p /run/courier/authdaemon
chmod 600 /etc/courier/userdb
makeuserdb
for user in {base}/mail/*; do [ -d $user/Maildir ] || maildirmake.courier $user/Maildir; done
/usr/lib/courier/courier-authlib/authdaemond &
set -a
. /etc/courier/pop3d-ssl
. /etc/courier/pop3d
POP3_STARTTLS=YES
POP3_TLS_REQUIRED=0
TLS_CERTFILE={pem}
TLS_CACHEFILE=
exec couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup {port} \
  /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir
"""


class Imap4d(Elsewhere):
    """GNU imap4d, over Maildir."""

    package = "mailutils-imap4d"
    etc: ClassVar = {
        "imap4d.conf": """\
auth {{ authorization virtdomain; authentication generic; }};
virtdomain {{ passwd-dir {base}/etc/domains; }};
mailbox {{ mailbox-type maildir; mailbox-pattern "maildir:{base}/mail/${{user}}@example.net/INBOX"; }};
logging {{ syslog no; }};
tls {{ ssl-certificate-file {pem}; ssl-key-file {pem}; }};
tls-file-checks {{ key-file none; cert-file none; }};
server 127.0.0.1:{port} {{ tls-mode ondemand; }};
mode daemon;
foreground yes;
max-children 40;
"""
    }
    script = """\
for user in {base}/mail/*; do
    for folder in cur new tmp; do mkdir -p $user/INBOX/$folder; done
done
exec imap4d --config-file=/etc/imap4d.conf
"""

    def passwords(self, users: Sequence[str]) -> dict[str, str]:
        rows: dict[str, str] = {}
        for user in users:
            name, _, domain = user.partition("@")
            line = f"{name}:{_CRYPTED}:{{uid}}:{{gid}}::{{base}}/mail/{user}:/bin/false\n"
            rows[f"domains/{domain}"] = rows.get(f"domains/{domain}", "") + line
        return rows
