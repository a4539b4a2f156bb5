"""`make chaos` on a small scale: the faults occur, everybody hears what became of their mail, and all of it is true."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from tests import PATIENCE
from tests.chaos import scene
from tests.chaos.diary import Diary
from tests.chaos.handheld import changed
from tests.chaos.judge import judge
from tests.chaos.line import Line, NoPage
from tests.chaos.run import GRAVE, SEED, main, table
from tests.chaos.sentences import Claim
from tests.chaos.servers import StateFolder
from tests.chaos.weather import BRIEF, IMAP, Cuts, Weather, events
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.cutting import NEVER, Cutting
from tests.servers.scripted.peer import Caller, Peer

MAILS = 40
#: Seconds over which mails are spread, and for everything on a machine that is busy.
PACE, SECONDS = 14.0, 300.0


@pytest.mark.long
def test_forty_mails_in_bad_weather(dovecot: Dovecot, tmp_path: Path) -> None:
    run = scene.perform(dovecot, tmp_path, SEED, MAILS, PACE, SECONDS, BRIEF)
    judgement = judge(run.mails, run.nameless)
    said = table(run, judgement)
    print(said)
    # The weather was bad, and people sent mail all the same.
    for fault in ("kills", "repeats", "cuts of phones' lines", "state full", "state locked", "upstream mute"):
        assert not run.figures[fault].startswith("0"), said
    pressed = [mail for mail in run.mails if mail.pressed]
    assert len(pressed) > MAILS * 3 // 4, said
    assert sum(bool(mail.accepted) for mail in pressed) > MAILS // 2, said
    # Everybody was told something about every mail, and only what happened.
    assert all(mail.told for mail in pressed), said
    wrong = [one for one in judgement.verdicts if one.fault in GRAVE]
    assert not wrong, said


def test_the_weather_follows_from_the_seed() -> None:
    def forecast(seed: int) -> list[object]:
        weather = Weather(seed, BRIEF)
        plan = weather.cuts("imap", 50, IMAP)
        kills = list(islice(events(weather.dice("kill"), 3.0, (0.0, 1.0), (2, 9.0)), 20))
        return [[plan() for _ in range(20)], kills]

    assert forecast(1) == forecast(1)
    assert forecast(1) != forecast(2)


def test_once_it_is_over_nothing_is_cut() -> None:
    weather = Weather(1, BRIEF)
    plan = weather.cuts("imap", 100, IMAP)
    first = plan()
    assert (first.up, first.down) != (None, None)
    weather.end()
    assert weather.is_over
    assert {(cut.up, cut.down) for cut in (plan() for _ in range(20))} == {(None, None)}


def test_the_cuts_are_where_they_are_to_be() -> None:
    cuts = [Cuts(random.Random(n), 100, IMAP)() for n in range(200)]
    assert all((cut.up is None) != (cut.down is None) for cut in cuts)
    assert max(cut.up or 0 for cut in cuts) <= (IMAP.up or 0)


_WRITER = """
import sys
for path in sys.stdin:
    try:
        with open(path.strip(), "wb", 0) as file:
            file.write(bytes(4096))
        print("wrote", flush=True)
    except OSError:
        print("no room", flush=True)
"""


@pytest.mark.parametrize("may_mount", [True, False])
def test_a_full_state_has_no_room_and_then_has_again(tmp_path: Path, may_mount: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        folder = StateFolder(tmp_path / "state", lambda: [writer.pid], may_mount)
        said = []
        try:
            for name, change in (("a", lambda: None), ("b", folder.fill), ("c", folder.free)):
                change()
                print(folder.path / name, file=writer.stdin, flush=True)
                said.append(writer.stdout.readline().strip())
        finally:
            folder.close()
        writer.stdin.close()
    assert said == ["wrote", "no room", "wrote"]


def _page(caller: Caller) -> None:
    while caller.hear():
        pass
    body = bytes(3000)  # longer than any cut
    caller.say(b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), b"", body)


def test_a_line_that_breaks_brings_no_page_and_a_good_one_does() -> None:
    with Peer(_page) as server:
        good = Line([server.port], random.Random(1), lambda: 0)
        bad = Line([server.port], random.Random(1), lambda: 100)
        assert good("GET", "http://pp/i", {"Accept": "*/*"}, b"").status == 200
        for _time in range(12):
            with pytest.raises(NoPage):
                bad("POST", "http://pp/c", {}, b"text=hello")
        assert (bad.requests, bad.cuts, good.cuts) == (12, 12, 0)
        # Some were cut before the header was whole, some after.
        whole = sum(b"" in caller.heard for caller in server.callers[1:])
        assert 0 < whole < 12
    with pytest.raises(NoPage):
        good("GET", "http://pp/i", {}, b"")


def test_a_mute_line_takes_connections_and_passes_nothing_on() -> None:
    with (
        Peer(lambda caller: caller.say(b"hello")) as server,
        Cutting(server.port, lambda: NEVER) as line,
    ):
        line.mute = True
        with socket.create_connection((line.host, line.port), PATIENCE) as sock:
            sock.settimeout(0.5)
            with pytest.raises(TimeoutError):
                sock.recv(10)
            line.mute = False
            sock.settimeout(PATIENCE)
            assert sock.recv(10) == b"hello\r\n"


def test_news_is_put_down_by_its_mail() -> None:
    diary = Diary("me@a.test", lambda address, mark: (1, 0))
    mail = diary.begin("m7")
    for _time in range(2):  # the page came twice
        diary.read_news(
            ["3 Nov, to m7@far.test:", "Not sent. A copy is in Drafts.", "3 Nov:", "Not sent.", "Continue"]
        )
    assert [(told.claims, told.drafts) for told in mail.told] == 2 * [({Claim.NOT_SENT, Claim.IN_DRAFTS}, 1)]
    assert [told.claims for told in diary.nameless.values()] == [{Claim.NOT_SENT}]
    diary.read_offers("This was not sent …", ["Text m7, so it goes", "Inbox"])
    assert Claim.OFFERED in mail.told[-1].claims


def test_what_may_have_been_sent_is_put_down_as_such() -> None:
    diary = Diary("me@a.test", lambda address, mark: (0, 0))
    mails = [diary.begin(mark) for mark in ("m7", "m8")]
    labels = ["Text m7, so it goes", "Perhaps sent: Text m8, so it goes"]
    page = "This was not sent. Continue with it? " + " ".join(labels)
    assert diary.read_offers(page, labels) == labels[:1]
    assert [mail.told[-1].claims for mail in mails] == [{Claim.OFFERED}, {Claim.OFFERED_IN_DOUBT}]
    page = "It is not certain whether this was sent. Continue with it? Text m7, so it goes"
    assert diary.read_offers(page, labels[:1]) == []
    assert mails[0].told[-1].claims == {Claim.OFFERED_IN_DOUBT}


def test_a_form_with_other_words() -> None:
    form = ("http://pp/c", b"to=a%40b&text=one+two&ticket=x&empty=", "type")
    assert changed(form, text="three", to="c") == (
        "http://pp/c",
        b"to=c&text=three&ticket=x&empty=",
        "type",
    )
    assert changed(form, subject="no such field") is None


def test_an_argument_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sendings", "many"])
    assert "make chaos" in capsys.readouterr().err
