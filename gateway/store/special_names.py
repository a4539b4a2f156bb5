"""The names that mail programs and providers give to Drafts, Sent, Trash, Junk and Archive, as data.

Nothing here may decide where a name counts (`mailbox_tree` does). Of two mailboxes, the one whose name comes first is
taken, so English names and those of servers come first. No name may be in two rows. Sources: the folders that Exchange,
Outlook, Outlook.com, Gmail, iCloud, Yahoo, GMX, Yandex, Mail.ru, NetEase, QQ, Thunderbird, Apple Mail and Roundcube
create, in our seven languages and in Arabic, Chinese, Dutch, Indonesian, Italian, Japanese, Korean, Turkish, Ukrainian
and Vietnamese.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

#: The names of each role; the first is the one that we create.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "drafts": (
        *("Drafts", "Draft", "Draft Messages"),
        *("Entwürfe", "Entwurf"),
        *("Borradores", "Borrador"),
        *("Brouillons", "Brouillon"),
        *("Kopie robocze", "Wersje robocze", "Szkice", "Robocze"),
        *("Rascunhos", "Rascunho"),
        *("Черновики", "Черновик"),
        *("المسودات", "مسودات"),
        *("草稿", "草稿箱", "草稿匣", "草稿夹"),
        *("Concepten", "Concept"),
        *("Draf", "Konsep"),
        *("Bozze", "Bozza"),
        *("下書き", "下書き保存"),
        *("임시보관함", "임시 보관함", "임시 보관 메일", "초안"),
        *("Taslaklar", "Taslak"),
        *("Чернетки",),
        *("Thư nháp", "Bản nháp"),
    ),
    "sent": (
        *("Sent", "Sent Items", "Sent Messages", "Sent Mail"),
        *(
            "Gesendet",
            "Gesendete Elemente",
            "Gesendete Objekte",
            "Gesendete Nachrichten",
            "Gesendete E-Mails",
        ),
        *("Enviados", "Elementos enviados", "Mensajes enviados", "Correo enviado"),
        *("Envoyés", "Éléments envoyés", "Messages envoyés", "Envoyé", "Objets envoyés", "Courrier envoyé"),
        *("Wysłane", "Elementy wysłane", "Wysłane wiadomości", "Poczta wysłana"),
        *("Itens enviados", "E-mails enviados", "E-mail enviado", "Mensagens enviadas", "Enviadas"),
        *("Отправленные", "Отправленная почта"),
        *("العناصر المرسلة", "المرسلة", "البريد المرسل", "الرسائل المرسلة"),
        *(
            "已发送",
            "已发送邮件",
            "已发邮件",
            "已傳送郵件",
            "寄件備份",
            "寄件備份匣",
            "已寄出的郵件",
            "已传送",
        ),
        *("Verzonden", "Verzonden items", "Verzonden berichten", "Verzonden e-mail"),
        *("Item Terkirim", "Terkirim", "Surat Terkirim", "Pesan Terkirim"),
        *("Posta inviata", "Inviati", "Inviata", "Elementi inviati", "Messaggi inviati"),
        *("送信済み", "送信済みアイテム", "送信済みメール", "送信済みトレイ", "送信済"),
        *("보낸 편지함", "보낸편지함", "보낸 메일함", "보낸메일함"),
        *("Gönderilmiş Öğeler", "Gönderilmiş", "Gönderilenler", "Gönderilmiş Postalar", "Gönderilmiş Posta"),
        *("Надіслані", "Відправлені", "Надіслані елементи"),
        *("Thư đã gửi", "Mục đã Gửi", "Đã gửi"),
    ),
    "trash": (
        *("Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin", "Trash Can", "Wastebasket"),
        *("Papierkorb", "Gelöschte Elemente", "Gelöschte Objekte", "Gelöschte Nachrichten", "Gelöscht"),
        *("Papelera", "Elementos eliminados", "Mensajes eliminados", "Eliminados"),
        *("Corbeille", "Éléments supprimés", "Messages supprimés", "Supprimés", "Objets supprimés"),
        *("Kosz", "Elementy usunięte", "Usunięte", "Usunięte elementy"),
        *("Lixeira", "Itens excluídos", "Excluídos", "Itens eliminados", "Mensagens excluídas"),
        *("Корзина", "Удаленные", "Удалённые", "Удаленные элементы"),
        *("العناصر المحذوفة", "المهملات", "سلة المهملات", "المحذوفات"),
        *("已删除", "已删除邮件", "已删除郵件", "刪除的郵件", "已刪除的郵件", "垃圾桶", "废纸篓", "回收站"),
        *("Prullenbak", "Verwijderde items", "Verwijderde berichten", "Verwijderd"),
        *("Sampah", "Item Dihapus", "Item yang Dihapus", "Tempat Sampah"),
        *("Cestino", "Posta eliminata", "Elementi eliminati", "Messaggi eliminati"),
        *("ゴミ箱", "ごみ箱", "削除済みアイテム", "削除済みメール", "削除済み"),
        *("휴지통", "지운 편지함", "삭제된 편지함", "삭제된 항목"),
        *("Çöp Kutusu", "Silinmiş Öğeler", "Çöp", "Silinmiş Postalar", "Silinmiş"),
        *("Кошик", "Видалені", "Видалені елементи"),
        *("Thùng rác", "Mục đã Xóa", "Đã xóa"),
    ),
    "junk": (
        *("Junk", "Spam", "Junk E-Mail", "Junk Email", "Junk Mail", "Bulk Mail", "Bulk"),
        *("Spamverdacht", "Junk-E-Mail", "Unerwünschte Werbung", "Werbung und Spam"),
        *("Correo no deseado", "Correo basura", "No deseado"),
        *("Courrier indésirable", "Indésirables", "Pourriel", "Pourriels"),
        *("Wiadomości-śmieci", "Wiadomości śmieci", "Niechciane"),
        *("Lixo eletrônico", "Lixo electrónico", "E-mail de lixo"),
        *("Спам", "Нежелательная почта"),
        *("البريد العشوائي", "بريد غير هام", "البريد غير الهام", "رسائل غير مرغوب فيها"),
        *("垃圾邮件", "垃圾郵件", "垃圾邮件箱"),
        *("Ongewenste e-mail", "Ongewenst"),
        *("Email Sampah", "Surat Sampah"),
        *("Posta indesiderata", "Indesiderata", "Posta spazzatura"),
        *("迷惑メール", "迷惑メールフォルダ"),
        *("스팸", "스팸함", "스팸메일함", "스팸 메일함", "정크 메일", "정크메일"),
        *("Önemsiz E-posta", "Gereksiz", "Önemsiz", "İstenmeyen"),
        *("Небажана пошта", "Небажана електронна пошта"),
        *("Thư rác", "Email Rác"),
    ),
    "archive": (
        *("Archive", "Archives", "Archived"),
        *("Archiv",),
        *("Archivo", "Archivados"),
        *("Archivé",),
        *("Archiwum",),
        *("Arquivo", "Arquivo morto", "Arquivados", "Arquivar"),
        *("Архив",),
        *("أرشيف", "الأرشيف"),
        *("存档", "归档", "封存", "已归档"),
        *("Archief",),
        *("Arsip",),
        *("Archivio", "Archiviati"),
        *("アーカイブ",),
        *("보관함", "보관"),
        *("Arşiv",),
        *("Архів",),
        *("Lưu trữ",),
    ),
}


def fold(name: str) -> str:
    """Return a name for comparison: without case, composed or not, with any kind of apostrophe, dash and space."""
    # A Turkish capital I with a dot keeps a dot of its own.
    lower = unicodedata.normalize("NFC", name).casefold().replace("i\N{COMBINING DOT ABOVE}", "i")
    text = unicodedata.normalize("NFC", lower)
    return " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("_", " ").split())


#: Folded name -> its role, and its place in the row.
PLACES: Final[Mapping[str, tuple[str, int]]] = {
    fold(name): (role, at) for role, row in NAMES.items() for at, name in reversed(tuple(enumerate(row)))
}
