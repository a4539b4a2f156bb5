"""The mobileOK checker itself: each of its tests can fail, and a good page passes all of them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.devices.mobileok import contrast, faults
from tests.devices.phones import Answer

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title>'
GOOD = (
    HEAD + '<style type="text/css">body{color:#111;background:#fff;border:1px solid}</style></head><body>'
    '<h1>T</h1><p><a href="x" accesskey="1">There</a></p>'
    '<form action="." method="post"><p><label for="a">A</label><input type="text" name="a" id="a" inputmode="digits"/>'
    '<select name="b" id="b"><option selected="selected">1</option></select><label for="b">B</label>'
    '<img src="p" alt="" width="10" height="8"/></p></form></body></html>'
)


def _answer(page: str, **headers: str) -> Answer:
    found = {"content-type": "application/xhtml+xml; charset=utf-8", "cache-control": "no-cache"}
    found.update({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(200, found, page.encode(), "http://pp.example/i")


def _picture(width: int = 10, height: int = 8, kind: str = "JPEG", noise: bool = False) -> Answer:
    file = io.BytesIO()
    image = Image.effect_noise((width, height), 200) if noise else Image.new("L", (width, height))
    image.save(file, kind)
    return Answer(200, {}, file.getvalue())


def test_a_good_page_has_no_fault() -> None:
    assert faults(_answer(GOOD), lambda url: _picture()) == []


@pytest.mark.parametrize(
    ("test", "old", "new"),
    [
        ("VALID_MARKUP", "</body>", ""),
        ("VALID_MARKUP", 'id="b"', 'id="a"'),
        ("CHARACTER_ENCODING_USE", 'encoding="UTF-8"', 'encoding="ISO-8859-1"'),
        ("PAGE_TITLE", "<title>T</title>", "<title> </title>"),
        ("AUTO_REFRESH", "</head>", '<meta http-equiv="Refresh" content="1"/></head>'),
        ("OBJECTS_OR_SCRIPT", "</h1>", "</h1><script/>"),
        ("OBJECTS_OR_SCRIPT", 'href="x"', 'href="x" onclick="y()"'),
        ("NO_FRAMES", "</h1>", "</h1><iframe/>"),
        ("IMAGE_MAPS", 'alt=""', 'alt="" usemap="#m"'),
        ("STYLE_SHEETS_USE", "There", "<font>There</font>"),
        ("STYLE_SHEETS_USE", 'href="x"', 'href="x" style="top:0"'),
        ("TABLES_LAYOUT", "</h1>", "</h1><table/>"),
        ("POP_UPS", 'href="x"', 'href="x" target="_blank"'),
        ("LINK_TARGET_ID", "There", " "),
        ("STRUCTURE", "<h1>T</h1>", ""),
        ("STRUCTURE", "<h1>T</h1>", "<h2>U</h2><h1>T</h1>"),
        ("PAGE_SIZE_LIMIT", "There", "x" * 10_300),
        ("MINIMIZE", "There", "There" + " " * 400),
        (
            "EXTERNAL_RESOURCES",
            "</h1>",
            "</h1><p>" + '<img src="p" alt="" width="10" height="8"/>' * 10 + "</p>",
        ),
        ("EXTERNAL_RESOURCES", "</head>", '<link href="s.css"/></head>'),
        ("NON-TEXT_ALTERNATIVES", 'alt="" ', ""),
        ("IMAGES_SPECIFY_SIZE", 'width="10"', ""),
        ("IMAGES_RESIZING", 'width="10"', 'width="20"'),
        ("STYLE_SHEETS_SIZE", "solid}", "solid}" + "p{margin:0}" * 200),
        ("MEASURES", "solid}", "solid}p{width:12px}"),
        ("STYLE_SHEETS_SUPPORT", "solid}", "solid}@import 'x'"),
        ("COLOR_CONTRAST", "#111", "#888"),
        ("CONTROL_LABELLING", 'for="a"', 'for="c"'),
        ("CONTROL_LABELLING", ' id="b"', ""),
        ("DEFAULT_INPUT_MODE", ' inputmode="digits"', ""),
        ("PROVIDE_DEFAULTS", ' selected="selected"', ""),
        ("PROVIDE_DEFAULTS", "</h1>", '</h1><p><label><input type="radio" name="r"/>R</label></p>'),
        ("ACCESS_KEYS", 'name="a"', 'name="a" accesskey="1"'),
    ],
)
def test_each_test_can_fail(test: str, old: str, new: str) -> None:
    assert old in GOOD
    found = faults(_answer(GOOD.replace(old, new, 1)), lambda url: _picture())
    assert test in {fault.partition(":")[0] for fault in found}, found


@pytest.mark.parametrize(
    ("test", "headers"),
    [
        ("CACHING", {"cache_control": ""}),
        ("AUTO_REFRESH", {"refresh": "1"}),
        ("CHARACTER_ENCODING_USE", {"content_type": "application/xhtml+xml"}),
        ("CONTENT_FORMAT_SUPPORT", {"content_type": "application/xml; charset=utf-8"}),
    ],
)
def test_each_test_of_headers_can_fail(test: str, headers: dict[str, str]) -> None:
    assert [fault.partition(":")[0] for fault in faults(_answer(GOOD, **headers))] == [test]


@pytest.mark.parametrize(
    ("test", "picture"),
    [
        ("CONTENT_FORMAT_SUPPORT", _picture(kind="PNG")),
        ("IMAGES_RESIZING", _picture(height=9)),
        ("PAGE_SIZE_LIMIT", _picture(200, 200, noise=True)),
    ],
)
def test_each_test_of_pictures_can_fail(test: str, picture: Answer) -> None:
    assert test in {fault.partition(":")[0] for fault in faults(_answer(GOOD), lambda url: picture)}


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)
