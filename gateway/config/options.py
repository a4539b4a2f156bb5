"""The table of options: the keys of the configuration file, and what they mean.

Nothing here may read a file or know a value; `loading` reads by this table, and `reference` prints the commented
sample and docs/configuration.md from it, so that all three agree. Syntax: TOML 1.0.
"""

from __future__ import annotations

from typing import Any

from gateway.config.option_kinds import Option, Section, ValueKind

MAX_THREADS = 256  # more would be slower, not faster, because of the GIL
MAX_UPLOAD = 100_000_000  # octets: each upload is in memory while its mail is built
MAX_MESSAGE = 200_000_000  # octets: several copies are in memory while it is sent
MAX_UDP_PORT = 65_535
MAX_PER_HOUR = 100_000  # mails: nobody types more
MAX_IDLE_MINUTES = 525_600  # minutes: one year

SECTIONS = (
    Section("http", "Plain HTTP: for phones without current TLS, and behind a reverse proxy."),
    Section("https", "HTTPS served by the gateway itself. Set all three keys, or none."),
    Section("display", "The name of the service, and defaults until people choose settings of their own."),
    Section("state", "The gateway's own records; mail is never stored here."),
    Section("session", "How long people stay signed in, and what stays in memory in the meantime."),
    Section(
        "submission",
        "Sending: the gateway's name at submission servers, and limits on what one account may send, so that a stolen "
        "session is useless for spam.",
    ),
    Section(
        "log",
        "The log, on standard error, where a service manager collects it. It contains no passwords, tokens or text of "
        "mail.",
    ),
    Section(
        "wap",
        "WAP 1.x phones that connect by UDP, without a WAP gateway in between. The phone's profile has the address of "
        "this machine as its gateway, and a page of this gateway as its home page (docs/wap-phones.md).",
    ),
    Section("outbound", "Requests that the gateway sends to other web servers on a person's behalf."),
    Section(
        "admin",
        "The administrator's panel. Once `pocketpost admin password` has set a password, it opens when the gateway "
        "starts.",
    ),
    Section("upstream", "The mail servers of some domains. Repeat the table for each provider.", array=True),
    Section(
        "handheld",
        "What some handhelds are, if the gateway takes them for others or does not know them. Repeat the table for "
        "each kind; the first whose pattern matches applies. Keys that are left out change nothing.",
        array=True,
    ),
)

OPTIONS = (
    Option(
        "http", "listen", ValueKind.LISTEN, "127.0.0.1:8080", '"127.0.0.1:8080"',
        "Address and port to serve HTTP on. Behind a reverse proxy, stay on loopback.", active=True,
    ),
    Option(
        "http", "url", ValueKind.OWN_URL, "", '"http://m.example.org"',
        "The gateway's URL as phones reach it: scheme, host and port, and a path if a proxy serves it under one "
        "(https://example.org/mail). Keep it within 25 characters: small phones take URLs of at most 100 bytes.",
    ),
    Option(
        "http", "names", ValueKind.NAMES, (), '["m.example.org", "192.0.2.7:8080"]',
        "Other names of this gateway, as they appear in addresses: with the port, unless it is the scheme's default. A "
        "person who came by one of them is redirected within it after signing in; everybody else to url or, without "
        "url, by only a path, which phones older than RFC 7231 may not follow.",
    ),
    Option(
        "http", "trusted_proxies", ValueKind.NETWORKS, (), '["127.0.0.1", "10.0.0.0/8"]',
        "Addresses of reverse proxies and WAP gateways that are trusted to name the client, in Forwarded, "
        "X-Forwarded-For, X-Forwarded-Proto or X-WAP-Network-Client-IP. List only those that set one of these fields "
        "themselves; proxies in a chain must all set the same one.",
    ),
    Option(
        "http", "threads", ValueKind.NUMBER, 16, "16",
        "Requests handled at the same time, in each worker.", high=MAX_THREADS,
    ),
    Option(
        "http", "upload_limit", ValueKind.NUMBER, 10_000_000, "10000000",
        "Octets of files that a person may attach to one mail from their device; 0 for none. Most mail servers accept "
        "messages of 10 to 50 million octets, and a file grows by a third in transit.",
        low=0, high=MAX_UPLOAD,
    ),
    Option(
        "https", "listen", ValueKind.LISTEN, "", '"0.0.0.0:8443"',
        "Address and port to serve HTTPS on.",
    ),
    Option(
        "https", "cert", ValueKind.FILE, None, '"cert.pem"',
        "The certificate with its chain, in PEM.",
    ),
    Option(
        "https", "key", ValueKind.FILE, None, '"key.pem"',
        "The certificate's private key, in PEM.",
    ),
    Option(
        "display", "service", ValueKind.TEXT, "Pocketpost", '"Pocketpost"',
        "What the sign-in page calls this service; short, as it is the page's title on small screens.",
    ),
    Option(
        "display", "timezone", ValueKind.TIMEZONE, "UTC", '"Europe/Berlin"',
        "Time zone of the dates on the screens, by its IANA name.",
    ),
    Option(
        "state", "database", ValueKind.NEW_FILE, "pocketpost.sqlite", '"pocketpost.sqlite"',
        "The SQLite file with sessions and short ids; created if missing, readable by its owner only. "
        "It must be on a local disk.",
    ),
    Option(
        "state", "secret", ValueKind.NEW_FILE, "pocketpost.secret", '"pocketpost.secret"',
        "The server secret, half of the key that encrypts passwords; created if missing. It must be readable by "
        "its owner only. Removing it ends every session. Do not back it up together with the database.",
    ),
    Option(
        "session", "idle_minutes", ValueKind.NUMBER, 720, "720",
        "Minutes without a request after which a session ends.", high=MAX_IDLE_MINUTES,
    ),
    Option(
        "session", "keep_read", ValueKind.FLAG, True, "false",
        "Keep in memory the paragraphs and pages of the last messages that a person read, and the rows of lists, so "
        "that the next page takes little work: at most 320 KB per connection to a mail server. They are dropped at "
        "sign-out, and when the person has been idle for five minutes.",
    ),
    Option(
        "submission", "helo", ValueKind.HOST, "", '"m.example.org"',
        "The gateway's name in EHLO. By default it is the host of http.url, if that has a dot and is not an address, "
        "else the gateway's address on the connection, in brackets.",
    ),
    Option(
        "submission", "per_hour", ValueKind.NUMBER, 100, "100",
        "Mails that one account may send in an hour, from all devices together; 0 for no limit. Whatever reaches the "
        "mail server counts, accepted or not, and a mail to many people counts as one for every ten of them.",
        low=0, high=MAX_PER_HOUR,
    ),
    Option(
        "submission", "message_limit", ValueKind.NUMBER, 50_000_000, "50000000",
        "Octets of a mail to be sent, in transit, including everything attached from the mailbox. A lower limit of the "
        "mail server (SIZE) takes precedence. The mail is in memory while it is sent.",
        low=1_000_000, high=MAX_MESSAGE,
    ),
    Option(
        "log", "format", ValueKind.CHOICE, "text", '"json"',
        "One line for people (text), or one JSON object per line (json).",
        choices=("text", "json"),
    ),
    Option(
        "log", "level", ValueKind.CHOICE, "info", '"warning"',
        "The lowest level that is written. Failed sign-ins are warnings: with error, fail2ban sees none.",
        choices=("debug", "info", "warning", "error"),
    ),
    Option(
        "log", "requests", ValueKind.FLAG, False, "true",
        "Also write a line for each request: method, path without token and query, status, octets, milliseconds, "
        "client and user agent.",
    ),
    Option(
        "wap", "listen", ValueKind.ADDRESS, "", '"0.0.0.0"',
        "The address on which phones are served; without it, none are served.",
    ),
    Option(
        "wap", "port", ValueKind.NUMBER, 9201, "9201",
        "The UDP port of sessions (connection-oriented WSP); phones expect 9201.", high=MAX_UDP_PORT,
    ),
    Option(
        "wap", "connectionless_port", ValueKind.NUMBER, 9200, "9200",
        "The UDP port of requests without a session (connectionless WSP); phones expect 9200.", high=MAX_UDP_PORT,
    ),
    Option(
        "wap", "trusted", ValueKind.NETWORKS, ("127.0.0.0/8",), '["127.0.0.0/8", "10.64.0.0/16"]',
        "Networks in which nobody can forge a sender address, such as that of your own cell or dial-in. Phones in all "
        "others first get a small page with a link, Continue, which proves their address, and have budgets.",
    ),
    Option(
        "wap", "connectionless", ValueKind.FLAG, False, "true",
        "Serve requests without a session to addresses outside the trusted networks, too.",
    ),
    Option(
        "outbound", "enabled", ValueKind.FLAG, True, "false",
        "Let people unsubscribe from mailing lists with one click: the gateway then sends the list's server an HTTPS "
        "request, to public addresses on port 443 only.",
    ),
    Option(
        "admin", "listen", ValueKind.LISTEN, "127.0.0.1:8090", '"127.0.0.1:8090"',
        "Address and port of the panel, never those of the handhelds. Anywhere but on loopback it needs cert and key; "
        "through an SSH tunnel it needs nothing (ssh -L 8090:127.0.0.1:8090 HOST).",
    ),
    Option(
        "admin", "cert", ValueKind.FILE, None, '"admin-cert.pem"',
        "The panel's certificate with its chain, in PEM; it is then served over HTTPS only.",
    ),
    Option(
        "admin", "key", ValueKind.FILE, None, '"admin-key.pem"',
        "The private key of that certificate, in PEM.",
    ),
    Option(
        "admin", "show_addresses", ValueKind.FLAG, False, "true",
        "Show accounts by mail address, not only by hash. The address is then kept at each sign-in, encrypted under "
        "the server secret; false erases what was kept, at the next start or reload.",
    ),
    Option(
        "admin", "metrics_token_file", ValueKind.SECRET, "", '"metrics.token"',
        "The file whose first line is the bearer token that readers of the panel's /metrics have to send. It must be "
        "readable by its owner only. Without it, only this machine can read /metrics.",
    ),
    Option(
        "upstream", "domains", ValueKind.DOMAINS, None, '["example.org"]',
        'The mail domains of these servers; "*" is any domain that no other upstream lists. If there is only one '
        "domain, people may leave it out when they sign in.", required=True, active=True,
    ),
    Option(
        "upstream", "imap", ValueKind.IMAP, None, '"imaps://mail.example.org"',
        "The IMAP server: imaps:// (port 993), imap+starttls:// (143) or imap:// (143, without TLS: loopback "
        "only, or with insecure = true). This or pop3 is needed.", active=True,
    ),
    Option(
        "upstream", "pop3", ValueKind.POP3, None, '"pop3s://mail.example.org"',
        "A POP3 server instead, for providers without IMAP: pop3s:// (port 995), pop3+starttls:// (110) or pop3:// "
        "(110, without TLS: as above). It has one folder and no search, keeps no copies of sent mail, and deletes "
        "permanently. Mail is left on it.",
    ),
    Option(
        "upstream", "smtp", ValueKind.SMTP, None, '"smtp+starttls://mail.example.org:587"',
        "The submission server: smtps:// (port 465), smtp+starttls:// (587) or smtp:// (587, without TLS: "
        "loopback only, or with insecure = true).", required=True, active=True,
    ),
    Option(
        "upstream", "ca_file", ValueKind.FILE, None, '"ca.pem"',
        "Certificates to trust instead of the system's, in PEM, for both servers.",
    ),
    Option(
        "upstream", "insecure", ValueKind.FLAG, False, "true",
        "Accept these servers without TLS, or with a certificate that cannot be verified. Passwords can then "
        "be read in transit.",
    ),
    Option(
        "upstream", "login", ValueKind.CHOICE, "address", '"local-part"',
        "User names at these servers: the whole address, or the part before the @.",
        choices=("address", "local-part"),
    ),
    Option(
        "upstream", "imap_login", ValueKind.LOGIN, "", '"{local}"',
        "User names at the IMAP server if login does not fit: a template with {address}, {local} (the part before the "
        "@, whatever is typed there: web12p3, DOM\\user) and {domain}.",
    ),
    Option(
        "upstream", "pop3_login", ValueKind.LOGIN, "", '"{local}"',
        "The same for the POP3 server.",
    ),
    Option(
        "upstream", "smtp_login", ValueKind.LOGIN, "", '"{local}@smtp.example.org"',
        "The same for the submission server, if it has other user names.",
    ),
    Option(
        "upstream", "smtp_user", ValueKind.TEXT, "", '"relay"',
        "A user name with which the gateway signs in to the submission server for everybody, such as at a smarthost, "
        "instead of each person's own. It needs smtp_password_file.",
    ),
    Option(
        "upstream", "smtp_password_file", ValueKind.SECRET, "", '"relay.password"',
        "The file with the password of smtp_user, in its first line. It must be readable by its owner only, and is "
        "read when the gateway starts.",
    ),
    Option(
        "upstream", "case_sensitive_logins", ValueKind.FLAG, False, "true",
        "Whether Anna and anna are two mailboxes at these servers. Usually they are not, and both are one account "
        "here: settings, contacts and everything else stored are shared by all spellings of a login.",
    ),
    Option(
        "upstream", "sent_copy", ValueKind.CHOICE, "auto", '"append"',
        "Who puts a copy of sent mail into the Sent folder: the gateway (append), the provider itself (provider), or "
        "whoever does (auto): the gateway looks for the provider's copy, and files its own if there is none.",
        choices=("auto", "append", "provider"),
    ),
    Option(
        "upstream", "from_addresses", ValueKind.CHOICE, "login", '"domain"',
        "The addresses that a person may send from: only the one they sign in with (login), any in this upstream's "
        "domains (domain), or any at all (any). Allow no more than the submission server does: it has the last word.",
        choices=("login", "domain", "any"),
    ),
    Option(
        "upstream", "special", ValueKind.FOLDERS, (), '{ sent = "Sent Items", trash = "Deleted Items" }',
        "The folders for drafts and sent mail, the trash, junk and the archive, for servers that neither mark them "
        "(SPECIAL-USE) nor give them a name that the gateway knows: pocketpost check ADDRESS shows how each was found. "
        "Write the path of the folder in everybody's mailbox, with / between names and without the server's prefix "
        "(INBOX.). A folder that is missing is looked for as if this option were not set.",
        choices=("drafts", "sent", "trash", "junk", "archive"),
    ),
    Option(
        "handheld", "pattern", ValueKind.TEXT, None, '"Nokia3410/*"',
        "The User-Agents of these handhelds, in any case: * is any text, ? any character, [12] one of these. The panel "
        "shows those that it has seen.", required=True,
    ),
    Option(
        "handheld", "profile", ValueKind.CHOICE, None, '"nokia3330"',
        "The known handheld that these are like.",
        choices=(
            "nokia7110", "nokia3330", "ericssont68", "nokia6100", "nokia6610", "upbrowser3", "upbrowser4", "nokia6230",
            "motorolav3", "sonyericsson", "wapua", "kaios", "kindle", "textbrowser", "wml5000", "wml", "xhtml",
        ),
    ),
    Option(
        "handheld", "markup", ValueKind.CHOICE, None, '"wml"',
        "Their markup, whatever they say they accept, from the next page on. Whoever signs in at /w or /m has chosen "
        "that markup and keeps it. When this is removed, sessions keep what they began with.", choices=("wml", "xhtml"),
    ),
    Option(
        "handheld", "deck", ValueKind.NUMBER, None, "2800",
        "Octets of a page in WML, compiled.", low=600, high=100_000,
    ),
    Option(
        "handheld", "page", ValueKind.NUMBER, None, "5000",
        "Octets of a page in XHTML.", low=2500, high=100_000,
    ),
    Option(
        "handheld", "screen", ValueKind.SCREEN, None, '"96x65"',
        "Their screen, to which pictures are scaled.",
    ),
    Option(
        "handheld", "columns", ValueKind.NUMBER, None, "16",
        "Characters in a line.", low=8, high=250,
    ),
    Option(
        "handheld", "rows", ValueKind.NUMBER, None, "9",
        "Messages on a page of a list, if that many fit.", high=20,
    ),
    Option(
        "handheld", "input_limit", ValueKind.NUMBER, None, "1400",
        "Octets that one of their forms can send.", low=100, high=10_000_000,
    ),
    Option(
        "handheld", "wml_version", ValueKind.CHOICE, None, '"1.1"',
        "The version of WML that they know; access keys exist from 1.2 on.", choices=("1.1", "1.2", "1.3"),
    ),
    Option(
        "handheld", "cookies", ValueKind.FLAG, None, "false",
        "Whether they keep cookies; if not, the session is in the address.",
    ),
    Option(
        "handheld", "caches_regardless", ValueKind.FLAG, None, "true",
        "Whether they show old pages again whatever the gateway says, so that a fresh one needs a new address.",
    ),
    Option(
        "handheld", "attribute_references", ValueKind.FLAG, None, "false",
        "Whether attribute values of a compiled deck may refer to its string table, which makes it smaller.",
    ),
    Option(
        "handheld", "shows_titles", ValueKind.FLAG, None, "false",
        "Whether they show the title of a deck; if they do, the sender of a message need not be repeated below it.",
    ),
    Option(
        "handheld", "images", ValueKind.CHOICES, None, '["image/gif", "image/vnd.wap.wbmp"]',
        "The pictures that they can show, best first, whatever they say they accept.",
        choices=("image/vnd.wap.wbmp", "image/gif", "image/png", "image/jpeg"),
    ),
)  # fmt: skip


def options_of(section: Section) -> tuple[Option, ...]:
    """Return the options of a section, in order."""
    return tuple(option for option in OPTIONS if option.section == section.name)


def default(section: str, name: str) -> Any:
    """Return the default of an option."""
    (option,) = (option for option in OPTIONS if (option.section, option.name) == (section, name))
    return option.default
