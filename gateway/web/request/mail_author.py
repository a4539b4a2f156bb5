"""The signed-in person as the author of a mail."""

from __future__ import annotations

from gateway.composing.author import Author
from gateway.pages.message_pages import reading_context
from gateway.web.request.visit import Visit


def author(visit: Visit) -> Author:
    """Return the author of the mail that this request writes."""
    reading = reading_context(visit.language, fold=False, pictures=False)
    limit = visit.config.message_limit
    return Author(visit.signed_in, visit.profile, visit.language, visit.now, limit, reading)
