"""Letter frequencies of languages, and the charsets that mail in them uses.

Nothing here may decide anything (see `scripts`). Letters were counted over a few pages of prose each; only their
order matters.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Alphabet(NamedTuple):
    """Letters by frequency, codecs by preference, and how rare mail in it is (see `scripts`)."""

    letters: str
    codecs: tuple[str, ...]
    rareness: float = 0.0


_WEST: Final = ("cp1252", "mac_roman", "cp850")
_EAST: Final = ("cp1250", "iso8859_2")
_CYRILLIC: Final = ("cp1251", "koi8_r", "cp866", "iso8859_5")

#: QUIRK: mac-cyrillic is not in use, and cp1251 with a few signs is easily mistaken for it.
ALPHABETS: Final = (
    Alphabet("enisratdhulcgmobwfkzvpüäßjöyxqé", _WEST),  # German
    Alphabet("esaitnrulodcmpévqfbghjàxèyêzâçùîôûkwëïœæÿü", _WEST),  # French
    Alphabet("eaosrnidlctumpbgvyqhfzójéíáñxúüwk", _WEST),  # Spanish
    Alphabet("aeosrindmutclpvghqbfzãjçáxéíóêúâàõôkwy", _WEST),  # Portuguese
    Alphabet("eiaonlrtscdupmvghfbzqàèùòéìjkwxy", _WEST),  # Italian
    Alphabet("eantirodslghvkmubpwjczfëéïxyqèöü", _WEST),  # Dutch
    Alphabet("eanrtsildomkgväfhupåöbcyjxwézq", _WEST),  # Swedish
    Alphabet("ernatidslogkmvfupbhøjyåæczwxqéò", _WEST),  # Danish, Norwegian
    Alphabet("ainteslouäkmvrjhypdögbfcåwšzž", _WEST),  # Finnish
    Alphabet("anriestuldðgmfkhvoáþíjóbæypéöúýxz", _WEST, -4.0),  # Icelandic
    Alphabet("etaoinshrdlcumwfgypbvkjxqzéï", _WEST),  # English
    Alphabet("aioeznrwsctykdpmujlłbgęhąóśćżńfźqvx", _EAST),  # Polish
    Alphabet("oeantvsildkurzcmípyháěžéščřýjubůgfúóxwťňďq", _EAST),  # Czech
    Alphabet("oaeintvsrlkdmpuzcjáybhíčžšéťgýfúľňôďxóäŕĺwq", _EAST),  # Slovak
    Alphabet("etalnskzirogámyédvbhjőfpuöóücíúűwxq", _EAST),  # Hungarian
    Alphabet("aieonrjstuvdkmlpgzbčhšcžćfđ", _EAST),  # Croatian, Slovene
    Alphabet("eiarntulcosdpmăfvîgbșțşţzhâjxkywq", _EAST),  # Romanian
    Alphabet("aeinrlıkdtmyusbozüşghçcvpöfğjâîwxq", ("cp1254",)),  # Turkish
    Alphabet("iasteruonkmldpvgjėšybžzųūčąįęcfhx", ("cp1257",)),  # Lithuanian
    Alphabet("aistreunokmdlpāīvzējbūgšņcļžčķģfh", ("cp1257",)),  # Latvian
    Alphabet("aeistlunkdormvghpjõäbüöfšžczxyqw", ("cp1257", "cp1252")),  # Estonian
    Alphabet("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё№", _CYRILLIC),  # Russian
    Alphabet("оаинветрілсдукмпзьяйгбчюхцжїєшщфґ", ("cp1251", "koi8_u", "iso8859_5")),  # Ukrainian
    Alphabet("аиоетнрсвлкдпмзябугъчцжщхйшфюьэ", _CYRILLIC),  # Bulgarian
    Alphabet("аоиенрсјтувдкпмлгзбчцшхњжћђфљџ", ("cp1251", "iso8859_5")),  # Serbian
    Alphabet("αοιετσνηυρπκςμλάόίγήέδύθώχφβξψζωϋϊΐΰ", ("cp1253", "iso8859_7")),  # Greek
    Alphabet("יוהלאתרבשמםנדחפקעטגצסזךןכףץ", ("cp1255",)),  # Hebrew
    Alphabet("اليمنوترهبعدفسكقةحجأصشطخىذضزئغثإءآظؤ", ("cp1256", "iso8859_6")),  # Arabic
    Alphabet("ایردنهومتبسشکگزلفخپحقجعآچصضطظغذثژءئ", ("cp1256",)),  # Persian
    Alphabet("านร่อกเง้มยลวดัทีสตุบปิหคจข็แไใ์ะูพชผถึธำศโืฟซญภณษๆฐฎฆฉฏฑฒฌฝฤฮ", ("cp874",)),  # Thai
)

#: The Chinese characters that make up two thirds of any text, in simplified form …
SIMPLIFIED: Final = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然"
    "家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日者意无力它与长把机"
    "十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应向头文体政美相见被利什二等产或新己制身果加西"
    "月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活更别打女"
    "变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直资命山金指许统区保至形社便空决治展科司五基书非则"
    "听白却界达光放强即难且权思完设式色路记南品住告类求据程北边张该交规万取格望觉领共确传师观清今切院让识候带导运请"
    "谢您邮箱附查收测试快乐早晚周末议改午约订单价格"
)
_TURNED: Final = str.maketrans(
    "这个们来为国说时会对着过发后里种经么学现当没动还进样开实无与长机关点业将两间问应头体见产话内给门儿东声员论处义几"
    "认条气题别变总电数报结务场计资许统区决书则听达强难权设记类据边张该规万觉领确传师观让识带导运请谢邮测试乐议约订单于价",
    "這個們來為國說時會對著過發後裡種經麼學現當沒動還進樣開實無與長機關點業將兩間問應頭體見產話內給門兒東聲員論處義幾"
    "認條氣題別變總電數報結務場計資許統區決書則聽達強難權設記類據邊張該規萬覺領確傳師觀讓識帶導運請謝郵測試樂議約訂單於價",
)
#: … and in traditional form.
TRADITIONAL: Final = SIMPLIFIED.translate(_TURNED)
#: Japanese kanji.
KANJI: Final = (
    "日本人会社様件名資料送付確認願致明今月年時間議予定請求書連絡先電話世大変申上下中山田東京株式新見類旅行荷物注文"
    "返信了解一二三四五六七八九十国出来私方事者的合同生前後分自場手力用気思立地言学長部問題教水木金土曜午度受取使入口"
)
#: The Korean syllables that make up more than half of any text.
HANGUL: Final = (
    "이다는의에을를가고하지한로기서도은사자어나시인아정리대부수스일해원보주제장전상동구성그안니습있들라여과었는했면오"
    "마와으요게것관세적공만없신조위경유국우당소트무계분실연생용비모회저메감합드까바내중말때더생야재방물야선네"
)
