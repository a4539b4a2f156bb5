"""targets, trackers: what a link really is, however it is disguised."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.rendition.links.destinations import named_elsewhere, phone_number, read, site
from gateway.rendition.links.trackers import follow, without_counting
from gateway.rendition.links.urls import label, shown

# Reading as browsers read


@pytest.mark.parametrize(
    ("url", "host", "said"),
    [
        ("https://example.com", "example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/A?b=C#d", "example.com", "https://example.com/A?b=C#d"),
        ("http://example.com.:80/", "example.com", "http://example.com/"),
        ("http://example.com:8080/", "example.com:8080", "http://example.com:8080/"),
        ("https:///evil.example/", "evil.example", "https://evil.example/"),
        (r"https://good.example\@evil.example/x", "good.example", "https://good.example/@evil.example/x"),
        ("https://good.example@evil.example/", "evil.example", "https://good.example@evil.example/"),
        ("https://a@b@evil.example/", "evil.example", "https://a%40b@evil.example/"),
        ("https://example.com?next=//x@y", "example.com", "https://example.com/?next=//x@y"),
        ("https://example.com#@evil.example", "example.com", "https://example.com/#@evil.example"),
        ("https://ex%61mple.com/", "example.com", "https://example.com/"),
        ("https://exa\tmple.com/a\nb", "example.com", "https://example.com/ab"),
        ("https://ｅｘａｍｐｌｅ。com/", "example.com", "https://example.com/"),
        ("https://bücher.example/ä?ö=%C3%BC", "bücher.example", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("https://straße.example/", "straße.example", "https://xn--strae-oqa.example/"),
        ("https://xn--bcher-kva.example/", "bücher.example", "https://xn--bcher-kva.example/"),
        ("https://xn--bcher-kv.example/", "xn--bcher-kv.example", "https://xn--bcher-kv.example/"),
        ("http://2130706433/", "127.0.0.1", "http://127.0.0.1/"),
        ("http://0x7f.1/", "127.0.0.1", "http://127.0.0.1/"),
        ("http://010.0.0.1/", "8.0.0.1", "http://8.0.0.1/"),
        ("http://[::1]:81/x", "[::1]:81", "http://[::1]:81/x"),
        ('https://example.com/"><b>', "example.com", "https://example.com/%22%3E%3Cb%3E"),
        ("https://example.com/$(x)$y", "example.com", "https://example.com/$(x)$y"),
    ],
)  # fmt: skip
def test_a_url_is_read_as_browsers_do(url: str, host: str, said: str) -> None:
    target = read(url)
    assert target is not None
    assert (target.host, target.url) == (host, said)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "mailto:a@b.example", "tel:+49", "https:example.com", "https://",
     "http://exa mple.com\u3000<", "http://a..b/", "http://example.com:99999/", "http://1.2.3.4.5/", "http://256.1.1.1/",
     "http://[::g]/", "http://-x.example/", "http://xn--\u0661.example/", "http://a_b@/", "ftp://example.com/"],
)  # fmt: skip
def test_what_no_browser_opens_is_no_target(url: str) -> None:
    assert read(url) is None


@given(st.text(max_size=60))
@example("[@0")
def test_the_host_shown_is_the_host_in_the_url(text: str) -> None:
    target = read("https://" + text)
    if target is None:
        return
    assert target.url.isascii()
    assert not any(sign in target.url for sign in ' "<>\\^`{|}\n\r\t')
    parts = urlsplit(target.url)
    assert parts.netloc.rpartition("@")[2] == target.ascii_host
    again = read(target.url)
    assert again is not None
    assert (again.url, again.host) == (target.url, target.host)
    follow("https://" + text)
    named_elsewhere(text, target)


@pytest.mark.parametrize(
    ("host", "suspect"),
    [
        ("bücher.example", False), ("straße.example", False), ("пример.рф", False), ("яндекс.com", False),
        ("東京ストア.example", False), ("한국어abc.example", False), ("saørre.example", False), ("россия.com", False),
        ("pаypal.com", True), ("аррӏе.com", True), ("xn--80ak6aa92e.com", True), ("gооgle.com", True),
        ("αpple.com", True), ("ɡoogle.com", True), ("сор.рф", False),
    ],
)  # fmt: skip
def test_lookalikes_are_suspect_and_words_of_other_scripts_are_not(host: str, suspect: bool) -> None:
    target = read(f"https://{host}/")
    assert target is not None
    assert target.suspect is suspect
    assert target.ascii_host.isascii()


# Texts that name another site


@pytest.mark.parametrize(
    ("text", "url", "named"),
    [
        ("https://www.paypal.com/login", "https://evil.example/", "www.paypal.com"),
        ("paypal.com", "https://paypal.com.evil.example/", "paypal.com"),
        ("Go to paypal.com now", "https://evil.example/", "paypal.com"),
        ("www.bank.example", "https://bank.example.evil.test/", "www.bank.example"),
        ("bank.co.uk", "https://evil.co.uk/", "bank.co.uk"),
        ("alice.github.io", "https://mallory.github.io/", "alice.github.io"),
        ("MÜLLER.DE", "https://evil.example/", "müller.de"),
        ("1.1.1.1/dns", "https://evil.example/", ""),
        ("https://user@paypal.com/", "https://evil.example/", "paypal.com"),
        ("paypal.com", "https://www.paypal.com/x", ""),
        ("www.paypal.com", "https://click.mail.paypal.com/x", ""),
        ("shop.bank.co.uk", "https://www.bank.co.uk/", ""),
        ("Click here", "https://evil.example/", ""),
        ("Version 2.10 is out", "https://evil.example/", ""),
        ("README.md, main.py and report.pdf", "https://evil.example/", ""),
        ("That was all.It is over", "https://evil.example/", ""),
        ("bob@paypal.com", "https://evil.example/", ""),
        ("e.g. this, i.e. that", "https://evil.example/", ""),
    ],
)
def test_a_text_that_names_another_site_is_found(text: str, url: str, named: str) -> None:
    target = read(url)
    assert target is not None
    assert named_elsewhere(text, target) == named


def test_the_site_of_a_host_is_its_registered_domain() -> None:
    for host, owner in (
        ("a.b.example.com", "example.com"), ("a.b.co.uk", "b.co.uk"), ("example.com:8080", "example.com"),
        ("b.s3.amazonaws.com", "b.s3.amazonaws.com"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"),
    ):  # fmt: skip
        assert site(host) == owner


# Trackers

SHOP = "https://shop.example/a?b=1&c=2"


def _wrapped() -> dict[str, str]:
    mandrill = {"s": "x", "v": 1, "p": json.dumps({"u": 1, "v": 1, "url": SHOP, "id": "y"})}
    packed = urlsafe_b64encode(json.dumps(mandrill).encode()).decode().rstrip("=")
    escaped = quote(SHOP, safe="")
    return {
        "google": f"https://www.google.com/url?q={escaped}&sa=D&source=x",
        "google in Britain": f"https://www.google.co.uk/url?sa=t&url={escaped}",
        "facebook": f"https://l.facebook.com/l.php?u={escaped}&h=AT0",
        "instagram": f"https://l.instagram.com/?u={escaped}&e=x",
        "outlook": f"https://eur01.safelinks.protection.outlook.com/?url={escaped}&data=05%7C01&reserved=0",
        "proofpoint 1": f"https://urldefense.proofpoint.com/v1/url?u={escaped}&k=x",
        "proofpoint 2": "https://urldefense.proofpoint.com/v2/url?u=https-3A__shop.example_a-3Fb-3D1-26c-3D2&d=DwMFaQ&c=x",
        "proofpoint 3": "https://urldefense.com/v3/__https://shop.example/a?b=1*c=2__;Jg!!abc!def$",
        "mandrill": f"https://mandrillapp.com/track/click/123/shop.example?p={packed}",
        "aws": f"https://abc.r.eu-west-1.awstrack.me/L0/{escaped}/1/0100018-x/y=1",
        "postmark": f"https://track.pstmrk.it/3s/{quote('shop.example/a?b=1&c=2', safe='')}/x/y/z",
        "cisco": f"https://secure-web.cisco.com/1abc-def/{escaped}",
        "linkedin": f"https://www.linkedin.com/redir/redirect?url={escaped}&urlhash=x",
        "slack": f"https://slack-redir.net/link?url={escaped}",
        "youtube": f"https://www.youtube.com/redirect?event=x&q={escaped}",
        "barracuda": f"https://linkprotect.cudasvc.com/url?a={escaped}&c=E",
        "yahoo": f"https://r.search.yahoo.com/_ylt=x/RV=2/RE=1/RO=10/RU={escaped}/RK=2/RS=x",
    }


@pytest.mark.parametrize("kind", _wrapped())
def test_trackers_are_looked_through(kind: str) -> None:
    url = _wrapped()[kind]
    way = follow(url)
    assert way is not None
    assert way.target.url == SHOP
    assert way.original.url == url
    assert way.through == (way.original.host,)
    assert not way.unknown


def test_proofpoint_3_puts_runs_of_characters_back() -> None:
    cut = urlsafe_b64encode("äöü*".encode()).decode().rstrip("=")
    way = follow(f"https://urldefense.com/v3/__https:/shop.example/**B-*__;{cut}!!x!y$")
    assert way is not None
    assert way.target.url == "https://shop.example/%C3%A4%C3%B6%C3%BC-*"


def test_trackers_inside_trackers_and_only_so_deep() -> None:
    url = SHOP
    for _ in range(3):
        url = f"https://www.google.com/url?q={quote(url, safe='')}"
    way = follow(url)
    assert way is not None
    assert way.target.url == SHOP
    assert way.through == ("www.google.com",) * 3
    for _ in range(10):
        url = f"https://www.google.com/url?q={quote(url, safe='')}"
    way = follow(url[:4000])
    assert way is None or len(way.through) <= 6


@pytest.mark.parametrize(
    "url",
    ["https://t.co/AbC", "https://u1.ct.sendgrid.net/ls/click?upn=x", "https://x.us1.list-manage.com/track/click?u=1",
     "https://bit.ly/3x", "https://mandrillapp.com/track/click/1/x?p=notjson", "https://www.google.com/url?q=x"],
)  # fmt: skip
def test_a_tracker_that_says_nothing_is_said_to(url: str) -> None:
    way = follow(url)
    assert way is not None
    assert way.unknown
    assert way.target.url == way.original.url


@pytest.mark.parametrize(
    "inner", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "mailto:a@b.example"]
)
def test_only_web_links_come_out_of_a_tracker(inner: str) -> None:
    way = follow(f"https://www.google.com/url?q={quote(inner, safe='')}")
    assert way is not None
    assert way.target.host == "www.google.com"


def test_links_of_others_with_a_url_inside_are_left_alone() -> None:
    way = follow(f"https://login.example/?continue={quote(SHOP, safe='')}&url={quote(SHOP, safe='')}")
    assert way is not None
    assert way.target.host == "login.example"
    assert follow("https://nogoogle.com/url?q=" + SHOP).target.host == "nogoogle.com"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "light"),
    [
        (
            "https://x.example/?utm_source=a&id=1&UTM_Medium=b&fbclid=c#utm_x=1",
            "https://x.example/?id=1#utm_x=1",
        ),
        ("https://x.example/?utm_source=a", "https://x.example/"),
        ("https://x.example/?a=%2F+%20&b;c&&d", "https://x.example/?a=%2F+%20&b;c&&d"),
        ("https://x.example/?my_utm_source=1", "https://x.example/?my_utm_source=1"),
        ("https://x.example/utm_source=1", "https://x.example/utm_source=1"),
    ],
)
def test_parameters_that_count_clicks_are_left_out_and_others_kept_as_they_are(url: str, light: str) -> None:
    assert without_counting(url) == light


@pytest.mark.parametrize(
    ("url", "number"),
    [("tel:+49-30-1234", "+49301234"), ("tel:(030)%201234;ext=5", "0301234"), ("tel:112", "112"), ("tel:*%2306%23", ""),
     ("tel:+49;x", "+49"), ("tel:+4930$(x)", ""), ("tel:call-me", ""), ("tel:٣٤٥", ""), ("tel:" + "1" * 50, "")],
)  # fmt: skip
def test_telephone_numbers(url: str, number: str) -> None:
    assert phone_number(url) == number


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://www.example.org/2002/09/27/jesus_large.jpg", "example.org/…/jesus_large.jpg"),
        ("https://lists.example.net/mailman/listinfo/lamp-users/", "lists.example.net/…/lamp-users"),
        ("https://example.org/resetPassword2024/in/the/shop/of/a1b2c3d4e5f6", "example.org/…"),
        ("https://example.org/a/very/long/way/unsubscribe?token=0123456789", "example.org/…"),
        ("https://example.org/the-lamp-in-the-green-room-of-the-old-house", "example.org/…"),
        ("https://example.org/short", "https://example.org/short"),
    ],
)
def test_a_long_url_is_shown_as_its_host_and_what_it_leads_to(url: str, said: str) -> None:
    assert shown(url) == said


def test_the_label_of_a_long_path_is_found_in_bounded_steps() -> None:
    for path in ("a" * 4000, "Aa" * 2000, "a-" * 2000, "/a" * 2000, "1a" * 2000):
        assert label(f"https://example.org/{path}") == "example.org"
