"""config, options, values, toml_lines: the file is read correctly, and every mistake is reported with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Config, Server, Tls, Upstream, load
from gateway.config.hosts import domain_name, host_port, listen_address
from gateway.config.options import OPTIONS, SECTIONS
from gateway.config.reference import reference, sample
from gateway.config.toml_lines import KeyLines
from gateway.device import Override
from gateway.errors import ConfigError, UnknownDomain

UPSTREAM = """\
[[upstream]]
domains = ["example.org"]
imap = "imaps://mail.example.org"
smtp = "smtps://mail.example.org"
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "pocketpost.toml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    return to_file


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def upstream(*domains: str, **more: Any) -> Upstream:
    return Upstream(
        domains,
        Server("imap", domains[0], 993, Tls.IMPLICIT),
        Server("smtp", domains[0], 465, Tls.IMPLICIT),
        **more,
    )


def test_the_smallest_file_takes_all_defaults(write: Write, tmp_path: Path) -> None:
    config = load(write(UPSTREAM))
    server = {"ca_file": None, "insecure": False}
    assert config == Config(
        upstreams=(
            Upstream(
                domains=("example.org",),
                store=Server("imap", "mail.example.org", 993, Tls.IMPLICIT, **server),
                smtp=Server("smtp", "mail.example.org", 465, Tls.IMPLICIT, **server),
            ),
        ),
        state=tmp_path / "pocketpost.sqlite",
        secret=tmp_path / "pocketpost.secret",
    )


def _password(file: Path, octets: bytes = "s3 cr€t\nnot this\n".encode(), mode: int = 0o600) -> None:
    file.write_bytes(octets)
    file.chmod(mode)


def test_every_key_is_read_and_paths_are_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem", "ca.pem"):
        (tmp_path / name).touch()
    _password(tmp_path / "relay.password")
    (tmp_path / "var").mkdir()
    path = write(
        """
        [http]
        listen = "[::1]:80"
        url = "HTTP://M.example.org:8080/"
        names = ["Bücher.example", "192.0.2.7:8080", "[2001:DB8::1]"]
        trusted_proxies = ["127.0.0.1", "2001:db8::/32"]
        threads = 3
        [https]
        listen = "0.0.0.0:443"
        cert = "cert.pem"
        key = "key.pem"
        [display]
        timezone = "Europe/Berlin"
        [state]
        database = "var/state"
        secret = "var/secret"
        [session]
        idle_minutes = 7
        [submission]
        helo = "Mail.example.org"
        [admin]
        listen = "192.0.2.1:8090"
        cert = "cert.pem"
        key = "key.pem"
        [[upstream]]
        domains = ["Example.ORG", "bücher.example", "*"]
        imap = "imap+starttls://[2001:db8::1]:1143"
        smtp = "smtp+starttls://bücher.example"
        ca_file = "ca.pem"
        insecure = true
        login = "local-part"
        imap_login = "{local}"
        smtp_login = "{domain}\\\\{local}"
        smtp_user = "relay"
        smtp_password_file = "relay.password"
        sent_copy = "provider"
        from_addresses = "domain"
        """
    )
    ca = tmp_path / "ca.pem"
    assert load(path) == Config(
        upstreams=(
            Upstream(
                domains=("example.org", "xn--bcher-kva.example", "*"),
                store=Server("imap", "2001:db8::1", 1143, Tls.STARTTLS, ca, insecure=True),
                smtp=Server(
                    "smtp", "xn--bcher-kva.example", 587, Tls.STARTTLS, ca, True, (), "mail.example.org"
                ),
                login="local-part",
                imap_login="{local}",
                smtp_login="{domain}\\{local}",
                sent_copy="provider",
                from_addresses="domain",
                gateway_user="relay",
                gateway_password="s3 cr€t",
            ),
        ),
        listen="[::1]:80",
        url="http://m.example.org:8080",
        names=("xn--bcher-kva.example", "192.0.2.7:8080", "[2001:db8::1]"),
        trusted_proxies=(ip_network("127.0.0.1/32"), ip_network("2001:db8::/32")),
        https_listen="0.0.0.0:443",
        https_cert=tmp_path / "cert.pem",
        https_key=tmp_path / "key.pem",
        timezone="Europe/Berlin",
        state=tmp_path / "var/state",
        secret=tmp_path / "var/secret",
        idle_minutes=7,
        threads=3,
        admin_listen="192.0.2.1:8090",
        admin_cert=tmp_path / "cert.pem",
        admin_key=tmp_path / "key.pem",
    )


@pytest.mark.parametrize(
    ("key", "url", "port", "tls"),
    [
        ("imap", "imaps://a.example", 993, Tls.IMPLICIT),
        ("imap", "imap+starttls://a.example", 143, Tls.STARTTLS),
        ("imap", "imap://localhost", 143, Tls.NONE),
        ("imap", "imap://127.0.0.9:1", 1, Tls.NONE),
        ("imap", "imap://[::1]", 143, Tls.NONE),
        ("pop3", "pop3s://a.example", 995, Tls.IMPLICIT),
        ("pop3", "pop3+starttls://a.example", 110, Tls.STARTTLS),
        ("pop3", "pop3://localhost", 110, Tls.NONE),
        ("smtp", "smtps://a.example", 465, Tls.IMPLICIT),
        ("smtp", "smtp+starttls://a.example", 587, Tls.STARTTLS),
        ("smtp", "smtp://localhost", 587, Tls.NONE),
    ],
)
def test_schemes_say_protection_and_port(write: Write, key: str, url: str, port: int, tls: Tls) -> None:
    replaced = "smtp" if key == "smtp" else "imap"
    path = write(re.sub(rf'{replaced} = ".*"', f'{key} = "{url}"', UPSTREAM))
    served = load(path).upstreams[0]
    server: Server = served.smtp if key == "smtp" else served.store
    assert (server.protocol, server.port, server.tls) == (key, port, tls)


def test_plain_text_to_another_machine_needs_insecure(write: Write) -> None:
    text = UPSTREAM.replace("imaps://", "imap://")
    assert "line 3: [[upstream]] imap: imap:// without TLS is for loopback only" in refused(write(text))
    assert load(write(text + "insecure = true\n")).upstreams[0].store.tls is Tls.NONE


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[https]\nlisten = '0.0.0.0:443'", "line 6: [https]: listen, cert and key are needed together"),
        ("[http]\nlisen = 'x'", "line 7: [http] lisen: unknown key; did you mean listen?"),
        ("[http]\n\nlisten = 8080", "line 8: [http] listen: a text in quotes is needed"),
        ("[http]\nlisten = 'localhost'", "line 7: [http] listen: HOST:PORT is needed"),
        ("[http]\nlisten = '::1:80'", "line 7: [http] listen: an IPv6 address stands in brackets"),
        ("[http]\nlisten = '127.0.0.1:65536'", "line 7: [http] listen: HOST:PORT"),
        ("[http]\nlisten = ':80'", "line 7: [http] listen: HOST:PORT"),
        (
            "[http]\nurl = 'm.example.org'",
            "line 7: [http] url: a URL is needed that begins with one of http://",
        ),
        ("[http]\nurl = 'http://m.example.org/?mail'", "line 7: [http] url: only scheme, host and port"),
        ("[http]\nurl = 'http://'", "line 7: [http] url: a URL is needed"),
        ("[http]\nurl = 'http://m.example.org:'", "line 7: [http] url: port is missing"),
        ("[http]\nurl = 'http://a b'", "line 7: [http] url: not a domain"),
        ("[http]\nnames = []", "line 7: [http] names: a list of host names is needed"),
        (
            "[http]\nnames = ['http://m.example']",
            'line 7: [http] names: "http://m.example" is not a host name',
        ),
        ("[http]\nnames = ['m.example/w']", 'line 7: [http] names: "m.example/w" is not a host name'),
        ("[http]\nnames = ['m.example:']", 'line 7: [http] names: "m.example:" is not a host name'),
        ("[http]\ntrusted_proxies = '::1'", "line 7: [http] trusted_proxies: a list of networks is needed"),
        ("[http]\ntrusted_proxies = ['10.0.0.1/8']", 'line 7: [http] trusted_proxies: "10.0.0.1/8" is not'),
        ("[http]\ntrusted_proxies = ['proxy']", 'line 7: [http] trusted_proxies: "proxy" is not a network'),
        ("[http]\ntrusted_proxies = ['::/0']", "line 7: [http] trusted_proxies: a network of all addresses"),
        ("[http]\nthreads = true", "line 7: [http] threads: a whole number from 1 to 256"),
        ("[http]\nthreads = 1.5", "line 7: [http] threads: a whole number"),
        ("[http]\nthreads = 0", "line 7: [http] threads: a whole number"),
        ("[https]\nlisten='0.0.0.0:1'\nkey='k.pem'\ncert='c.pem'", "line 9: [https] cert: there is no file"),
        (
            "[admin]\nlisten = '0.0.0.0:8090'",
            "line 7: [admin] listen: anywhere but on loopback it needs cert and key",
        ),
        (
            "[admin]\nlisten = '127.0.0.1:8080'",
            "line 7: [admin] listen: the handhelds' listener is not for the panel",
        ),
        ("[admin]\ncert = 'x'", "line 7: [admin] cert: there is no file"),
        ("[display]\ntimezone = 'Europe/Atlantis'", "line 7: [display] timezone: there is no time zone"),
        ("[display]\ntimezone = '../../etc/passwd'", "line 7: [display] timezone: there is no time zone"),
        ("[display]\ntimezone = 'Europe'", "line 7: [display] timezone: there is no time zone"),
        ("[state]\ndatabase = 'not/there'", "line 7: [state] database:"),
        ("[state]\nsecret = '.'", "line 7: [state] secret:"),
        ("[session]\nidle_minutes = '5'", "line 7: [session] idle_minutes: a whole number"),
        ("[printer]\nlevel = 1", "line 6: printer: unknown; known are http"),
        ("[[http]]\n", "line 6: [http]: write it as a table, [http]"),
        ("[http]\nlisten = ", "line 7: Invalid value"),
        ("[http]\nthreads = 1\nthreads = 2", "line 8: Cannot overwrite a value"),
        ("[http", "line 6: Expected ']'"),
        ('[http]\nurl = """', "line 7: "),
        ("# \udcff", "line 6: not UTF-8"),
        (UPSTREAM, 'line 7: [[upstream]] domains: "example.org" stands twice'),
        (
            "[[upstream]]\ndomains = ['other.example']\nimap = 'imaps://a.example'",
            "line 6: [[upstream]] smtp: is needed",
        ),
    ],
)
def test_mistakes_are_named_with_their_line(write: Write, line: str, said: str) -> None:
    path = write(UPSTREAM + "\n" + line)
    assert refused(path).startswith(f"{path}, {said}")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("domains", "[]", "line 2: [[upstream]] domains: a list of domains is needed"),
        ("domains", "'example.org'", "line 2: [[upstream]] domains: a list of domains is needed"),
        ("domains", "['exa mple.org']", 'line 2: [[upstream]] domains: "exa mple.org" is not a domain'),
        ("domains", "['a.example', 'A.Example.']", 'line 2: [[upstream]] domains: "a.example" stands twice'),
        ("domains", "[1]", "line 2: [[upstream]] domains: a text in quotes is needed"),
        (
            "imap",
            "'smtps://a.example'",
            "line 3: [[upstream]] imap: a URL is needed that begins with one of imaps://",
        ),
        ("imap", "'imaps://anna:secret@a.example'", "line 3: [[upstream]] imap: only scheme, host and port"),
        ("imap", "'imaps://a.example?'", "line 3: [[upstream]] imap: only scheme, host and port"),
        ("imap", "'imaps://a.example:993x'", "line 3: [[upstream]] imap: "),
        ("imap", "'imaps://a.example:0'", "line 3: [[upstream]] imap: port is missing or 0"),
        ("imap", "'imaps://[::1'", "line 3: [[upstream]] imap: "),
        ("imap", '"imaps://a.example\\n"', "line 3: [[upstream]] imap: holds a control character"),
        ("smtp", "'smtp://10.0.0.1'", "line 4: [[upstream]] smtp: smtp:// without TLS"),
        ("ca_file", "'ca.pem'", "line 5: [[upstream]] ca_file: there is no file"),
        ("insecure", "'no'", "line 5: [[upstream]] insecure: true or false is needed"),
        ("login", "'name'", 'line 5: [[upstream]] login: one of "address", "local-part" is needed'),
        ("from_addresses", "'all'", 'line 5: [[upstream]] from_addresses: one of "login", "domain", "any"'),
        ("sent_copy", "['append']", 'line 5: [[upstream]] sent_copy: one of "auto", "append", "provider"'),
    ],
)
def test_mistakes_of_an_upstream(write: Write, key: str, value: str, said: str) -> None:
    lines = [line for line in UPSTREAM.splitlines() if not line.startswith(key)]
    lines.insert({"domains": 1, "imap": 2, "smtp": 3}.get(key, 4), f"{key} = {value}")
    path = write("\n".join(lines))
    message = refused(path)
    assert message.startswith(f"{path}, {said}")
    assert "secret" not in message


@pytest.mark.parametrize(
    "text", ["", "upstream = 1", "upstream = [1]", "[upstream]\ndomains = ['a.example']"]
)
def test_an_upstream_is_needed_as_an_array_of_tables(write: Write, text: str) -> None:
    assert "line 1: [[upstream]]: " in refused(write(text))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "no.toml: cannot be read: No such file" in refused(tmp_path / "no.toml")


def test_inline_tables_have_lines_too(write: Write) -> None:
    one = "{domains=['a.example'], imap='imaps://a.example', smtp='smtps://a.example'}"
    text = f"upstream = [\n  {one},\n  # {{\n  {{domain=1}},\n]"
    assert "line 4: [[upstream]] domain: unknown key; did you mean domains?" in refused(write(text))


def test_the_own_domain_wins_over_any() -> None:
    config = Config(upstreams=(upstream("*"), upstream("example.org", "xn--bcher-kva.example")))
    assert config.upstream_for("anna@EXAMPLE.org") is config.upstreams[1]
    assert config.upstream_for("anna@example.org.") is config.upstreams[1]
    assert config.upstream_for("anna@Bücher.example") is config.upstreams[1]
    assert config.upstream_for('"odd@local"@example.org') is config.upstreams[1]
    assert config.upstream_for("anna@elsewhere.example") is config.upstreams[0]


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@", "@", "anna@other.example", "anna@*", "a@b c", "a@..", "a@" + "x" * 9000]
)
def test_an_unknown_domain_is_said(address: str) -> None:
    config = Config(upstreams=(upstream("example.org"),))
    with pytest.raises(UnknownDomain):
        config.upstream_for(address)


@pytest.mark.parametrize("address", ["anna", "anna@", "anna@*", "anna@exa mple"])
def test_any_domain_still_means_a_domain(address: str) -> None:
    with pytest.raises(UnknownDomain):
        Config(upstreams=(upstream("*"),)).upstream_for(address)


@given(st.text(max_size=300))
def test_any_address_has_an_upstream_or_is_unknown(address: str) -> None:
    config = Config(upstreams=(upstream("example.org"), upstream("*")))
    complete = config.complete_address(address)
    try:
        assert config.upstream_for(complete) in config.upstreams
    except UnknownDomain:
        pass


@pytest.mark.parametrize(
    ("domains", "typed", "address"),
    [
        (["example.org"], " anna ", "anna@example.org"),
        (["example.org"], "Anna@Other.Example", "Anna@other.example"),
        (["example.org"], "", ""),
        (["example.org", "example.com"], "anna", "anna"),
        (["*"], "anna", "anna"),
        (["example.org", "*"], "anna", "anna@example.org"),
    ],
)
def test_one_domain_may_be_left_out(domains: list[str], typed: str, address: str) -> None:
    assert Config(upstreams=(upstream(*domains),)).complete_address(typed) == address


def test_the_login_is_the_address_or_its_local_part() -> None:
    assert upstream("example.org").user("anna@example.org") == "anna@example.org"
    assert upstream("example.org", login="local-part").user("anna@b@example.org") == "anna@b"


def test_the_logins_at_the_two_servers_may_differ() -> None:
    both = upstream("example.org", imap_login="{local}", smtp_login="{domain}+{local}")
    assert both.user("DOM\\anna{domain}@example.org") == "DOM\\anna{domain}"
    assert both.smtp_credentials("web12p3@example.org", "x") == ("example.org+web12p3", "x")
    assert (
        upstream("example.org", login="local-part", imap_login="{address}").smtp_credentials("a@b", "x")[0]
        == "a"
    )


def test_mail_is_read_by_one_protocol(write: Write) -> None:
    without = re.sub(r"imap = .*\n", "", UPSTREAM)
    assert "line 1: [[upstream]] imap: this or pop3 is needed" in refused(write(without))
    both = UPSTREAM + "pop3 = 'pop3s://a.example'\n"
    assert "[[upstream]] pop3: not beside imap" in refused(write(both))
    misplaced = UPSTREAM + "pop3_login = '{local}'\n"
    assert "[[upstream]] pop3_login: not without pop3" in refused(write(misplaced))
    text = without + "pop3 = 'pop3s://a.example'\npop3_login = '{local}'\n"
    assert load(write(text)).upstreams[0].user("anna@example.org") == "anna"


@pytest.mark.parametrize(
    "template", ["", "mail", "{domain}", "{local", "{local}{user}", "{local!r}", "{local}}"]
)
def test_a_template_without_the_person_is_refused(write: Write, template: str) -> None:
    for name in ("imap_login", "smtp_login"):
        with pytest.raises(ConfigError, match=rf"line \d+: .*{name}: .*\{{"):
            load(write(f'{UPSTREAM}\n{name} = "{template}"\n'))


@pytest.mark.parametrize(
    "url",
    [
        "imaps://a.example:993",
        "imap+starttls://[2001:db8::1]:143",
        "smtp://127.0.0.1:25",
        "pop3s://a.example:995",
    ],
)
def test_a_server_is_named_as_it_is_configured(write: Write, url: str) -> None:
    protocol = re.split(r"s?(?:\+|:)", url)[0]
    replaced = "smtp" if protocol == "smtp" else "imap"
    text = re.sub(rf'{replaced} = ".*"', f'{protocol} = "{url}"\ninsecure = true', UPSTREAM)
    served = load(write(text)).upstreams[0]
    assert (served.smtp if protocol == "smtp" else served.store).url == url


@given(st.ip_addresses().map(str) | st.just("m.example.org"), st.integers(1, 65535))
def test_what_is_written_as_host_and_port_is_read(host: str, port: int) -> None:
    assert listen_address(host_port(host, port)) == (host, port)


def test_listen_addresses() -> None:
    assert listen_address("[::1]:80") == ("::1", 80)
    assert listen_address("localhost:8080") == ("localhost", 8080)
    for bad in ("[127.0.0.1]:80", "a:b:80", "a:", "a:٣", "80", "a:-1", ""):
        with pytest.raises(ValueError):
            listen_address(bad)


@given(st.text(max_size=80))
def test_a_domain_has_one_spelling(text: str) -> None:
    try:
        name = domain_name(text)
    except ValueError:
        return
    assert name.isascii()
    assert domain_name(name) == name


# Submission


RELAY = """
[[upstream]]
domains = ["example.org"]
imap = "imaps://mail.example.org"
smtp = "smtps://mail.example.org"
"""


@pytest.mark.parametrize(
    ("lines", "helo"),
    [
        ("", ""),
        ('[http]\nurl = "http://M.example.org:8080"', "m.example.org"),
        ('[http]\nurl = "http://192.0.2.1"', ""),
        ('[http]\nurl = "http://[2001:db8::1]:8080"', ""),
        ('[http]\nurl = "http://localhost:8080"', ""),
        ('[http]\nurl = "http://m.localhost:8080"', ""),
        ('[http]\nurl = "http://pocket"', ""),
        ('[http]\nurl = "http://m.example.org"\n[submission]\nhelo = "pocket"', "pocket"),
        ('[submission]\nhelo = "192.0.2.1"', "[192.0.2.1]"),
        ('[submission]\nhelo = "2001:db8::1"', "[IPv6:2001:db8::1]"),
    ],
)
def test_the_name_in_ehlo(write: Write, lines: str, helo: str) -> None:
    upstream = load(write(lines + RELAY)).upstreams[0]
    assert (upstream.smtp.helo, upstream.store.helo) == (helo, "")


def test_a_name_that_would_be_a_command_is_none(write: Write) -> None:
    with pytest.raises(ConfigError, match="helo: "):
        load(write('[submission]\nhelo = "a b"' + RELAY))


def test_the_gateways_own_password_replaces_everybodys_and_is_not_shown(write: Write, tmp_path: Path) -> None:
    _password(tmp_path / "relay.password")
    config = load(write(RELAY + 'smtp_user = "relay"\nsmtp_password_file = "relay.password"'))
    assert config.upstreams[0].smtp_credentials("a@example.org", "own") == ("relay", "s3 cr€t")
    assert "s3 cr€t" not in repr(config)


@pytest.mark.parametrize(
    ("octets", "mode", "problem"),
    [
        (b"secret\n", 0o640, "others may read"),
        (b"", 0o600, "is no password"),
        (b"\nsecret", 0o600, "is no password"),
        (b"a\0b\n", 0o600, "is no password"),
        (b"\xff\n", 0o600, "is not UTF-8"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_password_file_that_is_none(
    write: Write, tmp_path: Path, octets: bytes | None, mode: int, problem: str
) -> None:
    if octets is not None:
        _password(tmp_path / "relay.password", octets, mode)
    with pytest.raises(ConfigError, match=rf"line 7: .*{problem}") as caught:
        load(write(RELAY + 'smtp_user = "relay"\nsmtp_password_file = "relay.password"'))
    assert "secret\n" not in str(caught.value)


@pytest.mark.parametrize("half", ['smtp_user = "relay"', 'smtp_password_file = "relay.password"'])
def test_half_a_credential_is_none(write: Write, tmp_path: Path, half: str) -> None:
    _password(tmp_path / "relay.password")
    with pytest.raises(ConfigError, match="smtp_user and smtp_password_file are needed together"):
        load(write(RELAY + half))


# The sample and the reference


def test_the_sample_is_a_configuration(write: Write) -> None:
    config = load(write(sample()))
    assert config.upstreams[0].domains == ("example.org",)
    assert config.listen == "127.0.0.1:8080"


def test_the_sample_holds_with_every_comment_removed(write: Write, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem", "ca.pem", "admin-cert.pem", "admin-key.pem"):
        (tmp_path / name).touch()
    _password(tmp_path / "relay.password")
    _password(tmp_path / "metrics.token")
    text = re.sub(r"(?m)^# (\[+\w+\]+$|\w+ = .*)", r"\1", sample())
    parsed = tomllib.loads(text)
    tables = {**parsed, "upstream": parsed["upstream"][0], "handheld": parsed["handheld"][0]}
    assert {(section, key) for section, keys in tables.items() for key in keys} == {
        (option.section, option.name) for option in OPTIONS
    }
    for store, other in (("imap", "pop3"), ("pop3", "imap")):
        one = re.sub(rf"(?m)^{other}(_login)? = .*\n", "", text)
        served = load(write(one))
        assert (served.upstreams[0].store.protocol, served.timezone) == (store, "Europe/Berlin")


def test_handhelds_are_read_as_overrides(write: Write) -> None:
    tables = """
[[handheld]]
pattern = "Nokia3410/*"
profile = "nokia3330"
screen = "96x65"
images = ["image/gif", "image/vnd.wap.wbmp"]
cookies = false

[[handheld]]
pattern = "*"
"""
    first, second = map(Override.of, load(write(UPSTREAM + tables)).handhelds)
    assert first == Override(
        pattern="Nokia3410/*",
        profile="nokia3330",
        screen=(96, 65),
        images=("image/gif", "image/vnd.wap.wbmp"),
        cookies=False,
    )
    assert second == Override(pattern="*")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('profile = "nokia3310"', 'one of "nokia7110"'),
        ('markup = "html"', 'one of "wml", "xhtml" is needed'),
        ("deck = 599", "a whole number from 600 to 100000 is needed"),
        ('deck = "2000"', "a whole number"),
        ('screen = "96"', "width and height in pixels are needed"),
        ('screen = "96x99999"', "width and height in pixels are needed"),
        ("images = []", "a list is needed"),
        ('images = ["image/gif", "image/gif"]', "with nothing twice"),
        ('images = ["image/svg+xml"]', 'one of "image/vnd.wap.wbmp"'),
        ('pattern = "again"', ""),
        ('agent = "x"', "unknown key"),
    ],
)
def test_a_handheld_that_is_none_is_said(write: Write, line: str, problem: str) -> None:
    said = refused(write(f'{UPSTREAM}\n[[handheld]]\npattern = "x\\u002A"\n{line}\n'))
    assert problem in said


def test_a_handheld_needs_a_pattern(write: Write) -> None:
    for table in ("[[handheld]]\ndeck = 900", '[[handheld]]\npattern = ""', '[handheld]\npattern = "x"'):
        assert "handheld" in refused(write(f"{UPSTREAM}\n{table}\n"))


def test_every_option_has_a_section() -> None:
    assert {option.section for option in OPTIONS} == {section.name for section in SECTIONS}


def test_the_page_of_the_docs_is_what_the_table_prints() -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text("utf-8") == reference(), "write it anew: make reference"


# Lines of keys

_NAMES = st.sampled_from(["a", "b-1", "'q.x'", '"esc\\u0061 # ["', "x.y", 'z . "w"'])
_VALUES = st.sampled_from(
    [
        "1", "-0.5e3", "true", "1979-05-27 07:32:00Z", "'a # [b]'", '"a \\" = ]"', '"""\nx = 1\n\\"""" \'"""',
        "'''\n[t]\nk = 1\n'''''", '"""a\n= """""', "[]",
        "[\n 1, # x ]\n 'a',\n]", "{}", "{k.l = 1, m = [1, {n = 'x}'}]}",
        '[{o = 1},\n{o = 2}]',
    ]
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Write keys and tables randomly; most are valid TOML."""
    lines: list[str] = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["pair", "pair", "table", "array", "comment"]))
        name = draw(_NAMES)
        pair = f"{name}.unique{len(lines)} = {draw(_VALUES)}  # {kind}"
        lines.append(
            {"pair": pair, "table": f"[ {name} ]", "array": f"[[{name}]]", "comment": "\t# [no] k = '''"}[
                kind
            ]
        )
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


def walk(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from walk(inner, (*path, key))


@given(documents())
def test_every_key_has_its_line(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = KeyLines(text)
    rows = ["", *text.split("\n")]
    for path in walk(data):
        if isinstance(path[-1], str):
            assert path[-1].replace("esca", "esc\\u0061") in rows[lines.of(path)], path


@given(st.text(alphabet="[]{}=.,'\"\\# \nab1", max_size=60))
def test_the_scanner_ends_on_anything(text: str) -> None:
    try:
        found = KeyLines(text)
    except ValueError:  # text that is not TOML may have no closing bracket
        return
    assert found is not None
