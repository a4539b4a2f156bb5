"""Words by which mail programs mark quoted originals, replies, signatures and notices: tables and tests on lines.

Nothing here may know of blocks. What a person wrote is never taken for quoted because of a word alone: a marker
stands on its own line, a header block needs three different header names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: "-----Original Message-----" as Outlook and its imitators say it.
_ORIGINAL: Final = re.compile(
    r"[-_ ]{2,}\s*(?:original message|originalnachricht|ursprüngliche nachricht|message d['’]origine|"
    r"mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|"
    r"oryginalna wiadomość|wiadomość oryginalna|исходное сообщение|původní zpráva|"
    r"alkuperäinen viesti|ursprungligt meddelande|oprindelig meddelelse|orijinal mesaj|"
    r"元のメッセージ|原始邮件|原始郵件)\s*[-_ ]{2,}\Z",
    re.IGNORECASE,
)

_FROM: Final = ("from", "von", "de", "da", "van", "от", "od", "från", "fra", "lähettäjä", "kimden", "差出人",
                "发件人", "寄件者", "보낸 사람")  # fmt: skip
_DATE: Final = ("sent", "date", "gesendet", "datum", "envoyé", "enviado", "enviada em", "fecha", "data", "inviato",
                "verzonden", "дата", "отправлено", "wysłano", "odesláno", "skickat", "sendt", "lähetetty",
                "gönderme tarihi", "送信日時", "日付", "发送时间", "寄件日期", "보낸 날짜")  # fmt: skip
_TO: Final = ("to", "an", "à", "para", "a", "aan", "кому", "do", "komu", "till", "til", "vastaanottaja", "kime",
              "宛先", "收件人", "收件者", "받는 사람")  # fmt: skip
_SUBJECT: Final = ("subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "тема", "temat",
                   "předmět", "ämne", "emne", "aihe", "konu", "件名", "主题", "主旨", "제목")  # fmt: skip
_HEADER_NAMES: Final = {
    name: kind
    for kind, names in (("from", _FROM), ("date", _DATE), ("to", _TO), ("subject", _SUBJECT))
    for name in names
}
_HEADER_LINE: Final = re.compile(r"[*_\s]{0,4}(\w[\w ]{0,18}?)[*_\s]{0,4}\s?[::][*_]{0,2}(?:\s|\Z)")
#: Lines looked at for a header block: five headers, and a To that runs over some lines.
HEADER_LINES: Final = 8

_REPLY: Final = re.compile(
    r"\s*(?:re|aw|sv|antw|ref|rif|odp|res|ynt|vs|ответ|回复|答复|返信)\s*(?:\[\d+\])?\s*[::]", re.I
)
_FORWARD: Final = re.compile(
    r"\s*(?:fwd?|wg|tr|rv|enc|i|pd|vl|vb|doorst|пересл|转发|轉寄)\s*(?:\[\d+\])?\s*[::]", re.I
)

_ATTRIBUTION: Final = re.compile(
    r"(?:\bwrote|\bwrites|\bschrieb|\ba écrit|\bescribió|\bha scritto|\bescreveu|\bschreef|\bnapisał\(?a?\)?|"
    r"\bпишет|\bнаписал[аи]?|\bskrev|\bkirjoitti|\bnapsal\(?a?\)?|\byazdı|\bsaid|さんは書きました|写道)[^\n]{0,40}"
    r"[::…]\s*\Z",
    re.IGNORECASE,
)
#: A longer paragraph that ends in "wrote:" is somebody's prose, characters.
_ATTRIBUTION_LIMIT: Final = 300

_LEGAL: Final = re.compile(
    r"\b(?:confidential|vertraulich\w*|confidentiel\w*|confidencial\w*|riservat\w*|vertrouwelijk\w*|poufn\w*|"
    r"intended (?:solely|only|recipient)|intended for|privileged|addressee|unauthori[sz]ed|strictly prohibited|"
    r"disclaimer|if you (?:have received|are not)|in error|bestimmungsgemäß\w*|irrtümlich\w*|unbefugt\w*|"
    r"destinataire\w*|destinatari\w*|par erreur|por error|per errore|notify the sender|informieren sie|"
    r"delete (?:this|it|the)|views expressed|viruses|конфиденциальн\w*)\b",
    re.IGNORECASE,
)
#: A notice says at least this many of those things, in at least so many characters.
_LEGAL_HITS: Final = 3
_LEGAL_LENGTH: Final = 160


def is_original_marker(line: str) -> bool:
    """Say whether a line announces an original message that follows without quote marks."""
    return len(line) < 90 and _ORIGINAL.match(line.strip()) is not None


def header_kind(line: str) -> str:
    """Name the header that a line begins with ("from", "date", "to", "subject"), or ''."""
    match = _HEADER_LINE.match(line)
    return _HEADER_NAMES.get(match.group(1).strip().lower(), "") if match else ""


def is_header_block(lines: Sequence[str]) -> bool:
    """Say whether these lines begin with the headers of a quoted original, From first."""
    if not lines or header_kind(lines[0]) != "from":
        return False
    kinds = {header_kind(line) for line in lines[:HEADER_LINES]} - {""}
    return len(kinds) >= 3 and bool(kinds & {"date", "subject"})


def is_reply(subject: str) -> bool:
    """Say whether a subject begins like a reply's."""
    return _REPLY.match(subject) is not None


def is_forward(subject: str) -> bool:
    """Say whether a subject begins like a forwarded message's."""
    return _FORWARD.match(subject) is not None


def is_attribution(text: str) -> bool:
    """Say whether a paragraph introduces a quotation."""
    return len(text) <= _ATTRIBUTION_LIMIT and _ATTRIBUTION.search(text) is not None


_FOOTER: Final = re.compile(
    r"\b(?:mailing ?list|list(?:a|e)? de (?:diffusion|distribución)|mailingliste|unsubscribe|abmelde\w*|"
    r"google groups|you received this (?:message|email) because you are subscribed|"
    r"désabonn\w*|cancelar la suscripción|lista di distribuzione|рассылк\w*)\b",
    re.IGNORECASE,
)


def is_footer_rule(line: str) -> bool:
    """Say whether a line is a rule such as list managers put in front of what they append."""
    return len(line) >= 20 and not line.strip("_-=~")


def is_list_footer(line: str) -> bool:
    """Say whether a line behind such a rule speaks of a mailing list."""
    return _FOOTER.search(line) is not None


def is_legal(text: str) -> bool:
    """Say whether a paragraph is a legal notice that mail systems append."""
    if len(text) < _LEGAL_LENGTH:
        return False
    return len({match.group().lower() for match in _LEGAL.finditer(text)}) >= _LEGAL_HITS
