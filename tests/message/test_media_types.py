"""media_types: one table, without two answers to one question."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.message import media_types
from gateway.message.media_types import TABLE, Look
from gateway.message.model import Part
from gateway.rendition import selection
from gateway.rendition.documents import VIEWERS, effective_type
from gateway.rendition.pictures import image
from gateway.web.attachments.file_links import look_of


def test_a_name_stands_once() -> None:
    counted = Counter(name for row in TABLE for name in row.names)
    assert [name for name, count in counted.items() if count > 1] == []
    assert all(name == name.lower() and name.count("/") == 1 for name in counted)


@pytest.mark.parametrize("row", [row for row in TABLE if row.endings], ids=lambda row: row.media_type)
def test_a_file_is_known_by_its_name_and_named_by_its_kind(row: media_types.MediaType) -> None:
    ending = media_types.ending_of(row.media_type)
    assert effective_type("", f"a.{ending}") == row.media_type
    for name in row.names:
        assert effective_type(name, f"a.{ending}") == row.media_type


def test_what_has_a_viewer_stands_in_the_table() -> None:
    assert set(VIEWERS) <= {row.media_type for row in TABLE}
    assert set(image._WRITERS) <= {row.media_type for row in TABLE if row.look is Look.PICTURE}


@pytest.mark.parametrize(
    ("media_type", "filename", "look"),
    [
        ("text/x-markdown", "", Look.READ),
        ("text/plain", "README.md", Look.READ),
        ("image/x-png", "", Look.PICTURE),
        ("application/x-zip", "", Look.CONTENTS),
        ("application/pdf", "", Look.DOCUMENT),
        ("application/octet-stream", "", Look.DOCUMENT),
        ("application/msword", "", None),
        ("video/mp4", "", None),
    ],
)
def test_how_a_file_is_looked_at(media_type: str, filename: str, look: Look | None) -> None:
    named = {"filename": filename} if filename else {}
    assert look_of(Part("1", media_type, {}, "binary", 9, "", named)) is look


def test_a_picture_is_one_in_a_text_and_as_a_file() -> None:
    for row in TABLE:
        for name in row.names:
            seen = selection._view(Part("1", name, {}, "base64", 9, "", {})) is selection.View.PICTURE
            assert seen == (row.look is Look.PICTURE), name


def test_nothing_is_sent_as_what_could_be_a_page_or_a_script() -> None:
    safe = {row.media_type for row in TABLE if row.safe}
    assert not safe & {media_types.HTML, media_types.SOURCE, media_types.MESSAGE, media_types.OCTETS}
    assert not any(kind.endswith(("xml", "script", "html")) or kind == "image/svg+xml" for kind in safe)
    assert not media_types.is_safe("image/svg+xml")
    assert media_types.is_safe("audio/amr")
