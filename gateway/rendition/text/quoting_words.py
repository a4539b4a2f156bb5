"""Words of quoting: how mail programs and mail systems introduce originals, replies and notices, by language.

Nothing here may test a line (see `quoting`). The languages of our screens (English, German, Spanish, French, Polish,
Portuguese, Russian), and others in which mail to their readers is often written.
"""

from __future__ import annotations

from typing import Final

from gateway.message.headers import subjects

#: The words between dashes before an original ("-----Original Message-----").
ORIGINALS: Final = (
    "original message", "original mail", "original e-?mail", "original appointment", "reply message",
    "originalnachricht", "original-nachricht", "ursprüngliche nachricht", "ursprüngliche mail",
    "ursprüngliche e-mail", "urspr. nachricht", "originaltermin", "original-mail", "antwort auf",
    "message d['’]origine", "message original", "courriel original", "mail original", "e-mail d['’]origine",
    "mensaje original", "correo original", "missatge original", "messaggio originale", "messaggio di origine",
    "mensagem original", "e-mail original", "oorspronkelijk bericht", "oorspronkelijke bericht",
    "oryginalna wiadomość", "wiadomość oryginalna", "wiadomość pierwotna", "oryginalny e-mail",
    "исходное сообщение", "оригинальное сообщение", "исходное письмо", "первоначальное сообщение",
    "вихідне повідомлення", "původní zpráva", "původní e-mail", "pôvodná správa", "eredeti üzenet",
    "mesajul original", "alkuperäinen viesti", "ursprungligt meddelande", "ursprungligt mail",
    "oprindelig meddelelse", "opprinnelig melding", "orijinal mesaj", "özgün ileti", "αρχικό μήνυμα",
    "元のメッセージ", "原始邮件", "原始郵件", "原件", "원본 메시지",
)  # fmt: skip

#: Names of the header fields of a quoted original.
FROM: Final = (
    "from", "von", "de", "da", "van", "от", "от кого", "od", "from name", "från", "fra", "lähettäjä", "kimden",
    "expéditeur", "remitente", "absender", "nadawca", "отправитель", "mittente", "remetente", "від", "feladó",
    "από", "差出人", "发件人", "寄件者", "보낸 사람",
)  # fmt: skip
DATE: Final = (
    "sent", "date", "sent at", "gesendet", "gesendet am", "datum", "envoyé", "envoyé le", "date d’envoi",
    "enviado", "enviado el", "enviado em", "enviada em", "enviada", "fecha", "data", "inviato", "data invio",
    "verzonden", "дата", "отправлено", "дата отправки", "wysłano", "wysłane", "data wysłania", "odesláno",
    "odoslané", "skickat", "sendt", "lähetetty", "päiväys", "gönderme tarihi", "gönderildi", "надіслано",
    "elküldve", "dátum", "ημερομηνία", "送信日時", "日付", "发送时间", "日期", "寄件日期", "보낸 날짜",
)  # fmt: skip
TO: Final = (
    "to", "an", "à", "para", "a", "aan", "кому", "do", "komu", "till", "til", "vastaanottaja", "kime",
    "destinataire", "destinatario", "destinatário", "empfänger", "odbiorca", "получатель", "címzett", "προς",
    "宛先", "收件人", "收件者", "받는 사람",
)  # fmt: skip
SUBJECT: Final = (
    "subject", "betreff", "objet", "sujet", "asunto", "oggetto", "assunto", "onderwerp", "тема", "temat",
    "předmět", "predmet", "ämne", "emne", "aihe", "konu", "tárgy", "θέμα", "件名", "主题", "主旨", "제목",
)  # fmt: skip

#: Subject prefixes of replies and forwarded messages; some are words in their own right, so they count only in a
#: quotation.
REPLIES: Final = (*subjects.REPLIES, "ref", "r", "resp", "rép", "réf", "на")
FORWARDS: Final = (*subjects.FORWARDS, "i", "пер")

#: Verbs of attributions ("On Monday, Anna wrote:").
WROTE: Final = (
    r"\bwrote", r"\bwrites", r"\bsaid", r"\bschrieb", r"\bgeschrieben", r"\bschreibt", r"\ba écrit", r"\bécrit",
    r"\bescribió", r"\bescribe", r"\bha escrito", r"\bva escriure", r"\bha scritto", r"\bscrive", r"\bescreveu",
    r"\bescreve", r"\bschreef", r"\bheeft geschreven", r"\bnapisał\(?a?\)?", r"\bpisze", r"\bпишет", r"\bпише",
    r"\bнаписал\(?[аи]?\)?", r"\bписал\(?а?\)?", r"\bskrev", r"\bkirjoitti", r"\bnapsal\(?a?\)?",
    r"\bnapísal\(?a?\)?", r"\bpíše", r"\bírta", r"\ba scris", r"\byazdı", r"\bέγραψε",
    "さんは書きました", "のメール", "写道", "寫道", "작성",
)  # fmt: skip

#: Terms of legal notices.
LEGAL: Final = (
    "confidential", r"vertraulich\w*", r"confidentiel\w*", r"confidencial\w*", r"riservat\w*", r"vertrouwelijk\w*",
    r"poufn\w*", "intended (?:solely|only|recipient)", "intended for", "privileged", "addressee",
    "unauthori[sz]ed", "strictly prohibited", "disclaimer", "if you (?:have received|are not)", "in error",
    r"bestimmungsgemäß\w*", r"irrtümlich\w*", r"unbefugt\w*", r"destinataire\w*", r"destinatari\w*", "par erreur",
    "por error", "per errore", "notify the sender", "informieren sie", "delete (?:this|it|the)",
    "views expressed", "viruses", r"конфиденциальн\w*",
)  # fmt: skip

#: Terms in the footers of mailing lists.
FOOTERS: Final = (
    "mailing ?list", "list(?:a|e)? de (?:diffusion|distribución)", "mailingliste", "unsubscribe", r"abmelde\w*",
    "google groups", "you received this (?:message|email) because you are subscribed", r"désabonn\w*",
    "cancelar la suscripción", "lista di distribuzione", r"рассылк\w*",
)  # fmt: skip
