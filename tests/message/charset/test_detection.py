"""Detection is measured: short samples in the charsets used by mail without a label, cut at these octets."""

from __future__ import annotations

import pytest

from gateway.message.charset import decoding, detection
from tests.message.charset.charset_samples import BULGARIAN, RUSSIAN, UKRAINIAN, USED

#: Octets of a sample, and how many of all samples must be read correctly.
MEASURED = {100: 0.95, 40: 0.9}
#: Samples of each codec.
PER_CODEC = 10


def cut(text: str, codec: str, start: int, octets: int) -> tuple[str, bytes]:
    """Cut a piece of at most this many octets, and return it with its text."""
    text = text.encode(codec, "ignore").decode(codec)[start:]
    while len(text.encode(codec)) > octets:
        text = text[:-1]
    return text, text.encode(codec)


def samples(octets: int) -> list[tuple[str, str, bytes]]:
    """Return ten samples for each codec: its texts from several places on."""
    found = []
    for codec, texts in USED.items():
        places = [(text, start) for start in (0, 7, 13, 21, 34) for text in texts][:PER_CODEC]
        found += [(codec, *cut(text, codec, start, octets)) for text, start in places]
    return found


@pytest.mark.parametrize("octets", MEASURED)
def test_unlabelled_samples_are_read_right(octets: int) -> None:
    all_of_them = samples(octets)
    assert len(all_of_them) >= 200
    assert len({codec for codec, _, _ in all_of_them}) >= 20
    wrong = [(codec, text) for codec, text, sample in all_of_them if decoding.decode(sample)[0] != text]
    assert 1 - len(wrong) / len(all_of_them) >= MEASURED[octets], wrong


def test_html_around_the_words_does_not_change_what_they_are_in() -> None:
    for codec, text, sample in samples(100):
        page = b'<html><body style="color: #fff"><p class="first">' + sample + b"</p><br>"
        read = decoding.decode(page, decoding.html_label(page))[0]
        assert f">{text}<" in read, codec


def test_no_text_is_ever_taken_for_mac_cyrillic() -> None:
    for text in (*RUSSIAN, *UKRAINIAN, *BULGARIAN):
        for codec in ("mac_cyrillic", "cp1251", "koi8_r"):
            assert "mac" not in detection.detect(text.encode(codec, "ignore"))


def test_a_long_run_of_ideographs_is_read_however_it_is_cut() -> None:
    for codec in ("gb18030", "big5", "cp932", "euc_jp", "euc_kr"):
        text = "".join(USED[codec]).replace(" ", "") * 40
        octets = text.encode(codec)
        for label in ("", "x-unknown", "us-ascii"):
            assert decoding.decode(octets, label)[0] == text


@pytest.mark.parametrize("word", ["Grüße", "café", "naïf", "“so”", "it’s", "10 €"])
def test_latin_1_inside_utf_8_is_read(word: str) -> None:
    text = "Größere Teile davon sind in UTF-8 – «das meiste».\n".encode()
    for label in ("utf-8", "", "us-ascii"):
        read = decoding.decode(text + word.encode("cp1252") + b" here\n" + text, label)[0]
        assert read == (text * 2).decode().replace(".\nG", f".\n{word} here\nG")


@pytest.mark.parametrize("octets", ["Größe".encode()[:3], "漢字".encode()[:5], b"\xff\xfe\xfd", b"\xe2\x80"])
def test_what_is_cut_or_no_letter_is_said_to_be_unreadable(octets: bytes) -> None:
    text = "Größere Teile davon sind in UTF-8 – «das meiste».\n".encode()
    assert "\ufffd" in decoding.decode(text + octets + "ö".encode() + text, "utf-8")[0]


@pytest.mark.parametrize("sign", ["©", "®", "£", "°", "·", "–"])
def test_a_sign_that_touches_no_word_tells_no_language(sign: str) -> None:
    text = f"Legal Information. Copyright {sign} 1995-2002 The Lamp Company. All Rights Reserved. ISSN 1095-3965."
    assert decoding.decode(text.encode("cp1252"))[0] == text


CRIER = """{} HOW it works. When ONE party sues ANOTHER and WINS, the winner HOLDS a PAPER.
BUT, guess what? They soon find OUT these FACTS:

a) It’s NOW up to THEM to collect.
b) The COURT does NOT pay YOU.
"""


@pytest.mark.parametrize("first", ["Here’s", "The café’s OPEN;"])
def test_many_plain_words_do_not_outweigh_a_few_signs(first: str) -> None:
    text = CRIER.format(first) * 6
    assert decoding.decode(text.encode("cp1252"))[0] == text
