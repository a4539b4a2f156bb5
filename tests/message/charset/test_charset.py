"""Labels, decoding and detection of charsets."""

from __future__ import annotations

import codecs
import encodings
import pkgutil
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.charset import alphabets, decoding, detection, shifts, utf7
from gateway.message.mime.body import text_pieces
from gateway.message.model import Part

NOT_TEXT = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
#: Codecs of Python that no mail may name: they are for source code, platforms or domain names.
NOT_CHARSETS = {
    "charmap",
    "idna",
    "punycode",
    "raw_unicode_escape",
    "unicode_escape",
    "undefined",
    "mbcs",
    "oem",
}


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF-8", "utf_8"),
        ('"utf-8"', "utf_8"),
        ("utf-8; format=flowed", "utf_8"),
        ("utf-8*en", "utf_8"),
        ("utf8mb4", "utf_8"),
        ("unknown-8bit", ""),
        ("x-unknown", ""),
        ("default", ""),
        ("x-user-defined", ""),
        ("", ""),
        ("us-ascii", "ascii"),
        ("ISO-8859-1", "cp1252"),
        ("latin1", "cp1252"),
        ("iso-8859-15", "iso8859_15"),
        ("iso-8859-8-i", "iso8859_8"),
        ("x-mac-cyrillic", "mac_cyrillic"),
        ("macintosh", "mac_roman"),
        ("cp-850", "cp850"),
        ("win-1251", "cp1251"),
        ("windows-874", "cp874"),
        ("gb2312", "gb18030"),
        ("GBK", "gb18030"),
        ("x-gbk", "gb18030"),
        ("big5", "big5hkscs"),
        ("ks_c_5601-1987", "cp949"),
        ("euc-kr", "cp949"),
        ("shift_jis", "cp932"),
        ("x-sjis", "cp932"),
        ("unicode-1-1-utf-7", "utf_7"),
        ("iso-2022-jp", "iso2022_jp_ext"),
    ],
)
def test_a_label_names_its_codec(label: str, codec: str) -> None:
    assert decoding.resolve(label) == codec


@pytest.mark.parametrize(
    "label", sorted(NOT_TEXT | NOT_CHARSETS | {"rot13", "base64", "zip", "hex", "bz2", "zlib"})
)
def test_what_is_no_charset_cannot_be_named(label: str) -> None:
    assert decoding.resolve(label) == ""
    assert decoding.decode(b"Uryyb", label)[0] == "Uryyb"


def test_every_text_codec_of_python_can_be_named() -> None:
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)} - {"aliases", "latin_1_"}
    for codec in modules - NOT_TEXT - NOT_CHARSETS:
        assert decoding.resolve(codec) != "", codec
    for alias, codec in aliases.items():
        if codec not in NOT_TEXT | NOT_CHARSETS:
            found = decoding.resolve(alias)
            assert codecs.lookup(decoding._LARGER.get(codec, codec)).name == codecs.lookup(found).name, alias


def test_unknown_labels_leave_nothing_behind() -> None:
    before = len(encodings._cache)  # type: ignore[attr-defined]
    for number in range(100):
        decoding.decode(b"\xe4\xf6\xfc", f"made-up-{number}")
    assert len(encodings._cache) <= before + 5  # type: ignore[attr-defined]


def test_codecs_that_can_be_found_fit_a_letter_each() -> None:
    assert len(detection.SNIFFED) <= 52
    assert "mac_cyrillic" not in detection.SNIFFED
    assert len(set(detection.SNIFFED)) == len(detection.SNIFFED)
    assert {codec for alphabet in alphabets.ALPHABETS for codec in alphabet.codecs} - {"iso8859_6"} <= set(
        detection.SNIFFED
    )
    for codec in detection.SNIFFED:
        assert decoding.codec_decoder(codec).decode(b"", True) == ""


RUSSIAN = "Привет, как дела? Встреча завтра в шесть часов вечера, приходите все."
FRENCH = "Le café est fermé, déjà à côté. Être français, très bientôt."
POLISH = "Zazwyczaj w poniedziałek spotykamy się na kawę, później idziemy do domu. Proszę o szybką odpowiedź."


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (RUSSIAN, "koi8_r"),
        (RUSSIAN, "cp1251"),
        ("Привет", "koi8_r"),
        ("ПРИВЕТ", "koi8_r"),
        ("ПРИВЕТ", "cp1251"),
        ("Он сказал: «Приходите все» – и ушёл…", "cp1251"),
        ("Привет, как дела у вас сегодня? Ок", "koi8_r"),
        (RUSSIAN, "cp866"),
        ("Καλημέρα, πώς είστε σήμερα; Η συνάντηση είναι αύριο το πρωί.", "cp1253"),
        ("Привет", "cp1251"),
        (FRENCH, "cp1252"),
        (FRENCH, "mac_roman"),
        ("It’s “nice” – really", "cp1252"),
        (POLISH, "iso8859_2"),
        (POLISH, "cp1250"),
        ("Bugün öğleden sonra toplantımız var, görüşürüz, teşekkürler", "cp1254"),
        ("你好，明天下午三点开会，请准时参加。", "gb18030"),
        ("你好，明天下午三點開會，請準時參加。", "big5hkscs"),
        ("こんにちは、明日の会議は三時からです。", "cp932"),
        ("こんにちは、明日の会議は三時からです。", "euc_jp"),
        ("こんにちは、明日の会議は三時からです。", "iso2022_jp_ext"),
        ("안녕하세요 내일 회의는 세시에 시작합니다", "cp949"),
        ("שלום לך מה שלומך היום", "cp1255"),
        (RUSSIAN, "utf_8"),
    ],
)
def test_the_codec_is_guessed_where_the_label_is_missing_or_wrong(text: str, codec: str) -> None:
    octets = text.encode(codec)
    for label in ("", "x-unknown", "us-ascii", "utf-8"):
        assert decoding.decode(octets, label)[0] == text
    assert decoding.decode(b"plain ASCII first. " * 2000 + octets)[0].endswith(text)


@given(
    st.binary(max_size=200),
    st.sampled_from([*detection.SNIFFED, "", "utf-7", "utf-16", "utf-32", "hz", "ascii", "nonsense"]),
)
def test_decoding_never_raises(octets: bytes, label: str) -> None:
    text, _ = decoding.decode(octets, label)
    assert text.encode("utf-8", "surrogatepass") is not None
    assert decoding.decode(octets, label)[0] is not None
    assert decoding.resolve(decoding.html_label(octets, label)) != ""
    decoding.decoder(label).decode(octets, True)


@given(st.text(max_size=60))
def test_any_label_means_something_or_nothing(label: str) -> None:
    codec = decoding.resolve(label)
    assert codec == "" or codecs.lookup(codec)


def test_defects_name_the_label() -> None:
    assert decoding.decode(b"x", "made-up") == ("x", ["charset: unknown 'made-up'"])
    assert decoding.decode("ä".encode("cp1252"), "utf-8")[1] == ["charset: 'utf-8' read as cp1252"]
    assert decoding.decode("ä".encode(), "utf-8")[1] == []


@pytest.mark.parametrize(
    ("octets", "declared", "text"),
    [
        ("<meta charset=windows-1251><p>да</p>".encode("cp1251"), "", "да"),
        (
            b'<META http-equiv=x content="text/html; charset=koi8-r"><p>' + "да".encode("koi8-r"),
            "x-unknown",
            "да",
        ),
        ("<meta charset=koi8-r><p>да</p>".encode("cp1251"), "windows-1251", "да"),
        ("<meta charset=iso-8859-1><p>да</p>".encode(), "utf-8", "да"),
        ("<meta charset=windows-1251><p>да</p>".encode("cp1251"), "utf-8", "да"),
        ("<meta charset=utf-16><p>да</p>".encode(), "", "да"),
        (b"\xef\xbb\xbf" + "<p>да</p>".encode(), "koi8-r", "да"),
        ("<p>да</p>".encode("utf-16"), "", "да"),
        ("<p>да</p>".encode("utf-16-le"), "utf-16", "да"),
        (b"<p>\x93da\x94", "iso-8859-1", "“da”"),
    ],
)
def test_the_charset_of_html(octets: bytes, declared: str, text: str) -> None:
    assert text in decoding.decode(octets, decoding.html_label(octets, declared))[0]


@pytest.mark.parametrize("label", ["utf-16", "utf-32"])
def test_wide_charsets_without_a_mark_are_big_endian(label: str) -> None:
    for octets in (
        "Grüße".encode(label),
        "Grüße".encode(f"{label}-be"),
        ("\ufeffGrüße").encode(f"{label}-be"),
    ):
        decoder = decoding.decoder(label)
        assert "".join(decoder.decode(octets[at : at + 1]) for at in range(len(octets))) == "Grüße"


# --- UTF-7 ---


@given(st.text(max_size=60), st.integers(1, 7))
def test_utf7_reads_what_python_writes(text: str, size: int) -> None:
    octets = text.encode("utf-7", "replace")
    decoder = utf7.Utf7Decoder()
    pieces = [decoder.decode(octets[at : at + size]) for at in range(0, len(octets), size)]
    expected = text.encode("utf-16", "replace").decode("utf-16")
    assert "".join(pieces) + decoder.decode(b"", True) == expected


@given(st.binary(max_size=80), st.integers(1, 7))
def test_utf7_does_not_depend_on_the_pieces(octets: bytes, size: int) -> None:
    decoder = utf7.Utf7Decoder()
    pieces = [decoder.decode(octets[at : at + size]) for at in range(0, len(octets), size)]
    assert "".join(pieces) + decoder.decode(b"", True) == utf7.Utf7Decoder().decode(octets, True)


@pytest.mark.parametrize(
    ("octets", "text"), [(b"1 +- 1", "1 + 1"), (b"+2AA-x", "\ufffdx"), (b"+", ""), (b"+AG!", "!")]
)
def test_utf7_corners(octets: bytes, text: str) -> None:
    assert utf7.Utf7Decoder().decode(octets, True) == text


def test_utf7_can_begin_again_only_where_nothing_is_kept_back() -> None:
    decoder = utf7.Utf7Decoder()
    kept = []
    for octet in b"a+2ADYAGEAYQBh-":
        decoder.decode(bytes((octet,)))
        kept.append(decoder.getstate()[0] != b"")
    assert [at for at, back in enumerate(kept) if not back] == [0, 9, 14]


# --- shift states ---


@pytest.mark.parametrize(
    ("codec", "octets", "state"),
    [
        ("iso2022_jp_ext", b"a\x1b$B", "D"),
        ("iso2022_jp_ext", b"a\x1b$B$3\x1b(B", ""),
        ("iso2022_kr", b"\x1b$)C\n\x0e", "KN"),
        ("iso2022_kr", b"\x1b$)C\x0e\n", "K"),
        ("hz", b"~{VP", "S"),
        ("hz", b"~{VP~}", ""),
        ("hz", b"~{VP\n", ""),
        ("utf_7", b"a +AGE", "S"),
        ("utf_7", b"a +AGE-", ""),
        ("cp1252", b"\x1b$B", ""),
    ],
)
def test_shift_states(codec: str, octets: bytes, state: str) -> None:
    assert shifts.after(codec, octets, "") == state
    assert shifts.after(codec, b"", state) == state
    assert shifts.begin(codec, state) is not None


def test_a_decoder_begins_in_its_state() -> None:
    octets = "日本".encode("iso2022_jp")[3:]
    assert shifts.begin("iso2022_jp_ext", "D").decode(octets, True) == "日本"


# UTF-8 under another name

UTF8_TEXTS = {
    "latin-1": ["für", "Grüße aus Köln – “schön”", "caf\u00e9\u00a0!"],
    "iso-8859-15": ["für 5 €"],
    "windows-1252": ["naïve", "it’s"],
    "gb2312": ["样品已经寄出，单号如下", "你好吗？谢谢"],
    "big5": ["會議時間改到下午三點"],
    "koi8-r": ["Привет всем"],
    "windows-1251": ["Доброе утро"],
    "shift_jis": ["会議の日程について"],
    "euc-kr": ["안녕하세요 여러분"],
}


@pytest.mark.parametrize(
    ("label", "text"), [(label, text) for label, texts in UTF8_TEXTS.items() for text in texts]
)
def test_text_in_utf_8_is_read_so_under_any_label(label: str, text: str) -> None:
    read, defects = decoding.decode(text.encode(), label)
    assert read == text
    assert defects == [f"charset: {label!a} read as utf_8"]
    part = Part("1", "text/plain", {"charset": label}, "8bit")
    octets = f"plain line\n\n{text}\n".encode() * 40
    pieces = list(text_pieces(part, lambda start: iter([octets[start:]])))
    assert "".join(piece.text for piece in pieces) == octets.decode()
    for piece in pieces[::9]:
        again = text_pieces(part, lambda start: iter([octets[start:]]), piece.at, piece.state)
        assert "".join(one.text for one in again) == "".join(
            one.text for one in pieces[pieces.index(piece) :]
        )


LABELLED_TRULY = {
    "latin-1": ["CAFÉ»", "«CAFÉ»", "Ünïcödé", "50 °C ± 2", "À bientôt, l’été"],
    "gb2312": ["样品", "拢谩", "你好", "价格", "谢谢", "中文邮件测试内容"],
    "big5": ["你好", "會議", "中文郵件"],
    "koi8-r": ["Привет", "Да", "вот так"],
    "windows-1251": ["Привет", "Ёлка", "№ 5"],
    "cp866": ["рад", "равно", "стара"],
    "shift_jis": ["こんにちは", "会議", "ﾃｽﾄ"],
    "euc-kr": ["안녕", "회의"],
    "windows-1253": ["Γεια", "ΓΆΜΟΣ"],
    "windows-1256": ["أهلا", "شكرا"],
    "windows-1255": ["שלום"],
    "tis-620": ["าก", "สวัสดี"],
}


@pytest.mark.parametrize(
    ("label", "text"), [(label, text) for label, texts in LABELLED_TRULY.items() for text in texts]
)
def test_a_true_label_is_believed(label: str, text: str) -> None:
    octets = text.encode("cp1252" if label == "latin-1" else label)
    assert decoding.decode(octets, label)[0] == text
    part = Part("1", "text/plain", {"charset": label}, "8bit")
    assert "".join(piece.text for piece in text_pieces(part, lambda start: iter([octets[start:]]))) == text


def test_what_was_decided_once_holds_to_the_end() -> None:
    """The beginning is Latin-1; what follows could be taken for UTF-8 if it were alone."""
    octets = "Schöne Grüße\n".encode("cp1252") + "für alle\n".encode() * 4000
    part = Part("1", "text/plain", {"charset": "latin-1"}, "8bit")
    pieces = list(text_pieces(part, lambda start: iter([octets[start:]])))
    assert pieces[0].text == "Schöne Grüße\n"
    assert pieces[-1].text == "fÃ¼r alle\n"
    for piece in pieces[1::700]:
        again = next(text_pieces(part, lambda start: iter([octets[start:]]), piece.at, piece.state))
        assert again == piece


# A few words without a label

FEW_WORDS = {
    "cp1253": ["Καλημέρα", "Γεια σου", "Ευχαριστώ πολύ", "ΕΠΕΙΓΟΝ", "Ραντεβού αύριο στις 10:00"],
    "cp1256": ["مرحبا", "السلام عليكم", "أرجو إرسال الملف اليوم", "صباح الخير"],
    "cp1255": ["שלום", "תודה רבה"],
    "gb18030": ["你好", "测试", "会议改到明天下午", "关于合同的问题"],
    "big5hkscs": ["你好", "謝謝", "測試", "會議改到明天下午", "請查收附件"],
    "cp932": ["こんにちは", "会議", "テスト", "明日の予定", "お世話になっております"],
    "euc_jp": ["こんにちは", "会議", "明日の予定"],
    "cp949": ["안녕하세요", "감사합니다"],
    "cp1251": ["Привет", "Добрый день", "Спасибо за письмо", "СРОЧНО", "привет завтра"],
    "koi8_r": ["Привет", "Добрый день", "Спасибо за письмо"],
    "cp866": ["Привет", "Добрый день"],
    "cp874": ["สวัสดี", "ขอบคุณครับ"],
    "cp1252": [
        "für",
        "Grüße",
        "Café",
        "naïve façade",
        "À bientôt",
        "50 °C",
        "ÅÄÖ",
        "über Öl",
        "Größe: 5 €",
        "Windows NTÆ",
        "© 2026",
        "Nr. 5 – ok",
    ],
}


@pytest.mark.parametrize(
    ("codec", "text"), [(codec, text) for codec, texts in FEW_WORDS.items() for text in texts]
)
def test_a_few_words_without_a_label_are_read(codec: str, text: str) -> None:
    assert decoding.decode(text.encode(codec))[0] == text
    assert decoding.decode(text.encode(codec), "x-unknown")[0] == text
