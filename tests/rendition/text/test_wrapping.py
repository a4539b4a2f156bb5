"""Line ends: a machine's are removed, a person's stay; broken links are whole again; quotations are recognized."""

from __future__ import annotations

import pytest

from gateway.rendition import Context, Kind
from tests.rendition.mails import leaf, read, said, text_of

FULL = Context(fold=False)

#: Paragraphs each of whose lines is separate.
APART = {
    "English verse": (
        "Two roads went on below the yellow wood of which I will tell you\n"
        "And sorry that I could not travel both, I stood there very long\n"
        "I looked along the left one just as far as ever eyes could see\n"
        "To where it bent behind the undergrowth, and there I left it\n"
    ),
    "narrow verse": (
        "The lamp is lit, the door is wide,\nAnd someone waits for us inside,\n"
        "With bread and butter, tea and cake,\nAnd no one there is half awake.\n"
    ),
    "Russian verse": (
        "Зажглась у дома нашего лампа, и светит она в темноте,\n"
        "Ещё ты не спишь, мой товарищ, и снится нам лето в окне,\n"
        "Пора подниматься, товарищ, и чаю скорее налей,\n"
    ),
    "German address": (
        "Musterfirma Handelsgesellschaft mbH und Compagnie KG, Zweigstelle Nord\n"
        "Abteilung Wareneingang, Gebäude 4b, Tor 12, Rampe 7 bis 9\n"
        "Industriestraße 123, Hinterhaus, zweites Obergeschoss links\n"
        "12345 Musterstadt an der Muster\n"
    ),
    "French address": (
        "Société Exemple et Fils, Service des Livraisons\nBâtiment C, Quai numéro 4, Porte 12\n"
        "123 bis, avenue de la République\n75011 Paris Cedex 11\n"
    ),
    "fields": (
        "Order number: 4711-0815-2342-0001 (please quote this in all letters)\n"
        "Delivery address: Anna Example, Long Street 5, 12345 Exampletown\n"
        "Payment: by invoice within fourteen days of the delivery of goods\n"
        "Total: 123.45 EUR\n"
    ),
    "a forwarded header": (
        "Von: Johann Muster <service@example.de>\nGesendet: Donnerstag, 23. März 2023 17:11\n"
        "An: Johann Muster <service@example.de>\nBetreff: AW: Hallo!\n"
    ),
    "rows": (
        "Lamp with a green shade and a switch in the cable 20.00\n"
        "Chair of beech wood, with arms, without cushions 175.50 EUR\n"
        "Table of oak, two metres long and one metre wide 420.00\n"
    ),
    "mail addresses": (
        "Anna Example of the first committee <anna@example.org>\n"
        "Bob Sample of the second committee <bob@example.net>\n"
        "Zoe Test, guest of all of them <zoe@example.com>\n"
    ),
    "sentences": (
        "The server was restarted at ten o'clock this morning.\n"
        "The database was moved to the new machine yesterday.\n"
        "The backup has been checked by the operator twice.\n"
    ),
    "a log": (
        "Nov 3 10:00:01 mail postfix/smtpd[4711]: connect from unknown[192.0.2.1]\n"
        "Nov 3 10:00:02 mail postfix/smtpd[4711]: lost connection after EHLO from unknown\n"
        "2026-11-03 10:00:03 INFO starting the worker with four processes and one queue\n"
        "2026-11-03 10:00:04 WARN the queue is longer than it should be at this time\n"
    ),
    "a programme": (
        "10:00 Welcome by the mayor of the town and by the head of the committee\n"
        "10:30 The history of the lamp, with pictures, by Dr. Anna Example\n11:15 Coffee\n"
    ),
    "a table of contents": (
        "Introduction to the history of the lamp ................ 3\n"
        "The lamp in the nineteenth century, with many pictures .. 17\n"
    ),
    "a bounce": (
        "----- Transcript of session follows -----\n<user.name@mail.example.net>... Deferred\n"
        "Warning: message still undelivered after 1 day\nWill keep trying until message is 5 days old\n"
    ),
    "a session": (
        "... while talking to mx.example.net.:\n>>> RCPT To:<zoe@example.net>\n"
        "<<< 550 5.1.1 <zoe@example.net>: Recipient address rejected: User unknown\n"
        "550 5.1.1 <zoe@example.net>... User unknown\n<<< 503 valid RCPT command must precede DATA\n"
    ),
    "URLs one below the other": (
        "Our pages are here, and we are glad of every visitor that we have:\n"
        "https://www.example.org/minutes/\nhttps://www.example.com/lamps\n"
    ),
    "bullets without a space": (
        "-Life insurance\n-Refinance or consolidate high interest credit card debt into one loan.\n"
        "-get the best prices from the leading companies of the nation\n-and many more\n"
    ),
    "a shell": (
        "anna@lamp:/home/anna$ file lamps/GREEN.WAV\n"
        "lamps/GREEN.WAV: RIFF (little-endian) data, WAVE audio, Microsoft\n"
        "anna@lamp:/home/anna$ ls -l lamps/GREEN.WAV and of all of the others\n"
        "[root@lamp root]# rpm -U lamps\n$ ls\n"
    ),
    "a sentence anew": (
        "We have the lamps of all of the houses in the sale until Thursday 21st November\n"
        "For details see the page.\n"
    ),
    "a bar of progress": (
        "Now we are preparing the lamps for the night that comes:\n"
        "Preparing... ########################### [100%]\nerror: no lamps\n"
    ),
    "a link and the line below it": (
        "....> For your lamps for the whole year, press this link:\n"
        "mailto:lamps@e.example?subject=I_want_the_lamps_of_the_whole_year\n"
        "Be sure to say in the letter what they are for and where you live\n"
    ),
    "flowed, but for its last lines": (
        "this is the flowed text of a paragraph that ends here, for it has no blank\n"
        "and so this line must stand by itself, whatever its length, to the very end\n"
    ),
}

#: Paragraphs that a machine wrapped.
WRAPPED = {
    "English": (
        "I have just come back from the meeting of our association in Cologne, where\n"
        "we spoke about the plans for the coming year. There were about forty people, and\n"
        "nearly all of them wanted to hear what you had written. I told them that it would\n"
        "be sent round by the end of this week.\n"
    ),
    "German": (
        "Gestern war ich bei der Versammlung unseres Vereins in Köln, bei der wir über\n"
        "Pläne für das kommende Jahr gesprochen haben. Es waren etwa vierzig Leute da, und\n"
        "Anna sagte, daß sie den Brief bis zum Ende dieser Woche allen schicken werde.\n"
        "Das hat alle gefreut.\n"
    ),
    "Russian": (
        "Вчера я был на собрании нашего общества, где мы говорили о планах на будущий\n"
        "год. Было около сорока человек, и почти все хотели услышать, что вы написали. Я\n"
        "сказал им, что письмо будет разослано до конца недели.\n"
    ),
    "two lines": (
        "We met the whole committee of the association in the town hall last\n"
        "Monday and talked for an hour.\n"
    ),
    "lines that begin with I": (
        "I think that this is what we should do in the coming weeks, and then\n"
        "I would like to hear from the others, because it concerns them too.\n"
        "If they agree, we start.\n"
    ),
    "names at the beginning of lines": (
        "We went to the old house of the Bells, which stands on Mill Lane near\n"
        "Little Ouse, and saw there that Peter and Anna had painted it in green.\n"
        "It was the first time that anybody had done such a thing to a house in\n"
        "England, as far as we know, and it was not the last time either. Maybe\n"
    ),
    "narrow and ragged": (
        "It is true! You can be in it for nothing,\nand we will show you how! Your lamps will soon\n"
        "be brighter than ever when you join our team\nand see.\n"
    ),
    "the end of a sentence": "But surely they cannot do that? It is not\ntheirs to do!\n",
    "a number at the beginning of a line": (
        "it requires currently some changes for the lamps because they need the\n"
        "2.6 of them, as I have been told by those who should know that sort of\nthing.\n"
    ),
    "a path in brackets": (
        'You could try opening the house with the key = open("ls -t\n'
        '<path/to/key>", "r"). This should give you the names of all the\nlamps in it.\n'
    ),
    "capitals": (
        "THIS IS TO INFORM YOU THAT THE FUND OF THE LATE MINISTER HAS NOW BEEN\n"
        "RELEASED TO THE BANK AND THAT YOU ARE THE ONLY PERSON WHO MAY CLAIM IT\n"
        "BEFORE THE END OF THIS MONTH.\n"
    ),
    "forty columns": (
        "I write this on my small telephone in\nthe train, where the lines are rather\n"
        "short and are wrapped by the program at\nforty columns or so.\n"
    ),
    "a minus at the beginning of a line": (
        "We have measured it on every day of the last winter, and it was always at\n"
        "-5 degrees or below, which is more than the instrument was built for.\n"
    ),
    "a colon and a number": (
        "We have thought about it for a long time, and these are the reasons why\n"
        "we say no: it is far, it is dear, and there were no rooms in the year\n"
        "2026 for so many people.\n"
    ),
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "> "])
@pytest.mark.parametrize("name", APART)
def test_lines_that_stand_apart_keep_their_ends(name: str, mark: str, ends: str) -> None:
    lines = APART[name].splitlines()
    parameters = {"format": "flowed"} if name.startswith("flowed") else {}
    if parameters:
        lines = ["it flows ", *lines]
    blocks = text_of("".join(mark + line + ends for line in lines), FULL, **parameters)
    shown = "\n".join(block.text for block in blocks).replace("it flows ", "it flows \n")
    assert shown == "\n".join(lines)
    assert {block.quote for block in blocks} == {len(mark.strip())}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "> ", "| "])
@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_lines_are_joined(name: str, mark: str, ends: str) -> None:
    lines = WRAPPED[name].splitlines()
    blocks = text_of("".join(mark + line + ends for line in lines), FULL)
    assert [block.text for block in blocks] == [" ".join(lines)]


LISTINGS = {
    "C": (
        "for (int i = 0; i < number_of_lamps_in_the_house; i++) {\n    switch_on(lamps[i]);\n"
        "    if (is_broken(lamps[i])) return;\n}\n"
    ),
    "Python": "def lamps(house):\n    for room in house:\n        yield from room.lamps\n",
    "a shell": (
        "$ sudo apt-get install lamps lamps-doc lamps-dev lamps-of-all-kinds\n"
        "$ lamps config sample > /etc/lamps.toml\n$ lamps serve\n"
    ),
    "a traceback": (
        "Traceback (most recent call last):\n"
        '  File "/usr/lib/lamps/switch.py", line 12, in switch_on_all_the_lamps\n    lamp.on()\n'
        "ValueError: the lamp is broken\n"
    ),
    "JSON": '{\n  "name": "lamp",\n  "colours": ["green", "red"]\n}\n',
    "settings": "smtp_host=smtp.example.org\nsmtp_port=587\ncomment=this is where the mail of all people goes\n",
    "a git diff": (
        "diff --git a/fs/lamp.c b/fs/lamp.c\nindex b205424..3a733c1 100644\n--- a/fs/lamp.c\n+++ b/fs/lamp.c\n"
        "@@ -210,6 +210,36 @@ lamp_check_aux(void *lamp_of_the_house_data,\n \treturn LAMP_OKAY;\n }\n \n"
        "+static void lamp_is_now_switched_off_and_cold(void *lamp_of_the_house_data)\n+{\n+\tint loop;\n+\n"
        '+\tsay(1, "lamp 0x%p is off\\n", lamp);\n+}\n'
    ),
    "a unified diff": (
        "--- lamps.c.orig\t2026-11-03 10:00:00.000000000 +0100\n+++ lamps.c\t2026-11-03 10:10:00 +0100\n"
        '@@ -1,4 +1,4 @@\n int main(void) {\n-\tputs("hello");\n+\tputs("hello, lamp");\n \treturn 0;\n }\n'
    ),
    "a diff with empty lines of context": (
        "@@ -924,7 +924,7 @@ lamp_setup(struct lamp *lamp)\n                lamp_light(lamp);\n\n"
        "        if (lamp->broken)\n-               goto error_setup_of_lamp;;\n+               goto error;\n\n"
        "        err = lamp_register(lamp);\n"
    ),
    "figures in columns": (
        "    0.000  0.000  tied\n    0.050  0.075  lost   +50.00%\n    0.075  0.025  won    -66.67%\n"
        "    0.000  0.000  tied\n"
    ),
    "the middle of a diff": (
        "+static void lamp_is_now_switched_off_and_cold(void *lamp_of_the_house_data)\n"
        "+static void lamp_is_now_switched_on_and_warm(void *lamp_of_the_house_data)\n"
        "-static void lamp_is_now_broken(void *lamp_of_the_house_data_and_more_data)\n"
    ),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_program_text_stays_as_it_was_written(name: str) -> None:
    (block,) = text_of(LISTINGS[name], FULL)
    assert block.kind is Kind.PREFORMATTED
    expected = [line.expandtabs(8).rstrip() for line in LISTINGS[name].splitlines()]
    assert block.text.split("\n") == expected


def test_bullets_are_lists_however_far_the_words_stand_from_them() -> None:
    text = (
        "Topics are:\n\n*   Lamps\n*   Chairs of all kinds, with arms and without arms, of beech wood and of\n"
        "    oak\n\n- Traditionally the part is governed by the house in question,\n  which may choose.\n"
        "- Quite a few houses run lamps that switch themselves on,\n  e.g. at night. Some of them are\n"
        "  broken.\n\n10.  Ten\n11.  Eleven\n"
    )
    assert said(text_of(text)) == [
        "paragraph Topics are:",
        "item • Lamps",
        "item • Chairs of all kinds, with arms and without arms, of beech wood and of oak",
        "item • Traditionally the part is governed by the house in question, which may choose.",
        "item • Quite a few houses run lamps that switch themselves on, e.g. at night. Some of them are broken.",
        "item 10. Ten",
        "item 11. Eleven",
    ]


@pytest.mark.parametrize("bullet", ["-", "*", "•", "·", "●", "►", "→", "✓", "+", "–", "o "])
@pytest.mark.parametrize("blanks", [" ", "    ", "\t"])
@pytest.mark.parametrize("before", ["", "  ", "    "])
def test_bullets_are_a_class_of_lines(bullet: str, blanks: str, before: str) -> None:
    if (bullet, blanks, before) == ("+", "\t", ""):
        return  # so do lines that are added to an indented text
    words = ["a lamp that is green", "a chair, so that there is enough room for all of us to sit", "bread"]
    text = "Bring:\n\n" + "".join(f"{before}{bullet}{blanks}{one}\n" for one in words) + "\nBye.\n"
    blocks = text_of(text)
    assert [block.kind for block in blocks] == [
        Kind.PARAGRAPH,
        Kind.ITEM,
        Kind.ITEM,
        Kind.ITEM,
        Kind.PARAGRAPH,
    ]
    assert [block.text for block in blocks[1:-1]] == words


@pytest.mark.parametrize(
    ("text", "url", "behind"),
    [
        (
            "Look at https://www.example.org/shop/articles/lamps/green?colour=green&\nsize=large&lang=en and say.\n",
            "https://www.example.org/shop/articles/lamps/green?colour=green&size=large&lang=en",
            " and say.",
        ),
        (
            "Look at <https://www.example.org/shop/articles/lamps/green-shade/\nwith-a-switch/in-the-cable> please.\n",
            "https://www.example.org/shop/articles/lamps/green-shade/with-a-switch/in-the-cable",
            "> please.",
        ),
        (
            "https://www.example.org/confirm/" + "a" * 43 + "\n" + "b1" * 37 + "\nc2c2\n\n",
            "https://www.example.org/confirm/" + "a" * 43 + "b1" * 37 + "c2c2",
            "",
        ),
        (
            "The minutes of the last meeting are at https://www.example.org/minutes/\nSincerely yours, Anna\n",
            "https://www.example.org/minutes/",
            " Sincerely yours, Anna",
        ),
    ],
)
@pytest.mark.parametrize("mark", ["", "> "])
def test_a_url_over_several_lines_is_one_link(text: str, url: str, behind: str, mark: str) -> None:
    blocks = text_of("".join(mark + line + "\n" for line in text.splitlines()), FULL)
    runs = blocks[0].runs
    assert [run.link for run in runs if run.link] == [url]
    assert blocks[0].text.partition(url)[2] == behind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Anna wrote:\n| Hi folks,\n|\n| three lamps.\n| Any ideas?\n|\n\nSearch for it.\n",
            ["Anna wrote:", ">Hi folks,", ">three lamps.\nAny ideas?", "Search for it."],
        ),
        ("> | inner\n>\n> outer\n\n| > x\n| y\n", [">>inner", ">outer", ">>x", ">y"]),
        ("| Lamp | 20 |\n| Chair | 75 |\n", ["| Lamp | 20 |\n| Chair | 75 |"]),
        (">From my side this is right.\n\nBye.\n", ["From my side this is right.", "Bye."]),
        (">>From what I know.\n", [">From what I know."]),
        ("Our lamps:\n\n>>From 5 Euro\n\nOur tables:\n", ["Our lamps:", "From 5 Euro", "Our tables:"]),
        (">>>From 5 Euro\n\n\nOur tables:\n", ["From 5 Euro", "Our tables:"]),
        (">>From 5 Euro\n\n> Our tables:\n", [">From 5 Euro", ">Our tables:"]),
        ("> I said:\n>>From 5 Euro\n\nMore.\n", [">I said:\nFrom 5 Euro", "More."]),
        (">>From what I have read in the papers and seen on television, it is\nso.\n",
         ["From what I have read in the papers and seen on television, it is so."]),
        (">>From there I came.\n>> Did you?\n", [">>From there I came.\nDid you?"]),
        ("> I said it.\n>From me nothing.\n> Nothing.\n", [">I said it.\nFrom me nothing.\nNothing."]),
        (">>> I think so.\n>> Do you?\n> Yes.\n", [">>>I think so.", ">>Do you?", ">Yes."]),
        ("> It said\n> >>> RCPT To:<a@b.test>\n> <<< 550 no\n", [">It said\n>>> RCPT To:<a@b.test>\n<<< 550 no"]),
        (">>> import lamps\n>>> lamps.on()\n", [">>> import lamps\n>>> lamps.on()"]),
    ],
)  # fmt: skip
def test_marks_of_quotation_are_told_from_what_looks_like_them(text: str, expected: list[str]) -> None:
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == expected


#: Paragraphs as lines, and as they are read.
READ = {
    "a heading between rules": (
        ("------- Additional comments from somebody.at.somewhere@example.org 2002-10-03 13:57 -------\n"
        "A solution could be the preprocessor in combination with the filter, if we\n"
        "get the versions right, which are not.\n"),
        [
            ("------- Additional comments from somebody.at.somewhere@example.org 2002-10-03 13:57 -------\n"
            "A solution could be the preprocessor in combination with the filter, if we "
            "get the versions right, which are not.")
        ],
    ),
    "a URL that no program could wrap": (
        ("The first myth is that lamps are too hard to install and configure. That\n"
        "may have been true in the past, but it is not with the latest model, which\n"
        "hangs in under five minutes. See <http://www.example.org/lamps/green/shades/with/switches>.\n"),
        [
            ("The first myth is that lamps are too hard to install and configure. That "
            "may have been true in the past, but it is not with the latest model, which "
            "hangs in under five minutes. See <http://www.example.org/lamps/green/shades/with/switches>.")
        ],
    ),
    "a URL is no prose": (
        "This list is sponsored by the house of lamps\nWelcome to the light.\nhttp://example.org/lamps\n",
        ["This list is sponsored by the house of lamps\nWelcome to the light.\nhttp://example.org/lamps"],
    ),
    "a dash inside a sentence": (
        ("The word means a snail in that language (from the shape of the ventricles\n"
        "- it is also the name of the spiral cavity of the inner ear), so if this\n"
        "is right we should really be speaking of snails.\n"),
        [
            ("The word means a snail in that language (from the shape of the ventricles "
            "- it is also the name of the spiral cavity of the inner ear), so if this "
            "is right we should really be speaking of snails.")
        ],
    ),
    "dashes of a list": (
        ("For the trip to the lake at the end of the week everybody has to bring along\n"
        "- a lamp that burns for at least two nights, and the oil that it will need\n"
        "- something to sit on\n"),
        [
            "For the trip to the lake at the end of the week everybody has to bring along",
            "a lamp that burns for at least two nights, and the oil that it will need",
            "something to sit on",
        ],
    ),
    "one dash after a colon": (
        "For the trip to the lake at the end of the week everybody has to bring this:\n- a lamp\n",
        ["For the trip to the lake at the end of the week everybody has to bring this:", "a lamp"],
    ),
    "full items of a numbered list": (
        "4. Three sheets to the wind; puzzled people; works of the skunk\n5. Endnote.\n6. Addresses.\n",
        ["Three sheets to the wind; puzzled people; works of the skunk", "Endnote.", "Addresses."],
    ),
    "a number inside an item": (
        "4. The meeting is put off until the week after the next, to the day\n12. of May, as it seems.\n",
        ["The meeting is put off until the week after the next, to the day 12. of May, as it seems."],
    ),
    "compounds broken after the hyphen": (
        ("A new trend among young adults has been sweeping the nation, namely pro-\n"
        "lamp sites, and what they lead to is not known.\n"),
        [
            ("A new trend among young adults has been sweeping the nation, namely pro-lamp sites, and what they lead "
            "to is not known.")
        ],
    ),
    "lines that a person wrapped": (
        ("You have received this message because you subscribed to\n"
        "the news of lamps. To stop receiving this and other\n"
        "messages, or to add more messages\n"
        "or change your preferences, see your page.\n"
        "Thanks\n"),
        [
            ("You have received this message because you subscribed to the news of lamps. To stop receiving this and "
            "other messages, or to add more messages or change your preferences, see your page.\nThanks")
        ],
    ),
    "words after which no sentence ends": (
        ("Papers and stations and many others have all talked to this\n"
        "FAMOUS man who sells lamps to people who have never had one of their own.\n"
        "Most of them have no idea what a\n"
        "Good Lamp is, or what to do with it, AND,\n"
        "new ones come every day. That is how the work is\n"
        "ALWAYS there.\n"),
        [
            ("Papers and stations and many others have all talked to this FAMOUS man who sells lamps to people who "
            "have never had one of their own. Most of them have no idea what a Good Lamp is, or what to do with it, "
            "AND, new ones come every day. That is how the work is ALWAYS there.")
        ],
    ),
    "what a second program left over": (
        ("The lamp, and this much has to be said of it at the very beginning, is neither\n"
        "their\n"
        "lamp nor that of a distant relative, and it has to be given back to those who\n"
        "own it.\n"),
        [
            ("The lamp, and this much has to be said of it at the very beginning, is neither their lamp nor that of "
            "a distant relative, and it has to be given back to those who own it.")
        ],
    ),
    "a narrow item": (
        "(a). Our conviction of the very transparent light and\noil.\nWas it your lamp?\nThe one that got away?\n",
        ["(a). Our conviction of the very transparent light and oil.\nWas it your lamp?\nThe one that got away?"],
    ),
    "narrow prose with a short line": (
        ("I found your lamp in the course of a serious search\n"
        "for a reliable one, which has really made me write\n"
        "to you about how to light the house that I have in\n"
        "a wood.\n"
        "Now I am looking for somebody who knows how the oil\n"
        "gets into the lamp, and I count on you for help in\n"
        "this.\n"),
        [
            ("I found your lamp in the course of a serious search for a reliable one, which has really made me write "
            "to you about how to light the house that I have in a wood.\n"
            "Now I am looking for somebody who knows how the oil gets into the lamp, and I count on you for help in "
            "this.")
        ],
    ),
    "a title and a subtitle": (
        "Peru mulls Free Lamps, Anna gives 500 of them to Peru Man\nFunny old life...\nhttp://example.org/4/26207.html\n",
        ["Peru mulls Free Lamps, Anna gives 500 of them to Peru Man\nFunny old life...\nhttp://example.org/4/26207.html"],
    ),
    "a rest before a capital": (
        ("I got the lamp through the house of my husband and have believed that you will let us\n"
        "into\n"
        "Togo with some valuables, among them a lamp of much more than a hundred years, which I have\n"
        "kept.\n"),
        [
            ("I got the lamp through the house of my husband and have believed that you will let us into Togo with "
            "some valuables, among them a lamp of much more than a hundred years, which I have kept.")
        ],
    ),
    "justified text": (
        "   These  lamps  began  to  appear  in  houses  from  the  town  above\n   the  hill  on  or  around  May.\n",
        ["These lamps began to appear in houses from the town above the hill on or around May."],
    ),
    "letters of items": (
        "c) the real identity of the third lamp (which is a proper one)\nd) the purpose of it\n",
        ["the real identity of the third lamp (which is a proper one)", "the purpose of it"],
    ),
    "a rule of two signs": ("=-=-=-=-=-=-=-=-=\nOUR POLL\n\n-=x=-\n", ["", "OUR POLL", "-=x=-"]),
    "blanks between sentences": (
        (
            "The lamps are green, as we have said.   They are on at night and\nnot by day.   That is how it is in all "
            "the houses of the\ntown.\n"
        ),
        [
            (
                "The lamps are green, as we have said. They are on at night and not by day. That is how it is in all "
                "the houses of the town."
            )
        ],
    ),
    "an address below a title": (
        (
            "Lamps were sold in the houses of the town for years and nobody knew it\nof them, then or now.\n"
            "Customer wants four - did not the hill say it once?\nhttp://www.example.org/content/53/26161.html\n"
        ),
        [
            (
                "Lamps were sold in the houses of the town for years and nobody knew it of them, then or now.\n"
                "Customer wants four - did not the hill say it once?\nhttp://www.example.org/content/53/26161.html"
            )
        ],
    ),
    "a list with long lines": (
        (
            "Green Lamp 760EL House Computer (Stock Ref 683)\nGreen Light 1 133MHz Processor\n8MB RAM\n12.1' Display\n"
            "No Modem\nNo Lamp Drive\n3 Months Warranty                      @             119\n"
        ),
        [
            (
                "Green Lamp 760EL House Computer (Stock Ref 683)\nGreen Light 1 133MHz Processor\n8MB RAM\n"
                "12.1' Display\nNo Modem\nNo Lamp Drive\n3 Months Warranty @ 119"
            )
        ],
    ),
    "a paragraph between tags": (
        (
            "<wot>The lamps of the houses on the hill are said to have been\nadopted by the people of the town, "
            "who had none at all.</wot>\n"
        ),
        [
            (
                "<wot>The lamps of the houses on the hill are said to have been adopted by the people of the town, who "
                "had none at all.</wot>"
            )
        ],
    ),
    "a sentence that ends like a field": (
        (
            "Wenn Sie Fragen haben oder ein Lob zu den Lampen, dann wenden Sie sich\nbitte an: lampen@example.org Um "
            "sie aus dem Haus zu holen, einfach einmal hier\nklicken: www.example.org/lampen\n"
        ),
        [
            (
                "Wenn Sie Fragen haben oder ein Lob zu den Lampen, dann wenden Sie sich bitte an: "
                "lampen@example.org Um "
                "sie aus dem Haus zu holen, einfach einmal hier klicken: www.example.org/lampen"
            )
        ],
    ),
    "narrow text that was wrapped twice": (
        (
            "I am the keeper of the lamps of the late head\nof the town here, who died in his house on\nthe "
            "8th\nof June "
            "while he was still at work in it. I am\nwriting to you in view of the fact that we will\nbe "
            "of\ngreat help "
            "to each other and all of the people\nof it.\n"
        ),
        [
            (
                "I am the keeper of the lamps of the late head of the town here, who died in his house on the 8th of "
                "June while he was still at work in it. I am writing to you in view of the fact that we will be "
                "of great "
                "help to each other and all of the people of it."
            )
        ],
    ),
    "references of a feed": (
        "The lamp&#8217;s light. &#8220;It is,&#8221; he said, caf&#233;. Say &#8220; or '&#8221;'.&#8238;&#8232;\n",
        ["The lamp’s light. “It is,” he said, café. Say &#8220; or '&#8221;'."],
    ),
    "text that was encoded twice": (
        "Win it! \xf0\u0178\u2019\xb8 It\xe2\u20ac\u2122s \xe2\u20ac\u0153ours\xe2\u20ac\x9d, \xe2l\xe2.\n",
        ["Win it! \U0001f4b8 It’s “ours”, âlâ."],
    ),
    "arrows": (">>>>>> NO LAMPS NEEDED! <<<<<<\n", [">>>>>> NO LAMPS NEEDED! <<<<<<"]),
    "a title that stops in the middle": (
        "Manual Lamp Required for Your House to Ensure Continued Light and\nWarmth\n",
        ["Manual Lamp Required for Your House to Ensure Continued Light and Warmth"],
    ),
    "forms to fill in": (
        "ADDRESS OF LAMP:. . . . . . . . . . . . . . . . . . . .\nTEL PHONE:. . . . . . . . . . . . . . . . . .\n",
        ["ADDRESS OF LAMP:. . . . . . . . . . . . . . . . . . . .\nTEL PHONE:. . . . . . . . . . . . . . . . . ."],
    ),
    "names as marks": (
        (
            "Greg> In case it wasn't obvious, I'm for filtering\nGreg> as early as possible.\n\n"
            "Router> show\nRouter> exit\n"
        ),
        ["In case it wasn't obvious, I'm for filtering\nas early as possible.", "Router> show\nRouter> exit"],
    ),
    "paths": (
        "Update of /cvsroot/lamps/lamps/masses/green/switches/and/others\nIn directory usw:/tmp/cvs-serv26829/green\n",
        [
            "Update of /cvsroot/lamps/lamps/masses/green/switches/and/others\nIn directory usw:/tmp/cvs-serv26829/green"
        ],
    ),
    "three stars": (
        ("***\nTo be removed from our mailing list of lamps, please reply to this mail\n"
        "with the word 'Remove' in the subject line and the sender.\n***\n"),
        [
            ("***\nTo be removed from our mailing list of lamps, please reply to this mail with the word 'Remove'"
            " in the subject line and the sender.\n***")
        ],
    ),
    "short paths": (
        "Update of /cvsroot/lampassassin/lampassassin/lib/Mail/LampAssassin\nIn directory usw:/tmp/cvs-serv13785\n",
        ["Update of /cvsroot/lampassassin/lampassassin/lib/Mail/LampAssassin\nIn directory usw:/tmp/cvs-serv13785"],
    ),
    "words between strokes": (
        ("Whoever switches the lamp on in the evening says so, so that he/she/they\ncan be asked about it"
        " in the morning, when it is needed again by him/her/them\nor by somebody else in the house.\n"),
        [
            ("Whoever switches the lamp on in the evening says so, so that he/she/they can be asked about it"
            " in the morning, when it is needed again by him/her/them or by somebody else in the house.")
        ],
    ),
    "a heading between signs": (
        "- Do you enjoy it? -\n\n* We Will Never Forget *\n\n* * *\n\n* !^(a recipe)\n",
        ["- Do you enjoy it? -", "* We Will Never Forget *", "", "* !^(a recipe)"],
    ),
    "links as in HTML": (
        'http://example.org/a\n<a href="http://example.org/a">\nGive a  Lamp! </a>\n\n<a href="javascript:x">No</a>\n',
        ["http://example.org/a\nGive a Lamp!", '<a href="javascript:x">No</a>'],
    ),
    "headings above what is indented": (
        "Questions to the man with the lamps\n    posted by anna on Monday, @14:41 (lamps and others)\n",
        ["Questions to the man with the lamps\nposted by anna on Monday, @14:41 (lamps and others)"],
    ),
    "a title hanging from its bullet": (
        ("* Deep Links: Hometown Paper Tells of Anna's Support of the\n\tGreen Lamp Bill\n* Addresses\n"),
        ["Deep Links: Hometown Paper Tells of Anna's Support of the Green Lamp Bill", "Addresses"],
    ),
    "marks of somebody's own": (
        "%]the language has a word for this, and it is one of the best, I say. Arguably\n%]it is better than it.\n",
        [
            "%]the language has a word for this, and it is one of the best, I say. Arguably\n%]it is better than it."
        ],
    ),
    "marks of quotation of somebody's own": (
        "--]the language has a word for this, and it is one of the best, I say. Arguably\n--]it is better than it.\n",
        ["the language has a word for this, and it is one of the best, I say. Arguably it is better than it."],
    ),
    "stars around a line": (
        "* * * Earlier ones are at the house of lamps * * *\n",
        ["* * * Earlier ones are at the house of lamps * * *"],
    ),
    "half a compound": (
        ("A new trend among young adults in the nation has to be looked at, for short-\n"
        "and long-term effects of it are not known.\n"),
        [("A new trend among young adults in the nation has to be looked at, for short- and long-term effects of it "
         "are not known.")],
    ),
    "a title over two lines": (
        "Somebody: My Government Went to the Mountains and All I Got Was This Poor\nLamp[1]\n",
        ["Somebody: My Government Went to the Mountains and All I Got Was This Poor Lamp[1]"],
    ),
    "names in prose": (
        ("Estou aqui para informar que após a reunião da conferência com as Nações\n"
        "Unidas (ONU), em cooperação com o Fundo Monetário Internacional, a\n"
        "Organização da Unidade Africana (OUA) e o Federal Bureau of Investigation\n"
        "(FBI), estas comissões lutam contra o crime cibernético, fraudadores da\n"
        "Internet e fraudadores na África.\n"),
        [
            ("Estou aqui para informar que após a reunião da conferência com as Nações "
            "Unidas (ONU), em cooperação com o Fundo Monetário Internacional, a "
            "Organização da Unidade Africana (OUA) e o Federal Bureau of Investigation "
            "(FBI), estas comissões lutam contra o crime cibernético, fraudadores da "
            "Internet e fraudadores na África.")
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_lines_are_joined_where_a_reader_would(name: str) -> None:
    text, expected = READ[name]
    assert [block.text for block in text_of(text, FULL)] == expected


@pytest.mark.parametrize(
    ("last", "joined"),
    [("lamps.", True), ("oil lamps!", True), ("lamps", False), ("Lamps.", False), ("7.", False)],
)
def test_the_end_of_a_sentence_that_was_wrapped_twice_is_joined(last: str, joined: bool) -> None:
    line = "We have looked at each of the houses in the town for a long time and have seen"
    text = f"{line}\nsome that were as green as all\n{last}\n"
    (block,) = text_of(text, FULL)
    assert block.text.endswith(f"green as all{' ' if joined else chr(10)}{last}")


@pytest.mark.parametrize(
    ("line", "is_rule"),
    [
        ("-----", True),
        ("------~->", True),
        ("-----~-->", True),
        ("----->", False),
        ("-----~- lamps ->", False),
    ],
)
def test_a_line_of_signs_is_a_rule(line: str, is_rule: bool) -> None:
    kinds = [block.kind for block in text_of(f"A lamp\n\n{line}\n\nA chair\n", FULL)]
    assert (Kind.RULE in kinds) is is_rule


def test_what_points_at_links_is_no_quotation() -> None:
    text = (
        ">> Read of the lamps:\nhttps://example.org/lamps\n\n   >> Send us yours.\n___________________\n\n"
        '>>>>> On Mon, 9 Sep 2002, "Rick" == Rick Vale wrote:\n\n> They are green.\n\n'
        ">> Are they?\n> Yes.\n\n>> Are they not?\n\nThey are.\n"
    )
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == [
        ">> Read of the lamps:\nhttps://example.org/lamps",
        ">> Send us yours.",
        "",
        'On Mon, 9 Sep 2002, "Rick" == Rick Vale wrote:',
        ">They are green.",
        ">>Are they?",
        ">Yes.",
        ">>Are they not?",
        "They are.",
    ]


def test_initials_are_marks_of_quotation() -> None:
    quoted = "Dan wrote:\nDQ> The lamp is\nDQ>\nDQ> > green, he said.\n\n"
    text = f"{quoted}AB> no quotation\n\nSQL> SELECT 1;\nSQL> SELECT 2;\n"
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == [
        "Dan wrote:",
        ">The lamp is",
        ">>green, he said.",
        "AB> no quotation",
        "SQL> SELECT 1;\nSQL> SELECT 2;",
    ]


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("    R> Another lamp goes out...\n\nIndeed.\n", [1, 0]),
        ("EL> So how many of the lamps are green?\n\nIndeed.\n", [1, 0]),
        ("bmn> So how many?\n\nSome.\n\nbmn> Really?\n\nbmn> Oh.\nbmn> Yes.\n", [1, 0, 1, 1]),
        ("    b> Why?\n    b> Why not?\n", [1]),
        ("    S> A) Why?\n    S> B) Why not?\n", [1, 1]),
        ("  GvR> No, why?\n\nOh.\n", [1, 0]),
        ("--]And so on. Is it\n--]not?\n--]\n--]Yes.\n\nOh.\n\n--]\n", [1, 1, 0, 0]),
    ],
)
def test_initials_are_marks_of_a_line_alone_too(text: str, quotes: list[int]) -> None:
    assert [block.quote for block in text_of(text, FULL)] == quotes


@pytest.mark.parametrize(
    "text",
    [
        "<td> lamps\n<td> more lamps\n",
        "td> lamps\ntd> more lamps\n",
        "ftp> get lamps\nftp> quit\n",
        "C> DIR\n\nS> 220 lamp.example\n",
        "AB> no quotation\n",
        "M> I#;V1E.R @8S Q,F)D\nM)F%B8\n",
    ],
)
def test_prompts_and_ends_of_tags_are_no_initials(text: str) -> None:
    assert not any(block.quote for block in text_of(text, FULL))


def test_words_that_did_not_fit_into_a_quoted_line_are_quoted() -> None:
    text = (
        "> What is inside of the lamp that you are going to give to my sister is a\nvery\n"
        "> small candle, and that is the whole of the secret of all the lamps that we\nhave\n> here.\n\n"
        "> Can that lamp be given to my sister on the day after tomorrow in the house?\nyes\n> And the others too?\n"
    )
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == [
        (
            ">What is inside of the lamp that you are going to give to my sister is a very small candle, "
            "and that is the whole of the secret of all the lamps that we have here."
        ),
        ">Can that lamp be given to my sister on the day after tomorrow in the house?",
        "yes",
        ">And the others too?",
    ]


def test_quotations_that_were_stuffed_are_quotations() -> None:
    text = "Anna wrote:\n > The lamp is \n > green.\n\nIt is.\n"
    blocks = text_of(text, FULL, format="flowed")
    assert [">" * block.quote + block.text for block in blocks] == [
        "Anna wrote:",
        ">The lamp is green.",
        "It is.",
    ]


def test_brackets_and_colons_are_marks_of_quotation() -> None:
    text = (
        "Dan wrote:\n) The lamp is\n)\n) # green, he said.\n\n:) smiles\n)\n\n: A colon\n: too.\n\n: alone\n"
    )
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == [
        "Dan wrote:",
        ">The lamp is",
        "># green, he said.",
        ":) smiles\n)",
        ">A colon\ntoo.",
        ": alone",
    ]


def test_marks_are_indented() -> None:
    text = (
        "    R> At 9 he said:\n    >> Free lamps have\n    >> their use.\n\n"
        "    R> Indeed.\n    R> Yes.\n\n    > alone\n"
    )
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == [
        ">At 9 he said:",
        ">>Free lamps have\ntheir use.",
        ">Indeed.\nYes.",
        "> alone",
    ]


def test_marks_of_emacs_and_bars_are_marks_of_quotation() -> None:
    text = (
        '>>>>> "R" == Rob Vale <rob@example.org> writes:\n\n    R> The lamp is\n    R> green.\n\nAnd so on.\n\n'
        "  | A bar\n  | too.\n\n  | a | b |\n  | c | d |\n"
    )
    assert [">" * block.quote + block.text for block in text_of(text, FULL)] == [
        '"R" == Rob Vale <rob@example.org> writes:',
        ">The lamp is\ngreen.",
        "And so on.",
        ">A bar\ntoo.",
        "  | a | b |\n  | c | d |",
    ]


def test_a_line_indented_below_a_title_stands_apart() -> None:
    text = (
        "Lamp House Publishes 'Writing Lamps for Beginners'\n    posted by anna on Tuesday August 13, @09:50 (books)\n"
        "    http://lamps.example.org/article.pl?sid=02/08/13/1354231\n"
    )
    assert [block.text.count("\n") for block in text_of(text, FULL)] == [2]
    hanging = (
        "[1] Anna Vale has told us that the lamp of the house near the old mill\n"
        "    is green, and that it has been so for as long as anybody remembers\n    it.\n"
    )
    assert [block.text.count("\n") for block in text_of(hanging, FULL)] == [0]


def test_lines_of_a_log_with_fractions_of_seconds_stand_apart() -> None:
    lines = [
        f"Sep 12 12:04:13.79{number} check[52238]: [ 9] Assigning defaults to\nlamp{number}.example.org\n"
        for number in range(4)
    ]
    assert [block.text.count("\nSep") for block in text_of("".join(lines), FULL)] == [3]


def test_a_url_broken_in_the_name_of_a_file_is_one_link() -> None:
    url = "http://www.lamps.example.org/old/people/anna.vale/home.formal/NATO/N1968/index.html"
    for end in (-6, -9):
        (block,) = text_of(f"{url[:end]}\n{url[end:]}\n", FULL)
        assert [run.link for run in block.runs] == [url]
    blocks = text_of(f"{url[:-6]}\nThe page says.\n", FULL)
    assert [run.link for block in blocks for run in block.runs if run.link] == [url[:-6]]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (
            '"Green lamps are often wrong," the famous owner of it Lev\nLandau put it, "but never in doubt."\n',
            0,
        ),
        (
            "For more tips that save money on your journey to Financial\nIndependence, visit our house of lamps.\n",
            0,
        ),
        (
            "It is the home of more than ten thousand lamp makers.\nMost are gone, but half of them are better.\n",
            1,
        ),
        ("Inflating One Ounce of Lamps to the Whole Universe Again\nTwenty Easy Steps\n", 1),
        (
            "gen.cc: In function:\ngen.cc:586: `header' is not declared here\ngen.cc:604:33: macro needs 2\n",
            2,
        ),
        (
            "rm -rf the lamps of all of the houses PREFIX=%{_prefix} and so on\n%install\nrm -rf again\n%{_make} x\n",
            3,
        ),
        (
            "make[2]: *** [obj/tools/gen.o] Error 1, and so on and so on for long\nmake[1]: *** [all] Error 2\n",
            1,
        ),
        ("I know that they are all in the big house of lamps-one\ndirectory.\n", 0),
        ("> I know that they are all in the big house of lamps-one\n> directory.\n\nYes\n", 0),
        ("I know that they are all in the big house of lamps-one,\nas many as you want of them.\n", 0),
        ("I know that they are all in the big house of lamps.\nmost are gone.\n", 1),
        ("I know that they are all in the big house of lamps-one:\nlamps\n", 1),
        ("I know that they are all in the big house of lamps-one\nwww.lamps.example\n", 1),
        ("I know that they are all in the big house of \nbig lamps.\n", 1),
        ("Lamps Of The World, Volume One: Houses And Gardens of\nlamps and oil\n", 0),
        ("Lamps Of The World, Volume One: Houses And Gardens So\nby Ann Example\n", 1),
    ],
)
def test_two_lines_are_prose_or_not(text: str, ends: int) -> None:
    assert sum(block.text.count("\n") for block in text_of(text, FULL)) == ends


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* A lamp which has an indent and\n  Begins again\n", "A lamp which has an indent and Begins again"),
        (
            '  "...if I seem super human I am misunderstood," says his page\n        lamps@e.example - his page\n',
            '"...if I seem super human I am misunderstood," says his page\nlamps@e.example - his page',
        ),
        ("* The lamp\n  Begins anew below it\n", "The lamp\nBegins anew below it"),
        (
            'On Sat, 24 Aug 2002 11:07:00 -0700, "John Hall" <john@e.example>\nsaid:\n',
            'On Sat, 24 Aug 2002 11:07:00 -0700, "John Hall" <john@e.example> said:',
        ),
    ],
)  # fmt: skip
def test_what_a_line_leaves_unfinished_goes_on_below_it(text: str, expected: str) -> None:
    assert [block.text for block in text_of(text, FULL)] == [expected]


def test_number_signs_are_marks_of_quotation_only_below_an_attribution() -> None:
    text = (
        "On Fri, 4 Oct 2002, Ben wrote:\n# The lamp is\n#\n# > green.\n\nIt is.\n\n"
        "The file:\n# one\n# two\n\n> quoted\n# three\n"
    )
    blocks = text_of(text, FULL)
    assert [">" * block.quote + block.text for block in blocks] == [
        "On Fri, 4 Oct 2002, Ben wrote:",
        ">The lamp is",
        ">>green.",
        "It is.",
        "The file:\n# one\n# two",
        ">quoted",
        "# three",
    ]


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("I use\n:0fw\n| spamc\n\nfor it.\n", [0, 0]),
        ("Now playing\n| Coming soon\nNext\n", [0]),
        ("Dan wrote:\n| The lamp.\nYes.\n", [0, 1, 0]),
        ("Dan wrote:\n\n| The lamp.\n\nYes.\n", [0, 1, 0]),
        ("Yes.\n| The lamp\n| is green.\nNo.\n", [0, 1, 0]),
    ],
)
def test_one_bar_alone_is_no_quotation(text: str, quotes: list[int]) -> None:
    blocks = text_of(text, FULL)
    assert [block.quote for block in blocks] == quotes
    for index, block in enumerate(blocks):
        again = read(leaf("1", "text/plain", text), FULL, block.at)
        assert [one.quote for one in again] == quotes[index:]


CUT = ("The lamp is green, and so it was. " * 40)[:989]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        (CUT[:-2] + "gr!", " een lamp.", "green lamp."),
        (CUT[:-2] + "nd!", "  no lamp.", "nd no lamp."),
        (CUT[:-20] + " What a lamp!", " No lamp.", "What a lamp!\nNo lamp."),
        ("What a lamp!", " No lamp.", "What a lamp!\nNo lamp."),
        (CUT[:-2] + "gr!", "No lamp.", "gr!\nNo lamp."),
    ],
)
def test_a_line_that_sendmail_cut_is_one(end: str, above: str, below: str, expected: str) -> None:
    above = "x" * (990 - len(above)) * (len(above) > 985) + above
    (block,) = text_of(above + end + below + end, FULL)
    assert block.text.endswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "+--------------------+--------------------+\n| Anna Bell          |                    |\n"
                "| Lamps, Chairs      | Tel  : 1234 5678   |\n+--------------------+--------------------+\n"
            ),
            ["paragraph Anna Bell\nLamps, Chairs · Tel : 1234 5678"],
        ),
        (
            (
                f"{'*' * 66}\n*  The lamp is here, and green as we all wanted it to be, and of  *\n"
                f"*  course so it was.                                             *\n*{' ' * 64}*\n"
                f"*  Come.                                                         *\n{'*' * 66}\n"
            ),
            [
                "rule",
                "paragraph The lamp is here, and green as we all wanted it to be, and of course so it was.\nCome.",
            ],
        ),
        (
            (
                "+-----------------------------------------------------------+\n"
                "| This week on the lamps (19-25 August 2002)                |\n"
                "|   posted by ziggy on Wednesday August 14, @19:44 (news)   |\n"
                "|   http://example.org/article.pl?sid=1                     |\n"
                "+-----------------------------------------------------------+\n"
            ),
            [
                (
                    "paragraph This week on the lamps (19-25 August 2002)\n"
                    "posted by ziggy on Wednesday August 14, @19:44 (news)\nhttp://example.org/article.pl?sid=1"
                )
            ],
        ),
        (
            f"{'#' * 44}\n# This is a warning only: please send it no #\n{'#' * 44}\n",
            ["rule", "paragraph This is a warning only: please send it no"],
        ),
        ("+---+----+\n| A | 12 |\n+---+----+\n", ["preformatted +---+----+\n| A | 12 |\n+---+----+"]),
        (
            "|       /\\_/\\                      |\n|      ( o.o )     ______          |\n",
            ["preformatted |       /\\_/\\                      |\n|      ( o.o )     ______          |"],
        ),
        (
            "# The lamp is green, and so it is for us #\n# two\n",
            ["paragraph # The lamp is green, and so it is for us #\n# two"],
        ),
    ],
)
def test_a_wide_frame_around_a_text_is_taken_away(text: str, expected: list[str]) -> None:
    assert said(text_of(text, FULL)) == expected


def test_blanks_after_a_sentence_are_no_columns() -> None:
    text = (
        "It has always been college radio here.     We have the\nLamps of all colours, and so it goes on for long.\n\n"
        "The lamps of this spring     and their prices\nLamps of all colours, and so it goes on for long.\n"
    )
    assert [block.text.count("\n") for block in text_of(text, FULL)] == [0, 1]


@pytest.mark.parametrize(
    ("above", "word", "below", "quoted"),
    [
        (
            "> From: lamps-admin@lists.example [mailto:lamps@lists.example] On Behalf Of",
            "Anna",
            "> Bell",
            True,
        ),
        (
            "> From: lamps-admin@lists.example [mailto:lamps@lists.example] On Behalf Of",
            "Mr.",
            "> Bell",
            True,
        ),
        (
            "> The lamps were shown by the London Times and also by the Los Angeles",
            "Times",
            "> last year.",
            True,
        ),
        (
            "> The lamps were shown by the London Times and also by the Los Angeles",
            "No.",
            "> last year.",
            False,
        ),
        (
            "> The lamps were shown by the London Times and also in Los Angeles too.",
            "Times",
            "> last.",
            False,
        ),
        ("> The lamps were shown.", "Indeed", "> Last year.", False),
        ("> The lamps show that they were switched on every evening, long before", "1492.", ">", True),
        (
            "> The lamps show that they were switched on every evening, long before",
            "12 lamps",
            "> that.",
            False,
        ),
        ("> How many lamps were switched on", "1492.", "> that.", False),
        (
            "> The lamps were shown by the London Times and also by the Los Angeles",
            "So what",
            "> last.",
            False,
        ),
    ],
)
def test_a_name_that_did_not_fit_into_a_quoted_line_is_quoted(
    above: str, word: str, below: str, quoted: bool
) -> None:
    blocks = text_of(f"{above}\n{word}\n{below}\n", FULL)
    assert [block.quote for block in blocks] == ([1] if quoted else [1, 0, 1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Regards,\n    Anna\n", ["paragraph Regards,\nAnna"]),
        (
            "Hi all,\n\tI have a lamp here, which is green.\n",
            ["paragraph Hi all,\nI have a lamp here, which is green."],
        ),
        (
            "  You are buying the lamps WHOLESALE,\n        from us TO YOU!\n",
            ["paragraph You are buying the lamps WHOLESALE,\nfrom us TO YOU!"],
        ),
        ("==> Lamps for FRIENDS,\n    and YOU!\n", ["paragraph ==> Lamps for FRIENDS,\nand YOU!"]),
        ("f(a,\n    b)\n", ["preformatted f(a,\n    b)"]),
        ("if a:\n    b\n", ["preformatted if a:\n    b"]),
    ],
)
def test_a_greeting_begins_no_code(text: str, expected: list[str]) -> None:
    assert said(text_of(text, FULL)) == expected


def test_a_title_above_what_is_to_be_done_stands_apart() -> None:
    title = "Premium Vacation Package and Lamp Giveaway"
    text = f"{title}\nTo see the details, please click on the link\nwith this number.\n"
    (block,) = text_of(text, FULL)
    assert block.text.split("\n")[0] == title


def test_one_blank_before_the_rest_of_a_sentence_is_an_accident() -> None:
    text = (
        "The packaging system would be one of the places\n such a lamp would stand in, I think.\n"
        "Some (like me) would have it anywhere else, in a house or in a garden,\n"
    )
    assert "places such a" in text_of(text, FULL)[0].text
    for more in ("    ", "\t"):
        assert "places\nsuch a" in text_of(text.replace("\n ", f"\n{more}"), FULL)[0].text


def test_stars_before_a_sentence_are_a_bullet_of_it() -> None:
    text = (
        "**********Within a few days you will receive by mail each\n"
        "of the lamps, and whatever they may be good for.\n\n"
        "***** NEWS *****\nThe lamps are here, and they are as green as we wanted\n"
        "all of them to be.\n"
    )
    assert [block.text.count("\n") for block in text_of(text, FULL)] == [0, 1]


SOFT = "The lamps of this house are switched on in the evening whenever it is d="


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SOFT}\n{SOFT}\nusk.\n", [f"{SOFT[:-1]}{SOFT[:-1]}usk."]),
        (
            f"{SOFT[:-2]}=\nafter it.\n\nSo it is.\n\n{SOFT}\n{SOFT}\nark.\n",
            [f"{SOFT[:-2]}after it.", "So it is.", f"{SOFT[:-1]}{SOFT[:-1]}ark."],
        ),
        (f"{SOFT}\nark.\n", [f"{SOFT} ark."]),
        (f"{SOFT}\n\n{SOFT}\n\nDark.\n", [SOFT, SOFT, "Dark."]),
        ("A = 1 +=\n2\nB = 1 +=\n2\n", ["A = 1 +=\n2\nB = 1 +=\n2"]),
        (f"{'x' * 69}=\n{'y' * 69}=\n", [f"{'x' * 69}=\n{'y' * 69}="]),
    ],
)
def test_soft_line_breaks_that_nobody_declared_join_lines(text: str, expected: list[str]) -> None:
    assert [block.text for block in text_of(text, FULL)] == expected
