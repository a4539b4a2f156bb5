"""Odd mail on handhelds against a real Dovecot: what is left out is named, and whoever wants no pictures gets none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from gateway.access.sessions import Sessions
from gateway.app import create_app
from gateway.store.pool import Pool
from gateway.web.request import preferences
from tests import rig
from tests.devices.phones import XhtmlBrowser
from tests.rendition.test_odd_structures import ODD, message, multipart, parted, sealed, text
from tests.servers.dovecot import Dovecot
from tests.web.attachments.test_attachments import (
    attachments,
    browser,
    drawing,
    find,
    get,
    inner_mail,
    mail,
    phone,
    picture,
    read,
)

ME = "oddities@example.net"
PICTURE = drawing("PNG")


def _crlf(made: Any) -> bytes:
    octets: bytes = made.as_bytes(policy=made.policy.clone(linesep="\r\n"))
    return octets


def _pictured() -> bytes:
    """Write a mail with a picture among its words, one beside them, and a message with one inside."""
    inner = mail("With a picture")
    inner.set_content('<p>Inner before</p><img src="cid:in@x" alt="a disc">', subtype="html")
    inner.add_related(PICTURE, "image", "png", cid="<in@x>")
    made = mail("Pictured")
    made.set_content('<p>Before</p><img src="cid:disc@x" alt="round"><p>After</p>', subtype="html")
    made.add_related(PICTURE, "image", "png", cid="<disc@x>")
    made.add_attachment(PICTURE, "image", "png", filename="beside.png")
    made.add_attachment(inner)
    return _crlf(made)


def _nested(depth: int, words: str) -> bytes:
    """Write a text that is this many multiparts deep, the last of them in a file of its own."""
    octets = text(words)
    for level in range(depth):
        octets = parted(text(f"level {level}\n"), octets, boundary=f"b{level}x")
    return octets


@pytest.fixture(scope="module")
def app(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    dovecot.user(ME)
    html = b"Content-Type: text/html\nContent-Disposition: inline\n\n<p>before</p>\n"
    html += (
        b"<!-- " + b"nothing to see\n" * 120_000 + b" --><p>behind</p>\n"
    )  # what is not seen counts in the end
    for octets in (
        message(ODD["long"][0], "Loose"),
        message(multipart("b", "few words\n"), "Few"),
        message(parted(text("see\n"), sealed(_crlf(inner_mail()))), "Sealed"),
        message(parted(text("hello\n"), html), "Cut"),
        message(parted(*[text(f"part {n}\n") for n in range(1100)]), "Many"),
        message(_nested(14, "".join(f"Deep sentence {n}.\n\n" for n in range(400))), "Deep"),
        _crlf(mail("Marked", (b"# Lamps\n\nA *red* one.\n", "application/octet-stream", "README.md"))),
        _pictured(),
    ):
        dovecot.deliver(ME, octets)
    config = rig.config(rig.upstream(dovecot), timezone="UTC")
    with (
        rig.state(tmp_path_factory.mktemp("state") / "state.sqlite") as state,
        closing(Pool()) as pool,
    ):
        yield create_app(config, sessions=Sessions(config, state, b"k" * 32, pool))


HANDHELDS: dict[str, Callable[[Any], Any]] = {"wml": phone, "xhtml": browser}


@pytest.fixture(params=HANDHELDS)
def handheld(request: pytest.FixtureRequest, app: Any) -> Any:
    return HANDHELDS[request.param](app).sign_in(ME, "secret")


def images(device: Any) -> list[Any]:
    root = device.deck if hasattr(device, "deck") else device.page
    return list(root.iter("img"))


def test_words_without_parts_are_read_page_by_page(handheld: Any, app: Any) -> None:
    handheld.follow("Loose")
    words = read(handheld)
    places = [words.find(f"Sentence number {n} of") for n in (0, 1, 500, 1000, 1499)]
    assert -1 not in places
    assert places == sorted(places)
    last = handheld.text
    handheld.follow("Prev")
    before = handheld.text
    assert before != last
    handheld.follow("Next")
    assert handheld.text == last
    handheld.follow("Inbox").follow("Few")
    assert "few words" in handheld.text


def test_a_message_in_an_encoding_opens_and_so_do_its_files(handheld: Any) -> None:
    handheld.follow("Sealed")
    assert "The inner one" in (words := read(handheld))
    assert "Inner words." in words
    handheld.follow("Inbox").follow("Sealed").follow("Attachments")
    assert "The inner one" in handheld.text + handheld.title
    assert "Inner words." in handheld.text
    handheld.follow("Attachments")
    find(handheld, "inner.txt")
    assert "Inner file." in handheld.text


def test_what_is_cut_is_named_and_leads_to_its_original(app: Any) -> None:
    device = browser(app).sign_in(ME, "secret").follow("Cut")
    words = read(device)
    note = "Part 2 (text/html) is cut at 512 KB. The rest is in the original."
    assert "before" in words
    assert "behind" not in words
    assert words.count(note) == 1
    answer = get(device, device.links[note] + "?y")  # it is large
    assert answer.body.rstrip().endswith(b"<p>behind</p>")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_parts_left_out_are_named_on_the_last_page_and_among_the_details(app: Any) -> None:
    device = browser(app).sign_in(ME, "secret").follow("Many")
    note = "Too many parts: 101 are left out, from part 1000 (text/plain) on."
    assert note in read(device, pages=1000)
    device.follow("Inbox").follow("Many").follow("More").follow("Details")
    assert note in read(device)


# Pictures


@pytest.fixture
def without_pictures(handheld: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A handheld whose owner has switched them off."""
    known = preferences.apply
    monkeypatch.setattr(preferences, "apply", lambda *given: replace(known(*given), pictures=False))
    return handheld.follow("Inbox") if "Inbox" in handheld.links else handheld


def test_with_pictures_they_stand_among_the_words(handheld: Any) -> None:
    handheld.follow("Pictured")
    wanted = isinstance(handheld, XhtmlBrowser)
    assert bool(images(handheld)) == wanted
    attachments_of = handheld.follow("Attachments")
    find(attachments_of, "With a picture")
    assert "Inner before" in handheld.text
    assert bool(images(handheld)) == wanted  # small, as in any other message
    handheld.follow("a disc")
    assert picture(handheld).width >= 96


def test_without_pictures_no_page_has_one_unasked(without_pictures: Any) -> None:
    device = without_pictures
    device.follow("Pictured")
    assert not images(device)
    device.follow("round")
    assert "Pictures are turned off." in device.text
    assert not images(device)
    assert get(device, device.links["Original"]).body == PICTURE
    device.follow("Show picture" if "Show picture" in device.links else "Show")
    assert picture(device).width >= 96
    device.follow("Message")
    attachments_of = device.follow("Attachments")
    find(attachments_of, "beside")
    assert not images(device)
    device.follow("Attachments")
    find(device, "With a picture")
    assert "Inner before" in device.text
    assert not images(device)
    device.follow("a disc")
    assert "Pictures are turned off." in device.text
    assert not images(device)


def test_a_picture_that_is_not_wanted_is_not_fetched(
    without_pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.web.attachments import file_links

    device = without_pictures
    attachments(device, "Pictured")
    monkeypatch.setattr(file_links, "fetch", lambda *_args: pytest.fail("fetched"))
    find(device, "beside")
    assert "Pictures are turned off." in device.text


def test_a_text_that_lies_deep_is_read_page_by_page(handheld: Any) -> None:
    """The address of a page names its part; one of fifteen numbers is no reason to refuse it."""
    handheld.follow("Deep")
    words = read(handheld)
    places = [words.find(f"Deep sentence {n}.") for n in (0, 1, 200, 399)]
    assert -1 not in places
    assert places == sorted(places)
    last = handheld.text
    handheld.follow("Prev").follow("Next")
    assert handheld.text == last


def test_a_markdown_file_is_read_as_markdown(handheld: Any) -> None:
    handheld.follow("Marked").follow("Attachments")
    assert "Lamps" in handheld.text
    assert "A red one." in handheld.text
    assert "#" not in handheld.text
