"""Originals fold in whatever language they are introduced; so do armour and mail headers inside the text."""

from __future__ import annotations

import pytest

from gateway.rendition import Context, Kind, Position, render
from tests.rendition.mails import html_of, leaf, mail, said, text_of

ORIGINAL = "Hi Anna,\n\ncould you send me\nthe lamp\nand the chair\n\nThanks\nBob\n"

ATTRIBUTIONS = [
    "On Tue, 3 Nov 2026 at 09:00, Bob <bob@example.org> wrote:",
    "On 11/3/26 9:00 AM, Bob Example wrote:",
    "Am Di., 3. Nov. 2026 um 09:00 Uhr schrieb Bob <bob@example.org>:",
    "Bob <bob@example.org> schrieb am 03.11.2026 um 09:00:",
    "Am 03.11.2026 09:00 hat Bob geschrieben:",
    "El mar, 3 nov 2026 a las 9:00, Bob (<bob@example.org>) escribió:",
    "Le mar. 3 nov. 2026 à 09:00, Bob <bob@example.org> a écrit :",
    "wt., 3 lis 2026 o 09:00 Bob <bob@example.org> napisał(a):",
    "W dniu 03.11.2026 o 09:00, Bob pisze:",
    "Em ter., 3 de nov. de 2026 às 09:00, Bob <bob@example.org> escreveu:",
    "вт, 3 нояб. 2026 г. в 09:00, Боб <bob@example.org>:",
    "Вторник, 3 ноября 2026, 9:00 +03:00 от Боб <bob@example.org>:",
    "03.11.2026, 09:00, Боб пишет:",
    "Il giorno mar 3 nov 2026 alle ore 09:00 Bob <bob@example.org> ha scritto:",
    "Op di 3 nov 2026 om 09:00 schreef Bob <bob@example.org>:",
    "2026年11月3日 9:00 Bob <bob@example.org>:",
]

BLOCKS = [
    "From: Bob\nSent: Tuesday\nTo: Anna\nSubject: Lamp",
    "Von: Bob\nGesendet: Dienstag\nAn: Anna\nBetreff: Lampe",
    "De: Bob\nEnviado el: martes\nPara: Anna\nAsunto: Lámpara",
    "De : Bob\nEnvoyé : mardi\nÀ : Anna\nObjet : Lampe",
    "Od: Bob\nWysłano: wtorek\nDo: Anna\nTemat: Lampa",
    "De: Bob\nEnviada em: terça-feira\nPara: Anna\nAssunto: Lâmpada",
    "От: Боб\nОтправлено: вторник\nКому: Анна\nТема: Лампа",
    "Date: Tuesday\nFrom: Bob\nTo: Anna\nSubject: Lamp",
    "*From:* Bob\n*Sent:* Tuesday\n*To:* Anna\n*Subject:* Lamp",
]

RULES = [
    "-----Original Message-----",
    "---- Original message ----",
    "-----Ursprüngliche Nachricht-----",
    "-------- Original-Nachricht --------",
    "-----Mensaje original-----",
    "-----Message d'origine-----",
    "-------- Message original --------",
    "-----Oryginalna wiadomość-----",
    "-----Mensagem original-----",
    "-----Исходное сообщение-----",
    "-------- Оригинальное сообщение --------",
]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_an_original_without_marks_folds_behind_its_attribution(line: str, gap: str, ends: str) -> None:
    text = f"Yes, gladly.\n\n{line}{gap}{ORIGINAL}".replace("\n", ends)
    assert said(text_of(text, subject="Re: Lamp")) == [
        "paragraph Yes, gladly.",
        f"paragraph {line}",
        "fold [6 quoted lines]",
    ]
    assert all(block.kind is not Kind.FOLD for block in text_of(text, subject="Lamp"))


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_an_original_without_marks_folds_in_html(line: str) -> None:
    escaped = line.replace("<", "&lt;").replace(">", "&gt;")
    words = "".join(f"<p>{word} of the original</p>" for word in ["one", "two", "three", "four", "five"])
    blocks = html_of(f"<p>Yes.</p><p>{escaped}</p>{words}", subject="Re: Lamp")
    assert [block.kind for block in blocks] == [Kind.PARAGRAPH, Kind.PARAGRAPH, Kind.FOLD]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_marked_quotations_behind_an_attribution_do_not_end_the_mail(line: str) -> None:
    text = f"Hello.\n\n{line}\n> one\n> two\n> three\n> four\n\nAn answer.\n"
    assert said(text_of(text, subject="Re: Lamp"))[2:] == ["fold [4 quoted lines]", "paragraph An answer."]


@pytest.mark.parametrize("line", ATTRIBUTIONS[:3])
@pytest.mark.parametrize(
    "first", ["[snipped]\n>> one\n> two", "# one\n# two", "--]one\n--]two", "AB> one\nAB> two"]
)
def test_an_answer_among_other_marks_is_no_original(line: str, first: str) -> None:
    blocks = text_of(f"{line}\n\n{first}\n\nAn answer.\n\nMore\nof\nan\nanswer.\n", subject="Re: Lamp")
    assert said(blocks)[-2:] == ["paragraph An answer.", "paragraph More\nof\nan\nanswer."]


@pytest.mark.parametrize("prose", ["Bob wrote:", "As Bob said, this is what is needed:", "The law says:"])
def test_what_a_person_introduces_does_not_fold(prose: str) -> None:
    blocks = text_of(f"Hello.\n\n{prose}\n\n{ORIGINAL}", subject="Re: Lamp")
    assert all(block.kind is not Kind.FOLD and not block.quote for block in blocks)


@pytest.mark.parametrize("rule", ["", "________________________________\n"])
@pytest.mark.parametrize("block", BLOCKS)
def test_an_original_folds_from_its_header_block_on(block: str, rule: str) -> None:
    text = f"Yes.\n\n{rule}{block}\n\n{ORIGINAL}"
    kinds = [shown.kind for shown in text_of(text, subject="AW: Lamp") if shown.kind is not Kind.RULE]
    assert kinds == [Kind.PARAGRAPH, Kind.FOLD]
    forwarded = text_of(text, subject="Fwd: Lamp")
    assert all(shown.kind is not Kind.FOLD for shown in forwarded)
    assert block.replace("*", "") in "\n".join(shown.text for shown in forwarded).replace("*", "")


@pytest.mark.parametrize("introduced", ["", "\n\nBob wrote:"])
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\n\n"])
@pytest.mark.parametrize("begins", [*BLOCKS, *(f"{rule}\nFrom: Bob" for rule in RULES)])
def test_an_answer_below_an_original_with_a_header_and_marks_is_read(
    begins: str, gap: str, introduced: str
) -> None:
    text = f"{begins}{introduced}{gap}> one\n> two\n>\n> three\n> four\n\nAn answer.\n"
    blocks = text_of(text, subject="Re: Lamp")
    assert [block.text for block in blocks[-2:]] == ["[4 quoted lines]", "An answer."]
    shown = "\n".join(block.text for block in blocks[:-2])
    assert shown.replace("*", "") == (begins + introduced.replace("\n\n", "\n")).replace("*", "")
    alone = text_of(text.partition("\n\nAn")[0], subject="Re: Lamp")
    assert [block.text for block in alone[-2:]] == ["one\ntwo", "three\nfour"]


@pytest.mark.parametrize("rule", RULES)
def test_an_original_folds_from_its_rule_on(rule: str) -> None:
    assert [block.kind for block in text_of(f"Yes.\n\n{rule}\n\n{ORIGINAL}", subject="Re: Lamp")] == [
        Kind.PARAGRAPH,
        Kind.FOLD,
    ]


@pytest.mark.parametrize("kilobytes", [40, 400])
def test_a_quotation_of_any_length_folds_and_opens(kilobytes: int) -> None:
    line = "> This line of the history is one that nobody wants to read again at all.\n"
    text = "Fine.\n\n" + line * (kilobytes * 1024 // len(line)) + "\nAn answer.\n"
    blocks = text_of(text)
    assert blocks[0].text == "Fine."
    assert {block.kind for block in blocks[1:-1]} == {Kind.FOLD}
    assert len(blocks) <= 2 + 1 + kilobytes // 256
    assert (blocks[1].text[:10], blocks[-1].text) == ("[more than", "An answer.")
    message, bodies = mail(leaf("1", "text/plain", text))
    opened = list(render(message, Context(unfolded=frozenset({blocks[1].target})), bodies))
    assert [block.kind for block in opened] == [Kind.PARAGRAPH] * len(opened)
    assert sum(block.text.count("This line") for block in opened) == kilobytes * 1024 // len(line)
    inside = Position.decode(opened[5].at.encode())
    assert list(render(message, Context(), bodies, inside)) == opened[5:]


def test_an_unmarked_original_of_any_length_costs_nothing_to_fold() -> None:
    text = f"Fine.\n\n-----Original Message-----\n{'A line of the history of this. ' * 3}\n" * 1
    text += "Another line of the history of this thread.\n\n" * 100_000
    message, bodies = mail(leaf("1", "text/plain", text), "Re: Lamp")
    assert [block.kind for block in render(message, Context(), bodies)] == [Kind.PARAGRAPH, Kind.FOLD]
    assert bodies.pulled <= 64 * 1024


HEADER = (
    "Received: by 192.0.2.1 with SMTP id wn1mr25471887pab.40;\n        Sun, 23 Nov 2014 08:43:00 -0800 (PST)\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n        d=example.com; s=20120113;\n"
    "        b=aFBSuSqKQpIfEutpxxWevRYjFVd07QtaJAfz3wn\nFrom: Zoe <zoe@example.com>\nSubject: Lamp\n"
)


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        HEADER.replace("        ", "\t"),
        "Return-Path: <zoe@example.com>\nFrom: Zoe\nTo: Anna\nSubject: Lamp\n",
        "From: Zoe\nTo: Anna\nSubject: Lamp\nMIME-Version: 1.0\n",
        "X-Mailer: Lamp 1.0\nMessage-ID: <1@example.com>\nDate: Tue, 3 Nov 2026 10:00:00 +0100\n",
    ],
)
def test_headers_inside_the_text_fold(header: str) -> None:
    text = f"It could not be delivered.\n\n----- Original message -----\n\n{header}\nlamp\n"
    assert said(text_of(text, subject="Failure"))[2:] == ["fold [mail header]", "paragraph lamp"]


def test_fields_of_a_person_do_not_fold() -> None:
    text = "Name: Anna\nStreet: Long Street 5\nTown: Exampletown\n"
    assert said(text_of(text)) == [f"paragraph {text.strip()}"]


SIGNATURE = (
    "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v1.0.6 (GNU/Linux)\n\n"
    "iD8DBQE9U53aUXuYo0fJk9MRAhhuAKD9o7vvkLNDcxK4cgMzXLC5HWgc1QCg8afN\nUBbeKiDH1hBgCxY5+y1Wmes=\n=ZdI+\n"
    "-----END PGP SIGNATURE-----\n"
)
SIGNED = (
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello Bob,\n\n- - first\n- - second\n\n"
    f"- -----\n- From here on\n\n- -- \nAnna\nLong Street\n12345 Town\n{SIGNATURE}"
)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_text_that_is_signed_in_the_clear_is_read_without_its_armour(ends: str) -> None:
    blocks = text_of((SIGNED + "\nA footer.\n- - stays\n").replace("\n", ends))
    assert said(blocks) == [
        "paragraph Hello Bob,",
        "item • first",
        "item • second",
        "rule",
        "paragraph From here on",
        "fold [signature]",
        "fold [PGP signature]",
        "paragraph A footer.",
        "item • - stays",
    ]
    message, bodies = mail(leaf("1", "text/plain", SIGNED.replace("\n", ends)))
    whole = list(render(message, Context(), bodies))
    for number, block in enumerate(whole):
        assert list(render(message, Context(), bodies, Position.decode(block.at.encode()))) == whole[number:]
    assert "BEGIN PGP SIGNED" in text_of(SIGNED, Context(fold=False))[0].text


def test_ciphertext_in_the_text_is_said_and_leads_to_the_original() -> None:
    lines = "hQEMA1abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUV\n" * 500
    text = f"Look:\n\n-----BEGIN PGP MESSAGE-----\n\n{lines}=AAAA\n-----END PGP MESSAGE-----\n\nBye.\n"
    blocks = text_of(text)
    assert said(blocks) == [
        "paragraph Look:",
        "note This message is encrypted. It cannot be read here.",
        "paragraph Bye.",
    ]
    assert blocks[1].target == "1"


def test_words_between_lines_of_armour_are_words() -> None:
    text = "-----BEGIN PGP MESSAGE-----\nThis is no armour, just words!\n-----END PGP MESSAGE-----\n"
    assert (
        " ".join(block.text for block in text_of(text)).replace("\n", " ")
        == " ".join(text.split("\n")).strip()
    )


@pytest.mark.parametrize(
    ("begin", "label"),
    [
        ("PGP PUBLIC KEY BLOCK", "[key]"),
        ("CERTIFICATE", "[certificate]"),
        ("RSA PUBLIC KEY", "[key]"),
        ("LAMP", "[encoded file]"),
    ],
)
def test_other_armour_folds_however_long_it_is(begin: str, label: str) -> None:
    lines = "mQINBF1abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUV\n" * 300
    text = f"Look:\n-----BEGIN {begin}-----\nComment: lamp\n\n{lines}=AAAA\n-----END {begin}-----\nBye.\n"
    assert said(text_of(text)) == ["paragraph Look:", f"fold {label}", "paragraph Bye."]


def test_a_content_id_in_the_text_goes() -> None:
    text = (
        "Hi\n\n[cid:image0]<https://example.com/x>\n\n[cid:image001.png@01D12345.ABCDEF00]\n\nA [cid:a.b] b\n"
    )
    assert said(text_of(text)) == ["paragraph Hi", "paragraph <https://example.com/x>", "paragraph A b"]


def test_armour_in_preformatted_html_folds_too() -> None:
    lines = "hQEMA1abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUV\n" * 3
    page = f"<p>Look:</p><pre>-----BEGIN PGP MESSAGE-----\n\n{lines}=AAAA\n-----END PGP MESSAGE-----</pre><p>Bye.</p>"
    assert said(html_of(page)) == ["paragraph Look:", "fold [encoded file]", "paragraph Bye."]


@pytest.mark.parametrize(
    "rule",
    [
        "--- On Mon, 5/2/11, Anna Bell <anna@example.org> wrote:",
        "---- On Mon, 02 May 2011 16:10:00 +0200 Anna Bell <anna@example.org> wrote ----",
        "-------- Am Mo, 02.05.2011 schrieb Anna Bell --------",
        "--- Anna Bell wrote: ---",
    ],
)
def test_an_original_folds_below_a_rule_with_a_caption(rule: str) -> None:
    kinds = [block.kind for block in text_of(f"Yes.\n\n{rule}\n{ORIGINAL}", subject="Re: Lamp")]
    assert kinds == [Kind.PARAGRAPH, Kind.PARAGRAPH, Kind.FOLD]
    page = f"<p>Yes.<p>{rule.replace('<', '&lt;')}<p>" + ORIGINAL.replace("\n", "<p>")
    assert html_of(page, subject="Re: Lamp")[-1].kind is Kind.FOLD


@pytest.mark.parametrize("rule", ["--- What Anna wrote ---", "---- Lamps ----", "--- Anna wrote: yes"])
def test_other_rules_with_a_caption_introduce_nothing(rule: str) -> None:
    blocks = text_of(f"Yes.\n\n{rule}\n\n{ORIGINAL}", subject="Re: Lamp")
    assert all(block.kind is not Kind.FOLD and not block.quote for block in blocks)


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_an_attribution_with_marked_lines_below_it_ends_a_signature(gap: str) -> None:
    text = f"Hello.\n\n-- \nAnna\nLamps\nStreet 1\nTown\n\nOn 3 April 2012 at 4:55, Ben wrote:{gap}> One\n> two.\n"
    assert said(text_of(text, subject="Re: Lamp"))[1:] == [
        "fold [signature]",
        "paragraph On 3 April 2012 at 4:55, Ben wrote:",
        "paragraph >One\ntwo.",
    ]
    assert said(text_of(text.replace("> ", ""), subject="Re: Lamp"))[1:] == ["fold [signature]"]
