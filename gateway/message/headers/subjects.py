"""Subjects of replies and forwarded messages: one prefix, whatever the original's language put there (RFC 5322 §3.6.5).

Nothing here may remove a word that could be part of the subject itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.message.headers import header_fields

#: Prefixes of replies and of forwarded messages, as programs write them in many languages; patterns.
REPLIES: Final = (
    "re", "aw", "antw", "antwort", "sv", "vs", "rif", "odp", "res", "ynt", "atb", "vá", "απ", "σχετ", "ответ", "отв",
    "odg", "bls", "svar", "antwoord", "відп", "رد", "תגובה", "השב", "ตอบกลับ", "trả lời",
    "回复", "答复", "回覆", "回應", "返信", "회신", "답장",
)  # fmt: skip
FORWARDS: Final = (
    "fwd?", "wg", "tr", "rv", "enc", "pd", "vl", "vb", "doorst", "İlt", "ilt", "πρθ", "пересл", "转发", "轉寄",
    "reenv", "weitergel", "轉發", "転送", "전달",
)  # fmt: skip
#: Characters of the original's subject that are kept.
_LIMIT: Final = 400


def _prefix(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(
        rf"(?:{'|'.join(words)})\.?\s*(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s*[:：]\s*", re.I
    )


_ANSWERED: Final = _prefix(REPLIES)
_FORWARDED: Final = _prefix(FORWARDS)


def reply(subject: str) -> str:
    """Prefix "Re: ", once."""
    return _prefixed("Re: ", subject, _ANSWERED)


def forward(subject: str) -> str:
    """Prefix "Fwd: ", once; a "Re: " after it stays."""
    return _prefixed("Fwd: ", subject, _FORWARDED)


def _prefixed(prefix: str, subject: str, known: re.Pattern[str]) -> str:
    rest = header_fields.clean(subject)[:_LIMIT]
    while match := known.match(rest):
        rest = rest[match.end() :]
    return f"{prefix}{rest}".rstrip()
