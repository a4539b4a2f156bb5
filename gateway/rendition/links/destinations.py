"""Destinations: where a link really leads, stated so that nobody can mistake it.

Nothing here may fetch or look up. A URL is parsed as browsers do (WHATWG URL §4.4: backslashes are slashes, numbers are
addresses) and rewritten in ASCII (RFC 3986, RFC 5891), so that the host shown is the host that the phone asks for.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from gateway.rendition.links.urls import allowed

_PARTS: Final = re.compile(
    r"(?P<scheme>https?)://(?:(?P<login>[^/?#]*)@)?(?P<host>\[[^\]/?#]*\]|[^:/?#@\[\]]*)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE | re.DOTALL,
)
_SLASHES: Final = re.compile(r"(https?:)/*", re.IGNORECASE)
#: Characters that are not escaped: RFC 3986 §2.2, §2.3 and the percent sign.
_UNESCAPED: Final = "!#$%&'()*+,/:;=?@[]~-._"
#: Brackets are only for hosts.
_UNESCAPED_IN_LOGIN: Final = "".join(sign for sign in _UNESCAPED if sign not in "@/[]")
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_IPV6: Final = re.compile(r"\[[0-9a-fA-F:.]{2,45}\]")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}

#: Characters of a link's text that are searched for a site's name.
_LOOKED_AT: Final = 500
#: Scripts that are written together (UTS 39 §5.1, highly restrictive).
_TOGETHER: Final = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
#: Letters that look like a common Latin one on a small screen: Cyrillic, Greek, Armenian, and rare Latin ones.
_LIKE_LATIN: Final = frozenset("асԁеһіјӏорԛѕԝухѵгпьαικνρυωηοτοսոհցզաքıɑɡɩƅɪʟɴʀʏʋſƽꞌ")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Second-level labels of country domains below which names are registered.
_SECOND_LEVEL: Final = _words("ac co com edu go gob gov gv ltd me ne net nom or org sch")
#: Suffixes below which anybody can have a site.
_SHARED: Final = _words(
    """appspot.com azurewebsites.net bitbucket.io blogspot.com cloudfront.net dyndns.org firebaseapp.com github.io
    gitlab.io glitch.me herokuapp.com myshopify.com netlify.app ngrok.io pages.dev repl.co s3.amazonaws.com surge.sh
    tumblr.com vercel.app web.app webflow.io weebly.com wixsite.com wordpress.com workers.dev"""
)
#: In running text, "a.b" names a site if it ends in one of these, or in two letters.
_TOPS: Final = _words(
    """academy aero agency app asia bank bayern berlin bio biz blog business cafe capital care cat center city cloud
    club coach codes com community company computer consulting coop design dev digital earth edu education email
    energy events express family farm finance foundation fun fund games global gov group guru hamburg health help
    hosting hotel house info ink institute int international jobs koeln land law legal life link live london love ltd
    management market marketing media mil mobi museum name net network news ngo nyc one online org page paris partners
    photos pizza plus press pro pub radio rent report restaurant rocks ruhr sale school science sex shop site social
    software solutions space store studio support swiss systems team tech technology tel tips tirol today tokyo tools
    top tours town toys training travel tube university video vip vote watch webcam website wiki wien win work works
    world wtf xxx xyz zone"""
)
#: File extensions that are also country domains.
_FILES: Final = _words("cc cs gz md mo pl ps py rs sh so tf")
_NAMED: Final = re.compile(
    r"(?:(?P<scheme>https?://(?:[^\s/@]{0,64}@)?)|(?<![\w@.-]))"
    r"(?P<host>(?:[^\W_](?:[\w-]{0,61}[^\W_])?[.\u3002]){1,8}(?P<top>xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24}))"
    r"(?![\w@-]|\.\w)(?P<path>[/:])?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a web link leads. `url` is pure ASCII; `host` for people, `ascii_host` as sent.

    `suspect`: the host mixes scripts, or consists of letters that look like others. `login`: what precedes an @, which
    is not where it leads. `number`: the host is a bare network address.
    """

    url: str
    host: str
    ascii_host: str
    suspect: bool = False
    login: str = ""
    number: bool = False

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")


def read(url: str) -> Destination | None:
    """Parse an http or https URL as a browser would; None if no browser could open it."""
    url = allowed(url)
    if not url.startswith(("http:", "https:")):
        return None
    head, mark, tail = re.split(r"([?#])", url, maxsplit=1) if re.search("[?#]", url) else (url, "", "")
    url = _SLASHES.sub(r"\1//", head.replace("\\", "/"), count=1) + mark + tail
    match = _PARTS.fullmatch(url)
    if match is None or int(match["port"] or 0) > 65535:
        return None
    number = ""
    labels = [] if match["host"].startswith("[") else _labels(match["host"])
    if _IPV6.fullmatch(match["host"]):
        number = match["host"].lower()
    elif labels and _NUMBER.fullmatch(labels[-1]):
        number = _dotted(labels)
        if not number:
            return None
    name = number or ".".join(labels)
    if not name:
        return None
    scheme, port = match["scheme"].lower(), match["port"] or ""
    port = "" if port.lstrip("0") in ("", _DEFAULT_PORTS[scheme]) else f":{int(port)}"
    rest = quote(match["rest"], safe=_UNESCAPED)
    login = f"{quote(match['login'], safe=_UNESCAPED_IN_LOGIN)}@" if match["login"] else ""
    shown = [_unicode(label) for label in labels]
    return Destination(
        url=f"{scheme}://{login}{name}{port}{rest if rest.startswith('/') else '/' + rest}",
        host=(number or ".".join(shown)) + port,
        ascii_host=name + port,
        suspect=any(imitates(label, shown[-1].isascii()) for label in shown),
        login=unquote(match["login"] or ""),
        number=bool(number),
    )


def _labels(host: str) -> list[str]:
    """Return a host's labels in ASCII and lower case (UTS 46 §4), [] if it is not a host."""
    # Letter by letter: in a whole word Python makes a final sigma, which is another host.
    mapped = unicodedata.normalize("NFKC", "".join(letter.lower() for letter in unquote(host))).lower()
    labels = _DOTS.split(mapped.replace("\u00ad", ""))
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    out = [label if label.isascii() else _punycode(label) for label in labels]
    return out if all(_LABEL.fullmatch(label) for label in out) and len(".".join(out)) < 254 else []


def _punycode(label: str) -> str:
    """Return a non-ASCII label as an A-label; '' for one that already pretends to be an A-label."""
    if label.startswith("xn--"):
        return ""
    try:
        return "xn--" + unicodedata.normalize("NFC", label).encode("punycode").decode("ascii")
    except UnicodeError:
        return ""


def _unicode(label: str) -> str:
    """Return an A-label as a U-label, if its letters can be displayed."""
    if not label.startswith("xn--"):
        return label
    try:
        said = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    plain = all(unicodedata.category(c)[0] in "LMN" or c == "-" for c in said)
    return said if plain and _punycode(said) == label else label


def _dotted(labels: list[str]) -> str:
    """Parse a host that browsers take for an IPv4 address (WHATWG URL §3.5); '' if it is not one."""
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        return ""
    values = []
    for label in labels:
        base = 16 if label.startswith("0x") else 8 if len(label) > 1 and label.startswith("0") else 10
        try:
            values.append(int(label.removeprefix("0x") or "0", base))
        except ValueError:
            return ""
    *first, last = values
    if any(value > 255 for value in first) or last >= 256 ** (5 - len(values)):
        return ""
    whole = last + sum(value << 8 * (3 - index) for index, value in enumerate(first))
    return ".".join(str(whole >> shift & 255) for shift in (24, 16, 8, 0))


def imitates(label: str, among_latin: bool = True) -> bool:
    """Return whether a label mixes scripts that are not written together, or could be read as a Latin one.

    `among_latin`: its domain ends in Latin letters, so that other scripts are the exception.
    """
    if label.isascii():
        return False
    letters = [c for c in label if unicodedata.category(c).startswith("L")]
    if all(c.isascii() for c in letters):
        return False
    scripts = {unicodedata.name(c, "NONE").partition(" ")[0] for c in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return True
    if "LATIN" in scripts:
        return any(c in _LIKE_LATIN for c in letters)
    return among_latin and all(c in _LIKE_LATIN for c in letters)


def site(host: str) -> str:
    """Reduce a host to the part that its owner registered, as far as can be known without a list."""
    name = host.partition(":")[0]
    labels = name.split(".")
    if _dotted(labels) or len(labels) < 3:
        return name
    keep = 2
    if ".".join(labels[-2:]) in _SHARED or (len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL):
        keep = 3
    if ".".join(labels[-3:]) in _SHARED:
        keep = 4
    return ".".join(labels[-keep:])


def named_elsewhere(text: str, target: Destination) -> str:
    """Return the first site that a link's text names if the link leads elsewhere, or ''."""
    for match in _NAMED.finditer(text[:_LOOKED_AT]):
        if not (match["scheme"] or match["path"] or _is_site(match["host"], match["top"])):
            continue
        named = read("http://" + match["host"])
        if named is not None and site(named.ascii_host) != site(target.ascii_host):
            return named.host
    return ""


def _is_site(host: str, top: str) -> bool:
    """Return whether this is a site, not a file name or a sentence that follows without a space."""
    if host.lower().startswith("www."):
        return True
    if not top.isascii() or top.lower().startswith("xn--"):
        return True
    if top != top.lower() and host != host.upper():
        return False
    return top.lower() in _TOPS or (len(top) == 2 and top.lower() not in _FILES)


def phone_number(url: str) -> str:
    """Return what to dial for a tel: URL (RFC 3966), '' if it is not a plain number.

    Service codes with * and # are not: some phones execute them without asking.
    """
    number = re.sub(r"[-.()/\s]", "", unquote(url.partition(":")[2]).partition(";")[0])
    return number if re.fullmatch(r"\+?[0-9]{2,20}", number) else ""
