"""Languages: nothing is left untranslated, too long for a softkey, or written in letters that a device lacks."""

from __future__ import annotations

import gettext
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from gateway import language as lang
from gateway.app import create_app
from gateway.config import Config
from gateway.device import ASCII, LATIN_1, UTF_8
from gateway.errors import CatalogueMissing
from gateway.language import ENGLISH, LANGUAGES, SOFTKEY, SOFTKEY_WIDTH, Language, languages
from hatch_build import SOFTKEY as COMPILED_CONTEXT
from hatch_build import compile_catalogues, for_gettext
from tests import rig
from tests.devices.checks import check_deck, check_page
from tests.devices.phones import Refused, WmlPhone, XhtmlBrowser, in_process
from tests.language import collect, update
from tests.language.collect import Found, key
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

ORIGIN = "http://pp.example:8080"
OTHERS = [tag for tag in LANGUAGES if tag != ENGLISH]
NOW = datetime(2026, 11, 6, 15, 0, tzinfo=UTC)
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd%]")


@pytest.fixture(scope="module")
def wanted() -> Found:
    return collect.collect()


def _known(tag: str) -> list[Message]:
    return [message for message in update.read(tag) if message.id]


# What there is to translate, and that it is translated


def test_everything_that_is_said_can_be_collected(wanted: Found) -> None:
    assert wanted.problems == []
    assert len(wanted.catalogue) > 200


def test_the_readme_names_every_language() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for language in LANGUAGES.values():
        assert language.name in readme


@pytest.mark.parametrize("tag", OTHERS)
def test_a_catalogue_has_every_label_and_no_other(tag: str, wanted: Found) -> None:
    known = {key(message) for message in _known(tag)}
    assert sorted(known ^ set(wanted.entries)) == [], "run `make messages`"


@pytest.mark.parametrize("tag", OTHERS)
def test_every_label_is_translated(tag: str) -> None:
    assert [key(message) for message in update.missing(update.read(tag))] == []


@pytest.mark.parametrize("tag", OTHERS)
def test_a_catalogue_is_written_as_the_tool_writes_it(tag: str) -> None:
    assert update.source_path(tag).read_text(encoding="utf-8") == update.written(update.read(tag))


@pytest.mark.parametrize("tag", OTHERS)
def test_translations_fill_in_what_their_originals_do(tag: str) -> None:
    for message in _known(tag):
        originals = message.id if message.pluralizable else (message.id,)
        expected = {frozenset(Counter(_PLACEHOLDER.findall(text)).items()) for text in originals}
        msgid = originals[0]
        for text in filter(None, update.strings(message)):
            assert frozenset(Counter(_PLACEHOLDER.findall(text)).items()) in expected, (msgid, text)
            assert text.strip() == text or msgid.strip() != msgid, (msgid, text)
            assert text.endswith(".") or not msgid.endswith("."), (msgid, text)
            assert "\n" not in text or "\n" in msgid


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_softkey_fits(tag: str, wanted: Found) -> None:
    say = Language(tag).gettext
    for msgid in wanted.softkeys():
        label = lang.softkey(tag, say(msgid))
        assert 0 < len(label) <= SOFTKEY_WIDTH, (msgid, label)


@pytest.mark.parametrize("tag", OTHERS)
def test_one_word_has_one_short_form(tag: str) -> None:
    """What is looked up by the translated word must not depend on the label from which it came."""
    shorts: dict[str, set[str]] = {}
    for message in _known(tag):
        if message.context == SOFTKEY and message.string:
            shorts.setdefault(Language(tag).gettext(message.id), set()).add(message.string)
    assert [word for word, forms in shorts.items() if len(forms) > 1] == []


@pytest.mark.parametrize("tag", OTHERS)
def test_short_forms_are_on_softkeys(tag: str) -> None:
    said = {Language(tag).gettext(m.id): m.string for m in _known(tag) if m.context == SOFTKEY and m.string}
    assert said
    assert {label: lang.softkey(tag, label) for label in said} == said


@pytest.mark.parametrize("tag", OTHERS)
def test_letters_are_those_of_the_catalogue(tag: str) -> None:
    """They decide to which devices a language is offered."""
    text = "".join(text for message in _known(tag) for text in update.strings(message)) + LANGUAGES[tag].name
    assert {each for each in text.lower() if each.isalpha() and not each.isascii()} == {
        *LANGUAGES[tag].letters
    }


# Collecting


def _found(source: str, collected: Callable[[Found, str, str], None] = collect.python) -> Found:
    found = Found()
    collected(found, source, "here")
    return found


@pytest.mark.parametrize(
    ("source", "msgids"),
    [
        ("_('One')", ["One"]),
        ("say('One' if x else 'Two')", ["One", "Two"]),
        ("visit.language.gettext(y or 'One')", ["One"]),
        ("a.ngettext('%d row', '%d rows', n)", ["%d row"]),
        ("TABLE = {1: _n('%d row', '%d rows')}", ["%d row"]),
        ("ngettext(*TABLE[1], n)", []),
        ("text.translate(table)", []),
        ("_(sentence)", []),
    ],
)
def test_texts_are_collected_from_python(source: str, msgids: list[str]) -> None:
    found = _found(source)
    assert [msgid for _context, msgid in found.entries] == msgids
    assert not found.problems


@pytest.mark.parametrize(
    "source",
    [
        "_(f'{count} mails')",
        "_('Hello ' + name)",
        "gettext('%s' % x)",
        "ngettext(f'{x}', 'y', n)",
        "Action(label, href, '1', 'accept')",
        "Action(_('Unsubscribe'), href, '1', 'accept', label)",
    ],
)
def test_what_cannot_be_collected_is_a_problem(source: str) -> None:
    assert len(_found(source).problems) == 1


@pytest.mark.parametrize(
    ("source", "labels"),
    [
        ("Action(_('Next'), href, '#', 'accept')", {"Next"}),
        ("Action(_('Unsubscribe'), href, '1', 'accept', _('Leave'))", {"Leave"}),
        ("Action(_('Unsubscribe'), href, soft='options', short=_('Leave'))", {"Leave"}),
        ("Action(_('Next'), href, '#', 'accept' if x else '')", {"Next"}),
        ("Action(label, href, *key(found), short=_('Write'))", {"Write"}),
        ("Action(_('Next'), href, '#')", set()),
        ("values = {'short': _('Yes')}", {"Yes"}),
    ],
)
def test_softkeys_are_collected_twice(source: str, labels: set[str]) -> None:
    assert _found(source).softkeys() == labels


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("<p>{{ _('Text') }} <input/></p>", 0),
        ("<p>Text</p>", 1),
        ('<do type="accept" label="{{ softkey(_(\'Send\')) }}"><prev/></do>', 0),
        ('<do type="accept" label="{{ _(\'Send\') }}"><prev/></do>', 1),
        ("<style>a{color:red}</style>{# words #}", 0),
    ],
)
def test_templates_say_nothing_of_their_own(source: str, problems: int) -> None:
    assert len(_found(source, collect.template).problems) == problems


# Catalogues, from the text that a translator edits to what is shown

_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\x04"), min_size=1)
_MESSAGES = st.lists(
    st.tuples(_WORDS, st.sampled_from([None, SOFTKEY]), _WORDS, _WORDS, st.booleans()),
    max_size=6,
    unique_by=lambda message: message[:2],
)


def _compiled(catalogue: Catalog) -> gettext.GNUTranslations:
    file = io.BytesIO()
    write_mo(file, for_gettext(catalogue))
    file.seek(0)
    return gettext.GNUTranslations(file)


@given(_MESSAGES)
def test_what_is_written_is_read_and_shown(
    messages: list[tuple[str, str | None, str, str, bool]],
) -> None:
    catalogue = Catalog(locale="de")
    for msgid, context, text, other, plural in messages:
        if plural and context is None:
            catalogue.add((msgid, msgid + "s"), (text, other))
        else:
            catalogue.add(msgid, text, context=context)
    read = read_po(io.BytesIO(update.written(catalogue).encode()), abort_invalid=True)
    assert {key(m): update.strings(m) for m in read if m.id} == {
        key(m): update.strings(m) for m in catalogue if m.id
    }
    shown = _compiled(read)
    for msgid, context, text, other, plural in messages:
        if context is None and plural:
            assert (shown.ngettext(msgid, "", 1), shown.ngettext(msgid, "", 7)) == (text, other)
        elif context is None:
            assert shown.gettext(msgid) == text


def test_what_is_fuzzy_or_empty_is_shown_in_english() -> None:
    text = (
        '#, fuzzy\nmsgid "Send"\nmsgstr "Falsch"\n\nmsgid "Back"\nmsgstr ""\n\n#~ msgid "Old"\n#~ msgstr "Alt"\n'
        '\nmsgid ""\n"Next"\nmsgstr "Wei"\n"ter"\n'
    )
    shown = _compiled(read_po(io.StringIO(text)))
    assert [shown.gettext(text) for text in ("Send", "Back", "Old", "Next")] == [
        "Send",
        "Back",
        "Old",
        "Weiter",
    ]


def test_a_short_form_is_found_by_the_translated_label() -> None:
    assert COMPILED_CONTEXT == SOFTKEY
    catalogue = Catalog(locale="de")
    catalogue.add("Inbox", "Posteingang")
    catalogue.add("Inbox", "Eingang", context=SOFTKEY)
    shown = _compiled(catalogue)
    assert shown.pgettext(SOFTKEY, "Posteingang") == "Eingang"
    assert shown.pgettext(SOFTKEY, "Inbox") == "Inbox"
    assert shown.gettext("Inbox") == "Posteingang"


def test_a_mistake_in_a_catalogue_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gateway/language/locale/de/LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "pocketpost.po").write_text('msgid "a"\nmsgstr "b"\nword\n')
    with pytest.raises(ValueError, match=r"de/LC_MESSAGES/pocketpost\.po: .* on 2"):
        compile_catalogues(tmp_path)
    assert [path.name for path in folder.iterdir()] == ["pocketpost.po"]


def test_compiling_twice_gives_the_same_octets() -> None:
    catalogue = update.read("de")
    first, second = io.BytesIO(), io.BytesIO()
    write_mo(first, for_gettext(catalogue))
    write_mo(second, for_gettext(catalogue))
    assert first.getvalue() == second.getvalue()
    assert first.getvalue() == lang.catalogue_path("de").read_bytes()


def test_a_language_that_was_not_compiled_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_LOCALES", tmp_path)
    languages._catalogue.cache_clear()
    try:
        with pytest.raises(CatalogueMissing, match=r"de/LC_MESSAGES/pocketpost\.mo is missing"):
            create_app(Config(()))
    finally:
        languages._catalogue.cache_clear()


def test_updating_keeps_translations_and_drops_what_is_no_longer_used() -> None:
    catalogue, template = Catalog(locale="pl"), Catalog()
    catalogue.add("Send", "Wyślij")
    catalogue.add("Gone", "Precz")
    template.add("Send", locations=[("a", 0), ("b", 0), ("c", 0)])
    template.add(("Row", "Rows"), locations=[("b", 0)])
    update.update(catalogue, template)
    text = update.written(catalogue)
    assert text.endswith(
        '#: a b\nmsgid "Send"\nmsgstr "Wyślij"\n\n#: b\nmsgid "Row"\nmsgid_plural "Rows"\n'
        'msgstr[0] ""\nmsgstr[1] ""\nmsgstr[2] ""\n'
    )
    assert [key(message) for message in update.missing(catalogue)] == [("", "Row")]


@pytest.mark.parametrize(
    ("tag", "counts"),
    [
        ("de", {0: 1, 1: 0, 2: 1}),
        ("fr", {0: 0, 1: 0, 2: 1}),
        ("pl", {1: 0, 2: 1, 5: 2, 12: 2, 22: 1, 25: 2, 112: 2}),
        ("ru", {1: 0, 2: 1, 5: 2, 11: 2, 21: 0, 22: 1, 111: 2}),
    ],
)
def test_plurals_are_those_of_the_language(tag: str, counts: dict[int, int]) -> None:
    catalogue = update.read(tag)
    catalogue.add(("row", "rows"), tuple("abc"[: catalogue.num_plurals]))
    shown = _compiled(catalogue)
    for number, form in counts.items():
        assert shown.ngettext("row", "rows", number) == "abc"[form], number


# What a device can show


def test_a_language_is_offered_where_its_letters_can_be_shown() -> None:
    assert set(lang.offered(UTF_8)) == set(LANGUAGES)
    assert lang.offered(LATIN_1) == ("en", "de", "es", "fr", "pt-BR")
    assert lang.offered(ASCII) == ("en",)


@pytest.mark.parametrize(
    ("asked", "charset", "tag"),
    [
        ("ru, de;q=0.5", UTF_8, "ru"),
        ("ru, de;q=0.5", LATIN_1, "de"),
        ("pl", LATIN_1, "en"),
        ("pt", UTF_8, "pt-BR"),
        ("pt-PT, en;q=0.9", LATIN_1, "pt-BR"),
        ("es-MX", ASCII, "en"),
        ("zh, ja", UTF_8, "en"),
    ],
)
def test_a_language_is_chosen_among_those_offered(asked: str, charset: str, tag: str) -> None:
    assert lang.choose(asked, lang.offered(charset)) == tag


# Numbers and dates


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", ["7", "1,234", "100,000", "1.5"]),
        ("de", ["7", "1.234", "100.000", "1,5"]),
        ("es", ["7", "1234", "100.000", "1,5"]),
        ("fr", ["7", "1\u00a0234", "100\u00a0000", "1,5"]),
        ("pl", ["7", "1234", "100\u00a0000", "1,5"]),
        ("pt-BR", ["7", "1.234", "100.000", "1,5"]),
        ("ru", ["7", "1\u00a0234", "100\u00a0000", "1,5"]),
    ],
)
def test_numbers_are_written_as_the_language_does(tag: str, said: list[str]) -> None:
    assert [Language(tag).number(value) for value in (7, 1234, 100_000, 1.5)] == said


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", ["0 B", "999 B", "1 KB", "35 KB", "1.2 MB", "12 MB", "3.1 GB"]),
        ("fr", ["0 o", "999 o", "1 Ko", "35 Ko", "1,2 Mo", "12 Mo", "3,1 Go"]),
    ],
)
def test_sizes_are_short_and_in_the_language(tag: str, said: list[str]) -> None:
    sizes = (0, 999, 1000, 35_400, 1_240_000, 12_400_000, 3_100_000_000)
    assert [Language(tag).size(octets) for octets in sizes] == said


@pytest.mark.parametrize("tag", LANGUAGES)
def test_short_dates_are_short_on_every_day(tag: str) -> None:
    language = Language(tag)
    for days in range(-2, 800):
        said = language.short_date(NOW - timedelta(days=days), NOW)
        assert 0 < len(said) <= 8, said


@pytest.mark.parametrize(
    ("tag", "day", "year", "full"),
    [
        ("de", "30. Okt", "Nov 2019", "Di 3. Nov 2026 14:05"),
        ("es", "30 oct", "nov 2019", "mar 3 nov 2026 14:05"),
        ("fr", "30 oct", "11/2019", "mar 3 nov 2026 14:05"),
        ("pl", "30 paź", "lis 2019", "wt 3 lis 2026 14:05"),
        ("pt-BR", "30 out", "nov 2019", "ter 3 nov 2026 14:05"),
        ("ru", "30 окт", "11.2019", "вт 3 ноя 2026 14:05"),
    ],
)
def test_dates_stand_in_the_order_of_the_language(tag: str, day: str, year: str, full: str) -> None:
    language = Language(tag)
    assert language.short_date(NOW - timedelta(days=7), NOW) == day
    assert language.short_date(datetime(2019, 11, 3, tzinfo=UTC), NOW) == year
    assert language.long_date(datetime(2026, 11, 3, 14, 5, tzinfo=UTC)) == full


# The main job in each language

ME = "polyglot@example.net"


@pytest.fixture
def said(wanted: Found, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """What was translated while the test ran; all of it must have been collected."""
    texts: set[str] = set()
    gettext = Language.gettext

    def listening(self: Language, msgid: str) -> str:
        texts.add(msgid)
        return gettext(self, msgid)

    monkeypatch.setattr(Language, "gettext", listening)
    yield texts
    assert texts - {msgid for _context, msgid in wanted.entries} <= {""}


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("markup", ["wml", "xhtml"])
def test_the_main_job(
    tag: str, markup: str, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, said: set[str]
) -> None:
    dovecot.user(ME)
    maildir.fill(dovecot.maildir(ME), 20, first_second=1_700_000_000)
    text = "word " * 2000
    dovecot.deliver(ME, f"From: {ME}\r\nTo: {ME}\r\nSubject: Long one\r\n\r\n{text}\r\n".encode())
    say = Language(tag).gettext
    with rig.gateway(tmp_path, dovecot, smtp_server) as app:
        device: Any
        headers = {"Accept-Language": tag}
        if markup == "wml":
            back = lang.softkey(tag, say("Back"))
            device = WmlPhone(ORIGIN, in_process(app), check_deck=check_deck, headers=headers, back=back)
        else:
            device = XhtmlBrowser(ORIGIN, in_process(app), check_page=check_page, headers=headers)
        device.open("/").fill("user", ME).fill("password", "secret").press(say("Sign in"))
        assert device.title.startswith(say("Inbox"))
        device.follow(say("Next")).follow(say("Prev")).follow("Long one")
        while say("Next") in device.links:
            device.follow(say("Next"))
        device.follow(say("Reply")).fill("text", "Да, où, żółć").press(say("Send"))
        assert say("Sent to %(who)s.") % {"who": ME} in device.text
        device.follow(say("Inbox")).follow(say("Menu")).follow(say("Settings")).follow(say("Language"))
        other = next(name for name in ("de", "fr") if name != tag)
        device.fill("language", other)
        if markup == "wml":
            device.back_label = lang.softkey(other, Language(other).gettext("Back"))
        device.press(say("Save"))
        assert device.title == Language(other).gettext("Language")
        assert Language(other).gettext("Saved.") in device.text


#: Pages that are examined in each language, the nearest first.
_REACH = 45


def _crawl(phone: WmlPhone) -> set[str]:
    """Follow links that change nothing, each kind of address once; return the paths that were seen."""
    seen: set[str] = set()
    waiting = [phone.url]
    while waiting and len(seen) < _REACH:
        url = waiting.pop(0)
        page = urlsplit(url).path.rpartition("/")[2]
        kind = re.sub(r"[0-9]+", "0", page)
        if kind in seen or page == "bye" or f"/~{_token(phone)}/" not in url:
            continue
        seen.add(kind)
        phone.fetch("GET", url)
        waiting += [urljoin(phone.url, href) for href in phone.links.values()]
    return seen


def _token(phone: WmlPhone) -> str:
    return phone.url.partition("/~")[2].partition("/")[0]


@pytest.mark.parametrize(
    ("tag", "sdu"), [*((tag, 0) for tag in OTHERS), ("en", 1000), ("de", 1000), ("fr", 1000), ("ru", 1000)]
)
def test_every_page_within_reach_fits_the_smallest_phone(
    tag: str, sdu: int, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path, said: set[str]
) -> None:
    dovecot.user(ME)
    maildir.fill(dovecot.maildir(ME), 12, first_second=1_700_000_000)
    headers = {"Accept-Language": tag} | ({"X-WAP-Client-SDU-Size": str(sdu)} if sdu else {})
    back = lang.softkey(tag, Language(tag).gettext("Back"))
    limit = sdu - 4 if sdu else 1396
    with rig.gateway(tmp_path, dovecot, smtp_server) as app:
        phone = WmlPhone(
            ORIGIN, in_process(app), check_deck=check_deck, headers=headers, back=back, limit=limit
        )
        phone.open("/").fill("user", ME).fill("password", "secret").press(Language(tag).gettext("Sign in"))
        seen = _crawl(phone)
    assert seen >= {"s", "sd", "sm", "sq", "sr", "sz", "sl", "sf", "sk"}, sorted(seen)
    assert len(seen) > 25, sorted(seen)


def test_a_language_that_cannot_be_shown_is_not_offered(
    dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    dovecot.user(ME)
    with rig.gateway(tmp_path, dovecot, smtp_server) as app:
        latin = {"Accept-Charset": "iso-8859-1", "Accept-Language": "ru, pl;q=0.9"}
        phone = WmlPhone(ORIGIN, in_process(app), check_deck=check_deck, headers=latin, charset="iso-8859-1")
        phone.sign_in(ME, "secret")
        phone.follow("Menu").follow("Settings").follow("Language")
        offered = [option.get("value") for option in phone.card.iter("option")]
        assert offered == ["-", "en", "de", "es", "fr", "pt-BR"]
        phone.fill("language", "ru").press("Save")
        assert phone.title == "Language"
        # What was chosen on a phone that can show it applies only to such phones.
        other = WmlPhone(ORIGIN, in_process(app), check_deck=check_deck)
        other.sign_in(ME, "secret").follow("Menu").follow("Settings").follow("Language").fill(
            "language", "ru"
        )
        other.back_label = lang.softkey("ru", Language("ru").gettext("Back"))
        other.press("Save")
        assert other.title == "Язык"
        phone.follow("Inbox")
        assert phone.title.startswith("Inbox")
        with pytest.raises(Refused):
            phone.follow("Язык")
