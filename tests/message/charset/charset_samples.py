"""Short letters in many languages, and the charsets in which they are sent without a label. Nobody in them exists."""

from __future__ import annotations

GERMAN = [
    "Liebe Grüße aus Köln, wir hören uns nächste Woche. Die Straße ist gesperrt, bitte fahrt über Düren und Jülich.",
    "Für die Sitzung am Dienstag brauche ich noch drei Stühle; könntest du sie aus dem Büro mitbringen? Schöne Grüße",
    "Die Lampe ist kaputt, der Händler hat sie zurückgenommen und schickt natürlich sofort eine neue für uns alle.",
    "Übermorgen früh fährt der Zug um zehn nach München, danach müssen wir leider noch zwei Stunden auf Anna warten.",
]
FRENCH = [
    "Le café est fermé depuis hier, déjà à côté on trouve très bien. Être prêts à l'heure, merci, à bientôt, Zoé.",
    "Nous avons reçu votre lettre et nous vous répondrons dès que possible. La réunion aura lieu à Genève en été.",
    "Les élèves ont préparé une pièce de théâtre où chacun a son rôle ; ça commence à neuf heures précises, voilà.",
]
SPANISH = [
    "El señor Ejemplo llegará mañana por la mañana a la estación; ¿podría usted esperarlo allí con el coche pequeño?",
    "Gracias por la información, ya está todo en orden. La reunión será el miércoles según el plan, después hablamos.",
]
PORTUGUESE = [
    "Não há problema, a reunião é amanhã às três horas na sala de sempre. Até lá, um abraço da Anna e também do João.",
    "A informação está correta: são vinte pães e três maçãs, que o João já comprou na padaria. Obrigado pela atenção.",
]
SWEDISH = [
    "Hej, vi träffas på söndag på ön där vi åt förra året. Tåget går tio över åtta, så kom inte för sent är du snäll.",
]
POLISH = [
    "Zazwyczaj w poniedziałek spotykamy się na kawę, później idziemy do domu. Proszę o szybką odpowiedź, dziękuję.",
    "Dzień dobry, przesyłam fakturę za październik i proszę o potwierdzenie. Życzę miłego dnia, do usłyszenia jutro.",
    "Książka leży na półce obok łóżka, możesz ją wziąć. Wrócę późno, więc nie czekaj na mnie z kolacją, część zjadłem.",
    "Cześć, jutro będę w Łodzi i chciałbym się z tobą zobaczyć około piątej. Zadzwoń proszę, jeśli ci to odpowiada.",
]
CZECH = [
    "Dobrý den, zítra přijedu o něco později, protože mám ještě schůzku. Děkuji za pochopení a přeji hezký večer.",
    "Příští týden se sejdeme u řeky, kde jsme byli loni v létě. Přines prosím něco k jídlu, já koupím pití a chléb.",
    "Žádost jsem odeslal včera večer, takže už by měla být na úřadě. Jakmile se něco dozvím, hned vám dám vědět.",
]
HUNGARIAN = [
    "Kedves barátom, köszönöm a gyors választ, holnap délután öt órakor várlak a pályaudvar előtt. Üdvözlettel, Zoé",
    "A jövő héten új lámpát veszünk a szobába, mert a régi elromlott. Tudnál segíteni a fölszerelésében szombaton?",
]
CROATIAN = [
    "Dobar dan, sutra ću doći malo kasnije jer još moram kupiti kruh i mlijeko. Hvala što čekaš, vidimo se uvečer.",
]
TURKISH = [
    "Bugün öğleden sonra toplantımız var, geç kalmayın lütfen. Görüşürüz, teşekkürler, hepinize iyi çalışmalar.",
    "Yarın sabah istasyonda buluşalım, ışığı açık bırakmayı unutma. Çocuklar için şeker ve ekmek de alır mısın?",
    "Değerli arkadaşlar, gönderdiğiniz dosyayı aldım, incelemem birkaç gün sürecek. Sağlıcakla kalın, iyi akşamlar.",
    "Kitabı masanın üzerine bıraktım, istediğin zaman alabilirsin. Akşam yemeğine geç geleceğim, beni beklemeyin.",
]
BALTIC = [
    "Labas rytas, rytoj susitinkame prie stoties dešimtą valandą, nevėluokite. Ačiū už pagalbą, iki greito šiąnakt.",
    "Sveiki, nosūtu jums rēķinu par oktobri un lūdzu apstiprināt saņemšanu. Vēlu jauku dienu, uz redzēšanos rīt.",
    "Mieli draugai, kitą savaitę važiuosime prie ežero žvejoti. Pasiimkite šiltų drabužių, nes vakarai jau vėsūs.",
    "Labdien, rīt ieradīšos mazliet vēlāk, jo vēl jāpērk maize un piens. Paldies, ka gaidāt, tiksimies pēc pusdienām.",
]
RUSSIAN = [
    "Встретимся завтра в три часа у входа в метро, не опаздывайте пожалуйста. Лампу я уже купил, спасибо за помощь.",
    "Добрый день, высылаю вам счёт за октябрь и прошу подтвердить получение. Желаю хорошего дня, до свидания, Анна.",
    "Книга лежит на столе рядом с окном, можешь взять её в любое время. Я вернусь поздно, так что не жди меня к ужину.",
    "СРОЧНО: собрание перенесено на пятницу, просьба всем быть вовремя и не забыть документы, которые мы обсуждали.",
    "Он сказал: «Приходите все» – и ушёл. Мы долго смеялись, а потом пошли домой пешком через весь наш старый город…",
    "Дорогие друзья, в следующую среду мы едем на озеро ловить рыбу. Возьмите тёплую одежду, вечера уже холодные.",
]
UKRAINIAN = [
    "Доброго дня, надсилаю вам рахунок за жовтень і прошу підтвердити отримання. Бажаю гарного дня, до зустрічі.",
    "Зустрінемося завтра о третій біля входу, не запізнюйтеся будь ласка. Їжу я вже купив, дякую за допомогу всім.",
]
BULGARIAN = [
    "Добър ден, изпращам ви фактурата за октомври и моля да потвърдите получаването. Желая ви приятен ден, Анна.",
    "Ще се срещнем утре в три часа пред входа, моля не закъснявайте. Лампата вече я купих, благодаря за помощта.",
]
GREEK = [
    "Καλημέρα, πώς είστε σήμερα; Η συνάντηση είναι αύριο το πρωί στο γραφείο, παρακαλώ να μην αργήσετε καθόλου.",
    "Σας στέλνω το τιμολόγιο για τον Οκτώβριο και παρακαλώ να επιβεβαιώσετε τη λήψη. Εύχομαι μια όμορφη ημέρα.",
    "Το βιβλίο είναι πάνω στο τραπέζι δίπλα στο παράθυρο, μπορείς να το πάρεις όποτε θέλεις. Θα γυρίσω αργά απόψε.",
    "Άννα, την άλλη εβδομάδα θα πάμε στη λίμνη για ψάρεμα. Πάρτε ζεστά ρούχα, γιατί τα βράδια κάνει ήδη κρύο.",
    "Ευχαριστώ πολύ για την απάντηση, όλα είναι εντάξει. Θα τα πούμε το Σάββατο το απόγευμα στο σπίτι του Γιάννη.",
]
HEBREW = [
    "שלום לך, מה שלומך היום? הפגישה מחר בבוקר במשרד, בבקשה לא לאחר. תודה רבה על העזרה, להתראות מחר בשעה עשר",
    "אני שולח לך את החשבונית עבור חודש אוקטובר ומבקש לאשר את קבלתה. יום נעים ושבת שלום לכל המשפחה היקרה שלכם",
    "הספר מונח על השולחן ליד החלון, אפשר לקחת אותו בכל זמן. אני אחזור מאוחר הערב, אז אל תחכו לי עם הארוחה",
    "בשבוע הבא ניסע לאגם לדוג דגים, קחו בגדים חמים כי כבר קר בערב. אני אביא לחם וגבינה ואתם תביאו את השתייה",
    "ערב טוב, קיבלתי את המכתב ואענה עליו בהקדם האפשרי. אנא שלחו לי גם את רשימת המשתתפים ואת שעות הפתיחה שלכם",
]
ARABIC = [
    "السلام عليكم، أرسل إليكم الفاتورة عن شهر أكتوبر وأرجو تأكيد الاستلام. أتمنى لكم يوما سعيدا وإلى اللقاء غدا",
    "صباح الخير، الاجتماع غدا في الساعة الثالثة في المكتب، نرجو عدم التأخر. شكرا جزيلا على المساعدة والاهتمام",
    "الكتاب على الطاولة بجانب النافذة، يمكنك أن تأخذه في أي وقت. سأعود متأخرا هذا المساء فلا تنتظروني للعشاء",
    "في الأسبوع القادم سنذهب إلى البحيرة لصيد السمك، خذوا معكم ملابس دافئة لأن المساء بارد. سأحضر الخبز والجبن",
    "مرحبا، استلمت الرسالة وسأجيب عليها في أقرب وقت ممكن. أرجو أن ترسلوا لي أيضا قائمة المشاركين وأوقات العمل",
]
THAI = [
    "สวัสดีครับ พรุ่งนี้เรามีประชุมตอนบ่ายสามโมงที่สำนักงาน กรุณาอย่ามาสายนะครับ ขอบคุณมากสำหรับความช่วยเหลือ",
    "ผมส่งใบแจ้งหนี้ของเดือนตุลาคมมาให้แล้ว กรุณายืนยันการรับด้วยครับ ขอให้เป็นวันที่ดีและพบกันใหม่พรุ่งนี้",
    "หนังสืออยู่บนโต๊ะข้างหน้าต่าง คุณหยิบไปได้ทุกเวลา คืนนี้ผมจะกลับดึก ไม่ต้องรอกินข้าวเย็นด้วยกันนะครับ",
    "สัปดาห์หน้าเราจะไปตกปลาที่ทะเลสาบ เอาเสื้อผ้าอุ่นๆ ไปด้วยเพราะตอนเย็นอากาศหนาวแล้ว ผมจะเอาขนมปังไปเอง",
    "ได้รับจดหมายแล้วค่ะ จะตอบกลับโดยเร็วที่สุด กรุณาส่งรายชื่อผู้เข้าร่วมและเวลาเปิดทำการมาให้ด้วยนะคะ",
]
SIMPLIFIED = [
    "你好，明天下午三点在办公室开会，请准时参加，不要迟到。谢谢你的帮助，我们明天再见面谈这个项目的问题。",
    "我把十月份的发票发给您了，请您确认是否收到。祝您工作顺利，有什么问题可以随时给我打电话或者写邮件。",
    "书在窗户旁边的桌子上，你什么时候都可以拿走。今天晚上我会很晚才回来，所以不用等我吃饭，先吃就好。",
    "下个星期我们去湖边钓鱼，请带上暖和的衣服，因为晚上已经很冷了。我会买面包和水，你们带一些水果吧。",
    "来信收到了，我会尽快回复。另外请把参加的人的名单和开门的时间也发给我，这样我们可以安排好车辆和住宿。",
]
TRADITIONAL = [
    "你好，明天下午三點在辦公室開會，請準時參加，不要遲到。謝謝你的幫助，我們明天再見面談這個項目的問題。",
    "我把十月份的發票寄給您了，請您確認是否收到。祝您工作順利，有什麼問題可以隨時給我打電話或者寫郵件。",
    "書在窗戶旁邊的桌子上，你什麼時候都可以拿走。今天晚上我會很晚才回來，所以不用等我吃飯，先吃就好。",
    "下個星期我們去湖邊釣魚，請帶上暖和的衣服，因為晚上已經很冷了。我會買麵包和水，你們帶一些水果吧。",
    "來信收到了，我會盡快回覆。另外請把參加的人的名單和開門的時間也寄給我，這樣我們可以安排好車輛和住宿。",
]
JAPANESE = [
    "こんにちは、明日の会議は午後三時から事務所で始まります。遅れないようにお願いします。ご協力ありがとうございます。",
    "十月分の請求書をお送りしましたので、ご確認をお願いいたします。何かありましたら、いつでもご連絡ください。",
    "本は窓のそばの机の上にあります。いつでも持って行ってください。今夜は遅くなりますので、夕食は先に食べてください。",
    "来週は湖へ釣りに行きます。夜はもう寒いので、暖かい服を持って来てください。パンと水は私が買っておきます。",
    "お手紙を受け取りました。できるだけ早くお返事します。参加者の名前と開いている時間も送っていただけますか。",
]
KOREAN = [
    "안녕하세요, 내일 회의는 오후 세시에 사무실에서 시작합니다. 늦지 않게 와 주세요. 도와 주셔서 감사합니다.",
    "시월분 청구서를 보내 드렸으니 확인해 주시기 바랍니다. 궁금한 점이 있으시면 언제든지 연락해 주십시오.",
    "책은 창문 옆 책상 위에 있으니 아무 때나 가져가세요. 오늘 밤에는 늦게 돌아오니 저녁은 먼저 드시면 됩니다.",
    "다음 주에 우리는 호수로 낚시하러 갑니다. 저녁에는 벌써 추우니 따뜻한 옷을 가져오세요. 빵과 물은 제가 삽니다.",
    "편지 잘 받았습니다. 되도록 빨리 답장을 드리겠습니다. 참가자 명단과 여는 시간도 보내 주시면 고맙겠습니다.",
]

WESTERN = [*GERMAN, *FRENCH, *SPANISH, *PORTUGUESE, *SWEDISH]
CENTRAL = [*POLISH, *CZECH, *HUNGARIAN, *CROATIAN]

#: What each codec is used for.
USED = {
    "cp1252": WESTERN,
    "iso8859_15": WESTERN,
    "mac_roman": WESTERN,
    "cp850": WESTERN,
    "cp1250": CENTRAL,
    "iso8859_2": CENTRAL,
    "cp1254": TURKISH,
    "cp1257": BALTIC,
    "cp1251": [*RUSSIAN, *UKRAINIAN, *BULGARIAN],
    "koi8_r": RUSSIAN,
    "cp866": RUSSIAN,
    "iso8859_5": [*RUSSIAN, *BULGARIAN],
    "koi8_u": UKRAINIAN,
    "cp1253": GREEK,
    "iso8859_7": GREEK,
    "cp1255": HEBREW,
    "cp1256": ARABIC,
    "cp874": THAI,
    "gb18030": SIMPLIFIED,
    "big5": TRADITIONAL,
    "cp932": JAPANESE,
    "euc_jp": JAPANESE,
    "euc_kr": KOREAN,
}
