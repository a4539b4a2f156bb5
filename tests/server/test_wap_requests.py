"""Tests of `gateway.server.wap_requests`: which URLs are ours, and what the application is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.server import wap_requests
from gateway.server.reachability import new_token
from gateway.server.wap_requests import Elsewhere, split_token, target, with_token
from gateway.wap import wsp
from gateway.wap.quadruplet import Quadruplet
from gateway.wap.requests import WapRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

HOST = "192.0.2.7"
OWN = frozenset({"m.example.org", "192.0.2.1:8080", "192.0.2.1"})


def _request(**how: Any) -> WapRequest:
    usual: dict[str, Any] = {
        "method": "GET",
        "url": "/",
        "headers": (),
        "content_type": "",
        "body": b"",
        "limit": 1400,
    }
    return WapRequest(1, Quadruplet(HOST, 1, 9201), **usual | how)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://m.example.org/w?a=b#c", ("m.example.org", "/w?a=b")),
        ("HTTP://M.EXAMPLE.ORG/W", ("m.example.org", "/W")),
        ("http://m.example.org", ("m.example.org", "/")),
        ("http://m.example.org?a", ("m.example.org", "/?a")),
        ("http://m.example.org:80/", ("m.example.org", "/")),
        ("http://192.0.2.1:8080/w", ("192.0.2.1:8080", "/w")),
        ("http://192.0.2.1/w", ("192.0.2.1", "/w")),
        ("/w", ("", "/w")),
        ("w?x", ("", "/w?x")),
        ("", ("", "/")),
        ("DEVICE:home", ("", "/")),
    ],
)
def test_urls_of_ours(url: str, found: tuple[str, str]) -> None:
    assert target(url, OWN) == found


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "https://m.example.org/", "http://m.example.org:8081/", "//example.org/", "ftp://m/",
        "http://m.example.org@example.org/", "http://m.example.org.example.org/", "javascript:x", "http:///w",
    ],
)  # fmt: skip
def test_urls_of_others(url: str) -> None:
    with pytest.raises(Elsewhere):
        target(url, OWN)


@pytest.mark.parametrize("path", ["/w", "/w?a=b", "/"])
def test_a_token_comes_and_goes(path: str) -> None:
    token = new_token()
    assert split_token(with_token(path, token)) == (path, token)
    assert split_token(path) == (path, "")


@pytest.mark.parametrize(
    ("accept", "asked"),
    [
        ("", "application/vnd.wap.wmlc"),
        ("*/*", "*/*, application/vnd.wap.wmlc"),
        ("application/vnd.wap.wmlc", "application/vnd.wap.wmlc"),
        ("application/xhtml+xml", "application/xhtml+xml"),
    ],
)
def test_anything_means_wml(accept: str, asked: str) -> None:
    headers = (("Accept", accept),) if accept else ()
    assert wap_requests.environ(_request(headers=headers), "", "/")["HTTP_ACCEPT"] == asked


def test_what_a_phone_says_of_addresses_is_not_believed() -> None:
    headers = (
        ("X-Forwarded-For", "1.2.3.4"),
        ("X_Forwarded_For", "1.2.3.4"),
        ("Host", "x"),
        ("Referer", "/r"),
    )
    environ = wap_requests.environ(_request(headers=headers), "m.example.org", "/a%20b?c")
    assert not [key for key in environ if "FORWARDED" in key]
    assert environ["REMOTE_ADDR"] == HOST
    assert (environ["HTTP_HOST"], environ["PATH_INFO"], environ["QUERY_STRING"]) == (
        "m.example.org",
        "/a b",
        "c",
    )
    assert (environ["HTTP_REFERER"], environ["HTTP_X_WAP_CLIENT_SDU_SIZE"]) == ("/r", "1400")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (
            "application/vnd.wap.wmlc",
            wsp.Reply(200, "application/vnd.wap.wmlc", (("Content-Length", "251"),)),
        ),
        ("image/vnd.wap.wbmp", wsp.Reply(200, "image/vnd.wap.wbmp", (("Content-Length", "251"),))),
        ("text/vnd.wap.wml; charset=utf-8", wsp.Reply(200, "application/vnd.wap.wmlc")),
    ],
)
def test_of_a_head_the_length_is_told_that_a_get_would_have(kind: str, told: wsp.Reply) -> None:
    """The length of what is compiled here is unknown: none is stated, and not that of nothing."""

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", "251")])
        return [b""]

    request = _request(method="HEAD")
    assert wap_requests.served(app, wap_requests.environ(request, "", "/"), request, "/") == told
