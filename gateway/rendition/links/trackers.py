"""Click trackers: whose links lead elsewhere, and where to, as far as the link itself says.

Nothing here may fetch: a destination that only the tracker knows is reported as unknown. One table of hosts; a URL
that is found in a link must obey the same rules as any other link.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, unquote

from gateway.rendition.links import urls
from gateway.rendition.links.destinations import Destination, read

#: The most nested wrappers that are resolved.
DEPTH: Final = 6

Unwrap = Callable[[str, str], str]  # path and query -> URL, or ''


def _by(*names: str) -> Unwrap:
    """Return a function that reads the destination from a query parameter."""

    def unwrap(path: str, query: str) -> str:
        found = dict(parse_qsl(query, errors="replace"))
        return next((found[name] for name in names if name in found), "")

    return unwrap


def _segment(index: int, scheme: str = "") -> Unwrap:
    """Return a function that reads the destination from a segment of the path."""

    def unwrap(path: str, query: str) -> str:
        pieces = path.split("/")
        return scheme + unquote(pieces[index]) if len(pieces) > index and pieces[index] else ""

    return unwrap


def _opaque(path: str, query: str) -> str:
    return ""


def _base64(text: str) -> bytes:
    try:
        return urlsafe_b64decode(re.sub(r"[^A-Za-z0-9_-]", "", text) + "===")
    except ValueError:
        return b""


def _proofpoint2(path: str, query: str) -> str:
    wrapped = dict(parse_qsl(query)).get("u", "")
    return unquote(wrapped.translate(str.maketrans("-_", "%/")))


_V3: Final = re.compile(r"/v3/__(?P<url>.+?)__;(?P<cut>[A-Za-z0-9_-]*)(?:!|\Z)", re.DOTALL)
_V3_CUT: Final = re.compile(r"\*(\*(?P<run>[A-Za-z0-9_-]))?")
_V3_RUNS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _proofpoint3(path: str, query: str) -> str:
    """Restore the characters that version 3 replaces with asterisks and appends."""
    match = _V3.search(f"{path}?{query}" if query else path)
    if match is None:
        return ""
    cut = iter(_base64(match["cut"]).decode("utf-8", "replace"))

    def restored(mark: re.Match[str]) -> str:
        count = _V3_RUNS.index(mark["run"]) + 2 if mark["run"] else 1
        return "".join(next(cut, "") for _ in range(count))

    url = _V3_CUT.sub(restored, match["url"])
    return re.sub(r"\A(https?:)/+", r"\1//", url)


def _mandrill(path: str, query: str) -> str:
    """Read the URL from JSON inside JSON."""
    try:
        outer = json.loads(_base64(dict(parse_qsl(query)).get("p", "")))
        inner = json.loads(outer["p"])
        return str(inner["url"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _sophos(path: str, query: str) -> str:
    return _base64(dict(parse_qsl(query)).get("u", "")).decode("utf-8", "replace")


def _yahoo(path: str, query: str) -> str:
    match = re.search(r"/RU=([^/]+)/", path)
    return unquote(match[1]) if match else ""


_COUNTERS: Final = (
    r"([a-z0-9-]+\.)*(hubspotlinks|hubspotemail|exacttarget|createsend[0-9]*|klclick[0-9]*)\.(com|net)"
    r"|r20\.rs6\.net"
)
_SHORTENERS: Final = (
    r"(www\.)?(bit\.ly|tinyurl\.com|ow\.ly|buff\.ly|is\.gd|v\.gd|t\.ly|rb\.gy|cutt\.ly|dlvr\.it|trib\.al|tiny\.cc)"
    r"|t\.co|goo\.gl|lnkd\.in|rebrand\.ly|fb\.me|amzn\.to|shorturl\.at"
)

#: Host (whole), path (prefix), and how the destination is read. The first row that matches applies.
TRACKERS: Final[tuple[tuple[re.Pattern[str], re.Pattern[str], Unwrap], ...]] = tuple(
    (re.compile(host), re.compile(path), unwrap)
    for host, path, unwrap in (
        (r"(www\.)?google(\.[a-z]{2,3}){1,2}", r"/url$", _by("q", "url")),
        (r"(www\.)?googleadservices\.com|ad\.doubleclick\.net", r"/", _by("adurl")),
        (r"(l|lm|h)\.facebook\.com|(www\.)?facebook\.com", r"/l\.php$", _by("u")),
        (r"l\.(instagram|messenger|threads)\.com|l\.threads\.net", r"/", _by("u")),
        (r"([a-z0-9-]+\.)*safelinks\.protection\.(outlook|office365)\.(com|us|de)", r"/", _by("url")),
        (r"statics\.teams\.cdn\.office\.net", r"/evergreen-assets/safelinks/", _by("url")),
        (r"urldefense(\.proofpoint)?\.(com|us)", r"/v1/url$", _by("u")),
        (r"urldefense(\.proofpoint)?\.(com|us)", r"/v2/url$", _proofpoint2),
        (r"urldefense(\.proofpoint)?\.(com|us)", r"/v3/", _proofpoint3),
        (r"mandrillapp\.com", r"/track/click(/|\.php)", _mandrill),
        (r"([a-z0-9-]+\.)*awstrack\.me", r"/L0/", _segment(2)),
        (r"(click|track)\.pstmrk\.it", r"/[23]s/", _segment(2, "https://")),
        (r"secure-web\.cisco\.com", r"/", _segment(2)),
        (r"(www\.)?linkedin\.com", r"/(redir/redirect|safety/go|redirect)$", _by("url")),
        (r"(www\.)?slack-redir\.net", r"/link$", _by("url")),
        (r"(www\.)?youtube\.com", r"/redirect$", _by("q")),
        (r"out\.reddit\.com", r"/", _by("url")),
        (r"(www\.|m\.)?vk\.com", r"/away(\.php)?$", _by("to")),
        (r"steamcommunity\.com", r"/linkfilter/", _by("u", "url")),
        (r"(www\.)?duckduckgo\.com", r"/l/$", _by("uddg")),
        (r"r\.search\.yahoo\.com", r"/", _yahoo),
        (r"linkprotect\.cudasvc\.com", r"/url$", _by("a")),
        (r"clicktime\.symantec\.com", r"/", _by("u")),
        (r"protect[0-9-]*\.fireeye\.com", r"/v1/url$", _by("u")),
        (r"([a-z0-9-]+\.)*protection\.sophos\.com", r"/", _sophos),
        (r"([a-z0-9-]+\.)*list-manage[0-9]?\.com", r"/track/click", _opaque),
        (r"([a-z0-9-]+\.)*sendgrid\.net", r"/(?:(?:ls|wf)/click|(?:uni/)?ss/c/)", _opaque),
        (r"protect-[a-z0-9]+\.mimecast\.com", r"/s/", _opaque),
        (_COUNTERS, r"/", _opaque),
        (_SHORTENERS, r"/.", _opaque),
    )
)  # fmt: skip

#: Parameters that only track clicks.
_COUNTING: Final = re.compile(
    r"utm_\w+|mtm_\w+|pk_(campaign|kwd|source|medium|content)|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid"
    r"|twclid|ttclid|igshid|igsh|li_fat_id|mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok|vero_id|vero_conv|oly_enc_id|oly_anon_id"
    r"|wickedid|_openstat|s_cid|ml_subscriber|ml_subscriber_hash|sc_src|sc_lid|sc_uid|sc_llid|_ke|trk_\w+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """Where a link finally leads (`target`), and as it is in the mail (`original`).

    `through`: the hosts of the trackers that were resolved. `unknown`: the last one is a tracker whose destination is
    not in the link. `lighter`: tracking parameters were removed.
    """

    original: Destination
    target: Destination
    through: tuple[str, ...] = ()
    unknown: bool = False
    lighter: bool = False


def follow(url: str) -> ResolvedLink | None:
    """Resolve a link as far as it says where it leads; None if it is not a web link."""
    original = read(url)
    if original is None:
        return None
    target, through = original, []
    for _ in range(DEPTH):
        found = _unwrapped(target)
        if found is None:
            break
        through.append(target.host)
        target = found
    unknown = _tracker(target) is not None
    light = read(without_counting(target.url)) or target
    return ResolvedLink(original, light, tuple(through), unknown, light.url != target.url)


#: An address inside an address, as redirectors write it.
_NESTED: Final = re.compile(r".https?://[^/]+([^?#&]*)", re.IGNORECASE)


def label(url: str) -> str:
    """Name a link by where it leads, as far as a known tracker says; name others only by the words of the address
    inside.
    """
    host = urls.host(url)
    resolved = None if host.isascii() and not _of_host(host) else follow(url)
    name = urls.label(
        resolved.target.url if resolved is not None and resolved.through and not resolved.unknown else url
    )
    inside = _NESTED.search(unquote(url[len(name) :])) if "/" not in name else None
    word = urls.leads_to(inside[1]) if inside else ""
    return f"{name}/…/{word}" if word and len(name) + len(word) <= urls.SHOWN_URL else name


def is_opaque(url: str) -> bool:
    """Return whether a link is a known tracker's and does not say where it leads."""
    host = urls.host(url)
    if host.isascii() and not _of_host(host):
        return False
    resolved = follow(url)
    return resolved is not None and resolved.unknown


@lru_cache(maxsize=1024)
def _of_host(host: str) -> tuple[tuple[re.Pattern[str], Unwrap], ...]:
    """Return the rows for a host: each row costs some microseconds, and a newsletter has many links to few hosts."""
    return tuple((path, unwrap) for tracker, path, unwrap in TRACKERS if tracker.fullmatch(host))


def _tracker(target: Destination) -> tuple[Unwrap, str, str] | None:
    rows = _of_host(target.ascii_host)
    if not rows:
        return None
    rest = target.url.partition("://")[2].partition("#")[0]
    _host, _, rest = rest.partition("/")
    path, _, query = rest.partition("?")
    path = "/" + path
    for beginning, unwrap in rows:
        if beginning.match(path):
            return unwrap, path, query
    return None


def _unwrapped(target: Destination) -> Destination | None:
    found = _tracker(target)
    if found is None:
        return None
    unwrap, path, query = found
    return read(unwrap(path, query).strip())


def without_counting(url: str) -> str:
    """Remove the parameters that only track clicks; the others stay as they are."""
    head, hash_, fragment = url.partition("#")
    path, mark, query = head.partition("?")
    if not mark:
        return url
    kept = [piece for piece in query.split("&") if not _COUNTING.fullmatch(piece.partition("=")[0])]
    return path + ("?" if kept else "") + "&".join(kept) + hash_ + fragment
