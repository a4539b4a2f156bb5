"""Requests of WAP phones as WSGI has them, and the application's responses as WSP has them.

Nothing here may wait or know a socket. Only URLs of this gateway are served; it is not a proxy. WML is compiled;
anything else that a phone asked for passes unchanged. A phone gets only the response headers that it needs: each takes
room in its SDU.
"""

from __future__ import annotations

import logging
import re
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes, urljoin

from gateway.access import log_context
from gateway.config import Config
from gateway.config.hosts import listen_address
from gateway.device import UTF_8, WML_COMPILED, WML_TEXT
from gateway.markup.scale import MIB_ENUMS
from gateway.server.wsgi import Environ, WsgiResponse, ask, pull
from gateway.wap import wbxml, wsp
from gateway.wap.requests import TooLarge, WapRequest
from gateway.wap.wsp.headers import field

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 256 * 1024
"""The most octets of a response that are read: no phone takes more, and WTP carries no more than 256 packets."""
_URL: Final = re.compile(r"(?i:http)://([^/?#]*)([^#]*)")
_TOKEN: Final = re.compile(r"[?&]wt=([a-z2-7]{13})$")
_HOME: Final = "device:home"
#: Headers that are not passed on: hop-by-hop ones, and those that the environ has in another form.
_DROPPED: Final = frozenset({
    "connection", "content-length", "content-type", "encoding-version", "host", "keep-alive", "proxy", "te", "trailer",
    "transfer-encoding", "upgrade", "x-wap-tod", "x-wap.tod", "x-wap-client-sdu-size", "x-wap-network-client-ip",
    "x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-wap-gateway", "x-wap-session-id",
})  # fmt: skip
_KEPT: Final = ("Location", "Cache-Control", "Content-Disposition", "Retry-After")
#: Types that show which markup a phone wants.
_MARKUPS: Final = ("vnd.wap.wml", "xhtml", "text/html")


class Elsewhere(Exception):
    """The URL is not one of this gateway."""


class Failed(Exception):
    """The application failed; `code`: by which the request is found in the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def own_hosts(config: Config) -> frozenset[str]:
    """Return the hosts, with their ports, whose URLs are this gateway's; a port may be left out."""
    listening = [listen for listen in (config.listen, config.https_listen) if listen]
    named = {config.origin.partition("://")[2], *config.names, *listening}
    named |= {listen_address(listen)[0] for listen in listening}
    return frozenset(name.lower() for name in named if name)


def target(url: str, hosts: frozenset[str]) -> tuple[str, str]:
    """Return the host and the path, with its query, of a URL of ours; raise Elsewhere.

    QUIRK: a Motorola Timeport asks for DEVICE:home. URLs may be relative, and have capitals where case does not matter.
    """
    if url.lower() == _HOME:
        return "", "/"
    absolute = _URL.fullmatch(url.partition("#")[0])
    if absolute is None:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url) or url.startswith("//"):
            raise Elsewhere
        return "", "/" + url.partition("#")[0].lstrip("/")
    host = absolute[1].rpartition("@")[2].lower().removesuffix(":80")
    if host not in hosts and not (host and any(host == name.rpartition(":")[0] for name in hosts)):
        raise Elsewhere
    rest = absolute[2]
    return host, rest if rest.startswith("/") else "/" + rest


def split_token(path: str) -> tuple[str, str]:
    """Return a path without the token of `with_token`, and the token, "" for none."""
    found = _TOKEN.search(path)
    return (path[: found.start()], found[1]) if found else (path, "")


def with_token(path: str, token: str) -> str:
    """Return a path that carries a token."""
    return f"{path}{'&' if '?' in path else '?'}wt={token}"


def environ(request: WapRequest, host: str, path: str) -> Environ:
    """Make the PEP 3333 environ of a request."""
    path, _, query = path.partition("?")
    name, _, port = host.partition(":")
    fields: dict[str, list[str]] = {}
    for key, value in request.headers:
        if key.lower() not in _DROPPED and "_" not in key:
            fields.setdefault("HTTP_" + key.upper().replace("-", "_"), []).append(value)
    result: Environ = {key: ", ".join(values) for key, values in fields.items()}
    accept = field(request.headers, "Accept")
    if not any(kind in accept.lower() for kind in _MARKUPS):  # here */* means WML
        result["HTTP_ACCEPT"] = f"{accept}, {WML_COMPILED}".removeprefix(", ")
    if host:
        result["HTTP_HOST"] = host
    result |= {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": name or "localhost",
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.peer.host,
        "CONTENT_TYPE": request.content_type,
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_X_WAP_CLIENT_SDU_SIZE": str(request.limit),
        "HTTP_X_WAP_GATEWAY": "Pocketpost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return result


def served(app: WSGIApplication, asked: Environ, request: WapRequest, url: str) -> wsp.Reply:
    """Ask the application; return what the phone gets. Raise TooLarge or Failed. For a thread."""
    answer = ask(app, asked)
    try:
        return _reply(answer, url, request)
    finally:
        if answer.rest is not None:
            answer.close()


def _reply(answer: WsgiResponse, url: str, request: WapRequest) -> wsp.Reply:
    body = answer.head
    while answer.rest is not None and (piece := pull(answer.rest)):
        body += piece
        if len(body) > LARGEST_BODY:
            raise TooLarge(len(body), request.limit)
    headers = tuple((name, value) for name, value in answer.headers if name.title() in _KEPT)
    headers = tuple((name, urljoin(url, value) if name == "Location" else value) for name, value in headers)
    content_type = next(
        (value for name, value in answer.headers if name.lower() == "content-type"), "text/plain"
    )
    is_text = content_type.partition(";")[0] == WML_TEXT
    if answer.status >= 500 and not (is_text and body):
        # Screens report failures with 200: many phones would not show this one.
        raise Failed(log_context.current().id)
    if request.method == "HEAD":
        length = field(answer.headers, "Content-Length")
        if length and not is_text:  # that of a deck is known when it is compiled
            headers += (("Content-Length", length),)
        return wsp.Reply(answer.status, WML_COMPILED if is_text else content_type, headers)
    if is_text and body:
        content_type, body = compiled(body, content_type)
    return wsp.Reply(answer.status, content_type, headers, body)


def compiled(body: bytes, content_type: str) -> tuple[str, bytes]:
    """Compile a deck; one that cannot be compiled stays as it is."""
    charset = content_type.lower().rpartition("charset=")[2].strip('" ')
    try:
        return WML_COMPILED, wbxml.encode(body, MIB_ENUMS.get(charset, MIB_ENUMS[UTF_8]))
    except wbxml.WBXMLError as error:
        log.error("a deck of ours cannot be compiled: %s", error.reason)
        return content_type, body
