"""Which parts are read: the one that says most, in order; what is not read is an attachment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.model import Address, Envelope, Message, Part
from gateway.rendition import Context, Position, attachments, render
from gateway.rendition.alternatives import is_excuse, says_more
from tests.rendition.mails import leaf, mail, read, said, tree

PAGE = "<p>The page says it.</p>" + "<p></p>" * 2000


def alternative(text: str, html: str = PAGE):
    return tree("multipart/alternative", leaf("1", "text/plain", text), leaf("2", "text/html", html))


def test_text_is_preferred() -> None:
    assert said(
        read(alternative("The text says it, and rather more of it than a few words, so it is read.\n"))
    ) == ["paragraph The text says it, and rather more of it than a few words, so it is read."]


@pytest.mark.parametrize(
    "excuse",
    [
        "",
        " \n\n",
        "Your e-mail client does not support HTML. Please use another one.",
        "Ihr E-Mail-Programm kann leider keine HTML-Nachrichten anzeigen.",
        "Votre logiciel de messagerie ne prend pas en charge le format HTML.",
        "Su programa de correo no admite HTML.",
        "Il tuo client di posta non supporta HTML.",
        "Seu programa de e-mail não suporta HTML.",
        "Twój program pocztowy nie obsługuje HTML.",
        "Ваш почтовый клиент не поддерживает HTML.",
        "View this email in your browser: https://news.example.org/" + "x" * 300,
        "https://news.example.org/view",
        "This is an HTML message.",
        "<html><body>wrong</body></html>",
    ],
)
def test_an_empty_text_or_an_excuse_loses(excuse: str) -> None:
    assert said(read(alternative(excuse))) == ["paragraph The page says it."]


@pytest.mark.parametrize(
    "text",
    [
        "We teach HTML and CSS; the course begins on Monday at eight, in room five. Please bring paper and pens.",
        "I would not use HTML here. "
        + "Let us talk about the reasons at length, and then decide what is best. " * 12,
        "No.",
    ],
)
def test_a_real_text_is_no_excuse(text: str) -> None:
    assert not is_excuse(text, 300)


def test_the_beginning_of_a_text_is_not_fetched_twice() -> None:
    message, bodies = mail(
        alternative("A text of some words that is rather short but says what there is to say.\n")
    )
    list(render(message, Context(), bodies))
    assert bodies.calls == [("1", 0), ("2", 0)]
    message, bodies = mail(alternative("", "<p>a"))
    list(render(message, Context(), bodies))
    assert bodies.calls == [("2", 0)]


LINK = "<p>Please reset it: <a href='https://shop.example/reset?t=1&amp;u=2'>Reset password</a></p>"
NOTE = "We received a request to reset your password within a day. Please reset it: "


MOON = "The moon is a lamp that seven brothers have seen on the river while wise men went along the green hills. "


@pytest.mark.parametrize("style", ["display:none", "opacity:0.0", "VISIBILITY: hidden", "max-height:0;"])
@pytest.mark.parametrize(
    "before", ["", "<p style='display:none'>x<p>", "<div style=opacity:0.5><br style='display:none'>"]
)
def test_a_text_that_the_page_hides_is_filler(style: str, before: str) -> None:
    page = f"{before}<b>Your parcel is here.</b><div style='{style}'><div>{MOON}</div>{MOON}</div><i>Reply now.</i>"
    assert {block.at.section for block in read(alternative(MOON * 2, page))} == {"2"}


def test_links_in_cells_without_size_count() -> None:
    page = f"<td style='font-size:0px'>{MOON}<p style='font-size:16px'><a href='https://shop.example/x'>See</a></td>"
    assert {
        block.at.section for block in read(alternative(f"{MOON}[See](https://shop.example/y)", page))
    } == {"2"}


def test_a_text_that_the_page_hides_and_shows_is_read() -> None:
    twice = f"<div style='display:none'>{MOON}</div><div>{MOON}</div>"
    unclosed = f"<p style='display:none'>{MOON}<p>{MOON}"
    nothing = f"<div style='display:none'>{MOON}</div>"
    resized = f"<td style='font-size:0px'><p style='font-size:16px'>{MOON}</p></td>"
    for page in (twice, unclosed, nothing, resized):
        assert {block.at.section for block in read(alternative(MOON, page))} == {"1"}


@pytest.mark.parametrize(
    ("text", "page"),
    [
        (NOTE + "Reset password", NOTE + LINK),
        (
            NOTE + "Reset password",
            NOTE + "<a href=https://shop.example/reset><img src=a.png alt='Reset password'></a>",
        ),
        (NOTE, NOTE + "<map><area href='https://shop.example/'></map>"),
        (NOTE, NOTE + "<a href='mailto:help@shop.example?subject=Help'>Help</a>"),
        (
            NOTE + "https://shop.example/ is one.",
            NOTE + LINK + "<a href='https://shop.example/terms'>Terms</a>",
        ),
        ("test", "<p>" + "words of the letter that count " * 4),
        (NOTE, "<p>" + NOTE * 3),
        (
            NOTE + "A VoucherLamp for100 TokensOnly.",
            NOTE + "<h1>A Voucher</h1>Lamp for <b>100</b>Tokens<i>Only.</i>",
        ),
        (NOTE + "<br>It is<br>\nlate.<br>", NOTE + "<br>It is<br>late.<br>"),
        (NOTE + "\n? lamps\n? houses\n? hills", NOTE + "<ul><li>lamps<li>houses<li>hills</ul>"),
        (
            NOTE + "Voc&ecirc; tem informa&ccedil;&otilde;es",
            NOTE + "Voc&ecirc; tem informa&ccedil;&otilde;es",
        ),
        (NOTE + "[Reset](https://shop.example/reset?t=1&u=2)", NOTE + LINK),
        (NOTE + "v&#225;lido p&#225;ra est&#225;", NOTE + "v&#225;lido p&#225;ra est&#225;"),
    ],
)
def test_html_is_read_where_it_has_links_or_words_that_the_text_lacks(text: str, page: str) -> None:
    shown = read(alternative(text, page))
    assert {block.at.section for block in shown} == {"2"}


@pytest.mark.parametrize(
    ("text", "page"),
    [
        (NOTE + "<https://shop.example/reset?t=1&u=2>", NOTE + LINK),
        (NOTE + "<http://www.shop.example/\nreset?t=1&u=2>", NOTE + LINK),
        (NOTE + "https://click.example/aaa", NOTE + "<a href='https://click.example/bbb'>Reset</a>"),
        (NOTE + "anna@shop.example", NOTE + "<a href='mailto:anna@shop.example'>Anna</a>"),
        (NOTE + "030 / 123 45 67", NOTE + "<a href='tel:+49301234567'>call</a>"),
        (NOTE, NOTE + "<a href='#top'>Top</a><a name=x>x</a><a href='javascript:x'>y</a>"),
        (
            NOTE,
            "<!-- <a href='https://a.example/'> --><title>"
            + NOTE * 4
            + "</title><style>"
            + NOTE * 4
            + "</style>"
            + NOTE,
        ),
        (
            NOTE + "See the shop <https://shop.example/a> at once.",
            NOTE + "<a href='https://shop.example/a'>the shop</a>",
        ),
        ("No.", "<p>No.</p>"),
        (NOTE + "To log out of the webpage.", NOTE + "To log out of the web page."),
    ],
)
def test_the_text_is_read_where_it_says_and_leads_as_much(text: str, page: str) -> None:
    shown = read(alternative(text, page))
    assert {block.at.section for block in shown} == {"1"}


@pytest.mark.parametrize("brackets", ["<{}>", "[{}]", "( {} )", "<<{}>>", "\n<{}>\n"])
def test_words_that_are_links_are_read_rather_than_their_urls(brackets: str) -> None:
    places = {word: f"https://shop.example/{word}" for word in ("lamps", "chairs", "tables")}
    text = NOTE + " ".join(word + " " + brackets.format(url) for word, url in places.items())
    page = NOTE + " ".join(f"<a href='{url}'>{word}</a>" for word, url in places.items())
    assert {block.at.section for block in read(alternative(text, page))} == {"2"}


def test_two_words_that_are_the_only_links_are_read_rather_than_their_urls() -> None:
    text = NOTE + "See the lamps\n[https://shop.example/lamps]\nLeave\n[https://shop.example/leave]\n"
    page = (
        NOTE
        + "<a href='https://shop.example/lamps'>See the lamps</a> <a href='https://shop.example/leave'>Leave</a>"
    )
    assert {block.at.section for block in read(alternative(text, page))} == {"2"}
    text = text.replace("[", "").replace("]", "")
    assert {block.at.section for block in read(alternative(text, page))} == {"1"}


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("<>/!-a href='\"=http://x.y &;\n")), st.text(max_size=20))
def test_any_two_forms_can_be_compared(page: str, text: str) -> None:
    assert says_more(page, text) in (True, False)
    assert (
        says_more(page + "<a href='https://only.example/here'>x</a>", text)
        or "<" in page
        or "https" in page + text
    )


def attached(section: str, media_type: str, body: str, **more: object) -> tuple[Part, dict[str, bytes]]:
    return leaf(section, media_type, body, disposition="attachment", **more)


@pytest.mark.parametrize(
    ("parameters", "parts", "expected"),
    [
        ({}, [attached("1", "text/plain", "x" * 100), leaf("2", "text/html", "<p>The letter")], ["2"]),
        ({}, [leaf("1", "text/plain", "\r\n"), leaf("2", "text/plain", "The letter")], ["2"]),
        (
            {"type": "text/html"},
            [leaf("1", "text/plain", "A caption"), leaf("2", "text/html", "<p>The letter")],
            ["2"],
        ),
        (
            {"start": "<root@x>", "type": "text/html"},
            [
                leaf("1", "text/html", "<p>a frame"),
                leaf("2", "text/html", "<p>The letter", content_id="<root@x>"),
            ],
            ["2"],
        ),
        (
            {"start": "<a>"},
            [attached("1", "text/plain", "x" * 100, content_id="<a>"), leaf("2", "text/html", "<p>b")],
            ["2"],
        ),
        ({"start": "<none>"}, [leaf("1", "image/png", "x"), leaf("2", "text/html", "<p>The letter")], ["2"]),
        (
            {"type": "multipart/alternative"},
            [
                attached("1", "text/plain", "x" * 100),
                tree("multipart/alternative", leaf("2.1", "text/plain", "The letter"), section="2"),
            ],
            ["2.1"],
        ),
        (
            {},
            [leaf("1", "text/html", "<p>The letter"), leaf("2", "text/plain", "Footer of a list")],
            ["1", "2"],
        ),
        (
            {},
            [
                leaf("1", "text/html", "<p>The letter"),
                leaf("2", "text/css", "p{color:red}", content_id="<a>"),
            ],
            ["1"],
        ),
    ],
)
def test_the_root_of_related_parts(parameters: dict[str, str], parts: list, expected: list[str]) -> None:
    shown = read(tree("multipart/related", *parts, parameters=parameters))
    assert list(dict.fromkeys(block.at.section for block in shown)) == expected


UNSEEN = "<div style='display:none'>" + "".join(f"<p>Paragraph {n}</p>" for n in range(5)) + "</div>"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (leaf("1", "text/html", UNSEEN), "Paragraph 0"),
        (leaf("1", "text/html", "<body style='background:#fff'><font color=white>White"), "White"),
        (alternative("\u200b \u200b \u200b", UNSEEN), "Paragraph 0"),
        (alternative("It has no HTML: a text.", "<p></p>" * 900), "It has no HTML: a text."),
        (
            tree(
                "multipart/mixed",
                leaf("1", "text/plain", ""),
                attached("2", "text/html", "<p>Attached letter"),
            ),
            "Attached letter",
        ),
        (
            tree("multipart/related", leaf("1", "image/x", "x"), attached("2", "text/html", "<p>Letter")),
            "Letter",
        ),
    ],
)
def test_before_it_is_said_that_there_is_no_text_all_of_it_is_read(made, expected: str) -> None:
    message, bodies = mail(made)
    blocks = list(render(message, Context(), bodies))
    assert blocks[0].text == expected
    for number, block in enumerate(blocks):
        assert list(render(message, Context(), bodies, block.at)) == blocks[number:]


def test_nothing_unseen_is_read_where_something_is_seen() -> None:
    message, bodies = mail(leaf("1", "text/html", "<p>Seen</p>" + UNSEEN))
    assert [block.text for block in render(message, Context(), bodies)] == ["Seen"]
    assert [block.text for block in render(message, Context(), bodies, Position("1", 3))] == ["Seen"]


def test_related_html_with_attachments() -> None:
    made = tree(
        "multipart/mixed",
        tree(
            "multipart/alternative",
            leaf("1.1", "text/plain", ""),
            tree(
                "multipart/related",
                leaf("1.2.1", "text/html", "<p>Hello</p>"),
                leaf("1.2.2", "image/png", b"x", content_id="<a>"),
                section="1.2",
            ),
            section="1",
        ),
        leaf(
            "2",
            "application/pdf",
            b"x",
            disposition="attachment",
            disposition_parameters={"filename": "a.pdf"},
        ),
        leaf("3", "text/plain", "Footer of the list"),
        leaf("4", "text/csv", "a,b", parameters={"name": "a.csv"}),
        leaf("5", "text/plain", "a", disposition="attachment"),
    )
    assert said(read(made)) == ["paragraph Hello", "paragraph Footer of the list"]
    assert [part.section for part in attachments(mail(made)[0])] == ["2", "4", "5"]


def test_reading_goes_on_in_the_part_of_a_position() -> None:
    made = tree("multipart/mixed", leaf("1", "text/plain", "a\n\nb\n"), leaf("2", "text/html", "<p>c<p>d"))
    message, bodies = mail(made)
    assert said(list(render(message, Context(), bodies, Position("2", 1)))) == ["paragraph d"]
    assert [section for section, _start in bodies.calls] == ["2"]
    assert said(list(render(message, Context(), bodies, Position("7", 1))))[0] == "paragraph a"


def test_a_position_in_the_html_of_an_alternative_needs_no_look_at_the_text() -> None:
    message, bodies = mail(alternative("", "<p>a<p>b"))
    assert said(list(render(message, Context(), bodies, Position("2", 1)))) == ["paragraph b"]
    assert [section for section, _start in bodies.calls] == ["2"]


def test_a_message_inside_a_message() -> None:
    inner, bodies = leaf("2.1", "text/plain", "Dear Anna")
    sent = datetime(2025, 11, 3, 14, 5, tzinfo=UTC)
    envelope = Envelope(subject="Lamp", date=sent, from_=(Address("Bert", "b@example.org"),))
    nested = (Part("2", "message/rfc822", envelope=envelope, parts=(inner,)), bodies)
    made = tree("multipart/mixed", leaf("1", "text/plain", "See below"), nested)
    context = Context(timezone=timezone(timedelta(hours=1)))
    shown = read(made, context)
    assert said(shown)[0] == "paragraph See below"
    assert said(shown)[1] == "heading Lamp"
    assert "Bert" in shown[2].text
    assert said(shown)[3:] == ["row Date: 2025-11-03 15:05", "paragraph Dear Anna"]
    assert read(made, context, shown[3].at) == shown[3:]


REPORT = """Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; bert@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User
 unknown
"""


def test_a_delivery_report_is_text_and_rows() -> None:
    made = tree(
        "multipart/report",
        leaf("1", "text/plain", "It failed."),
        leaf("2", "message/delivery-status", REPORT),
        leaf("3", "text/rfc822-headers", "Subject: x"),
    )
    assert said(read(made)) == [
        "paragraph It failed.",
        "row Recipient: bert@example.net · Result: failed · Status: 5.1.1 · Reason: 550 5.1.1 User unknown",
        "row Subject: x",
    ]


def test_signed_and_encrypted() -> None:
    signed = tree(
        "multipart/signed", leaf("1", "text/plain", "Hello"), leaf("2", "application/pgp-signature", "x")
    )
    assert said(read(signed)) == ["note Signed message", "paragraph Hello"]
    assert attachments(mail(signed)[0]) == ()
    shown = read(signed)
    assert read(signed, start=shown[0].at) == shown
    secret = tree(
        "multipart/encrypted", leaf("1", "application/pgp-encrypted"), leaf("2", "application/octet-stream")
    )
    assert said(read(secret)) == ["note This message is encrypted. It cannot be read here."]
    assert said(read(leaf("1", "application/pkcs7-mime", "x")))[0].startswith(
        "note This message is encrypted"
    )


INVITATION = """BEGIN:VCALENDAR\r
METHOD:REQUEST\r
BEGIN:VTIMEZONE\r
TZID:Europe/Berlin\r
BEGIN:STANDARD\r
DTSTART:19701025T030000\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
SUMMARY:Autumn meeting\\, with\r
  cake\r
DTSTART;TZID=Europe/Berlin:20251103T140500\r
DTEND:20251103T140500Z\r
LOCATION:Room 5\r
ORGANIZER;CN="Anna; Example":mailto:a@example.org\r
DESCRIPTION:Bring\\npaper\r
BEGIN:VALARM\r
DESCRIPTION:no\r
END:VALARM\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_an_invitation_follows_its_text_in_rows() -> None:
    made = tree(
        "multipart/alternative",
        leaf("1", "text/plain", "You are invited to the autumn meeting of our association, as every year."),
        leaf("2", "text/calendar", INVITATION),
    )
    assert said(read(made)) == [
        "paragraph You are invited to the autumn meeting of our association, as every year.",
        "heading Invitation",
        "row What: Autumn meeting, with cake",
        "row When: 2025-11-03 13:05",
        "row Until: 2025-11-03 14:05",
        "row Where: Room 5",
        "row Who: Anna; Example <a@example.org>",
        "paragraph Bring\npaper",
    ]


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("<p>Bring lamps<br />and oil</p><p>5 &lt; 6 &amp\\; 7</p>", "Bring lamps\nand oil\n5 < 6 & 7"),
        ("Bring lamps <anna@e.example> if 5 < 6 &amp\\; 7", "Bring lamps <anna@e.example> if 5 < 6 &amp; 7"),
    ],
)
def test_a_description_of_an_event_in_html_is_text(description: str, text: str) -> None:
    event = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDESCRIPTION:{description}\r\nEND:VEVENT\r\nEND:VCALENDAR"
    assert said(read(leaf("1", "text/calendar", event)))[-1] == f"paragraph {text}"


def test_a_contact_is_shown_in_rows() -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:Anna Example\nitem1.TEL;TYPE=cell:+49 30 123\nEMAIL:a@example.org\nEND:VCARD\n"
    shown = read(leaf("1", "text/vcard", card))
    assert said(shown) == ["row Name: Anna Example", "row Phone: +49 30 123", "row Mail: a@example.org"]
    assert [block.runs[-1].link for block in shown] == ["", "tel:+4930123", "mailto:a@example.org"]


def test_enriched_text() -> None:
    text = "<bold>Hello</bold>\nyou <<there\n\n<color><param>red</param>Second</color> line\n"
    assert said(read(leaf("1", "text/enriched", text)))[0].startswith("paragraph Hello you <there")
    assert "red" not in "".join(said(read(leaf("1", "text/enriched", text))))


def test_a_message_without_text_says_what_there_is() -> None:
    made = leaf("1", "application/pdf", b"x", disposition_parameters={"filename": "bill.pdf"})
    assert said(read(made)) == ["note This message has no text. It contains: bill.pdf"]
    assert said(read(leaf("1", "text/plain", "\n \n"))) == ["note This message has no text."]
    assert [part.section for part in attachments(mail(made)[0])] == ["1"]


#: QUIRK: hypothesis compares drawn bytes with drawn integers, which `python -bb` forbids.
OCTETS = st.lists(st.integers(0, 255), max_size=120).map(bytes)
KINDS = st.sampled_from(
    [
        "text/plain",
        "text/html",
        "text/calendar",
        "text/vcard",
        "text/enriched",
        "image/png",
        "application/pdf",
        "message/rfc822",
        "message/delivery-status",
        "multipart/mixed",
        "multipart/alternative",
        "multipart/related",
        "multipart/signed",
        "multipart/report",
        "multipart/encrypted",
        "multipart/digest",
        "nonsense",
        "text/",
    ]
)


@st.composite
def parts(draw: st.DrawFn, section: str = "", depth: int = 0) -> Part:
    kind = draw(KINDS)
    inner: tuple[Part, ...] = ()
    if kind.startswith("multipart/") and depth < 3:
        count = draw(st.integers(0, 3))
        inner = tuple(draw(parts(f"{section}.{n}".lstrip("."), depth + 1)) for n in range(1, count + 1))
    elif kind == "message/rfc822" and depth < 3:
        below = draw(parts(f"{section or 1}.1", depth + 1))
        embedded = below.parts and below.media_type != "message/rfc822"
        inner = (replace(below, section=f"{section or 1}.TEXT") if embedded else below,)
    disposition = draw(st.sampled_from(["", "inline", "attachment"]))
    section = section or ("" if inner and kind.startswith("multipart/") else "1")
    return Part(
        section, kind, octets=draw(st.sampled_from([0, 10, 5000])), disposition=disposition, parts=inner
    )


@settings(max_examples=300, deadline=None)
@given(parts(), OCTETS)
def test_no_structure_raises_and_every_position_can_be_opened(root: Part, octets: bytes) -> None:
    message = Message(Envelope(), replace(root))
    blocks = list(render(message, Context(), lambda section, start: iter([octets[start:]])))
    assert blocks
    for number, block in enumerate(blocks):
        start = Position.decode(block.at.encode())
        again = list(render(message, Context(), lambda section, start: iter([octets[start:]]), start))
        assert again == blocks[number:]
    attachments(message)


@pytest.mark.parametrize("disposition", ["inline", "", "attachment"])
def test_text_files_that_are_shown_are_listed_for_saving(disposition: str) -> None:
    def file(section: str, media_type: str, name: str, body: str) -> tuple[Part, dict[str, bytes]]:
        return leaf(
            section, media_type, body, disposition=disposition, disposition_parameters={"filename": name}
        )

    made = tree(
        "multipart/mixed",
        leaf("1", "text/html", "<p>Here you are.</p>"),
        file("2", "text/plain", "file.txt", "some words"),
        file("3", "text/csv", "table.csv", "name;age"),
        file("4", "text/html", "page.html", "<p>saved page</p>"),
    )
    assert [part.section for part in attachments(mail(made)[0])] == ["2", "3", "4"]


def test_the_letter_itself_is_no_file_whatever_it_is_called() -> None:
    named = {"disposition": "inline", "disposition_parameters": {"filename": "text.txt"}}
    both = tree(
        "multipart/alternative",
        leaf("1.1", "text/plain", "a", **named),
        leaf("1.2", "text/html", "b", **named),
    )
    for made in (leaf("1", "text/plain", "words", **named), both):
        assert attachments(mail(made)[0]) == ()
    made = tree("multipart/mixed", leaf("1", "text/plain", "words", **named), leaf("2", "image/png", "x"))
    assert [part.section for part in attachments(mail(made)[0])] == ["2"]


@pytest.mark.parametrize("multipart", ["multipart/mixed", "multipart/related"])
@pytest.mark.parametrize("body", ["", "\r\n", None])
@pytest.mark.parametrize("disposition", ["attachment", "inline"])
def test_the_text_of_an_mms_is_read(multipart: str, body: str | None, disposition: str) -> None:
    named = {"disposition": disposition, "disposition_parameters": {"filename": "text_0.txt"}}
    parts = [
        leaf("2", "application/smil", "<smil/>"),
        leaf("3", "image/jpeg", "x", disposition="attachment"),
        leaf("4", "text/plain", "See you at ten.", **named),
    ]
    first = [leaf("1", "text/plain", body)] if body is not None else []
    assert "paragraph See you at ten." in said(read(tree(multipart, *first, *parts)))


def test_an_attached_text_is_not_read_beside_a_letter() -> None:
    named = {"disposition": "attachment", "disposition_parameters": {"filename": "text_0.txt"}}
    made = tree(
        "multipart/mixed", leaf("1", "text/plain", "A letter."), leaf("2", "text/plain", "A file.", **named)
    )
    assert said(read(made)) == ["paragraph A letter."]
