"""The pool: who gets which connection, what happens to dead ones, and no more than allowed; also on a real server."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing

import pytest

from gateway.config import Tls
from gateway.errors import AuthenticationFailed, MessageGone, StateError, StoreUnreachable
from gateway.store.base import Window
from gateway.store.imap import imap_store
from gateway.store.imap.imap_store import ImapStore
from gateway.store.pool import Pool
from tests import PATIENCE, rig
from tests.servers import dovecot as dovecots
from tests.servers.dovecot import Dovecot
from tests.servers.scripted.mute import Mute


class Fake:
    """A connection that can be told to die."""

    def __init__(self) -> None:
        self.broken = False
        self.alive = True
        self.closed = False
        self.asked: list[float] = []

    def is_usable(self, idle: float) -> bool:
        self.asked.append(idle)
        return self.alive and not self.broken

    def close(self) -> None:
        self.closed = True


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


_MADE: list[Pool] = []


def pool(clock: Clock | None = None, **limits: float) -> Pool:
    return kept(Pool(clock=clock or Clock(), **limits))  # type: ignore[arg-type]


def kept(lender: Pool) -> Pool:
    """Have a pool closed when the test is over."""
    _MADE.append(lender)
    return lender


def reapers() -> int:
    return sum(thread.name == "reaper" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = reapers()
    yield
    while _MADE:
        _MADE.pop().close()
    assert reapers() == before


def test_a_connection_is_lent_again() -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as first:
        pass
    with lender.lease(b"a", Fake) as second:
        assert second is first
    assert lender.open_connections == 1


def test_nobody_gets_the_connection_of_another() -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as first:
        pass
    with lender.lease(b"b", Fake) as second:
        assert second is not first


def test_two_at_a_time_get_two() -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as first, lender.lease(b"a", Fake) as second:
        assert first is not second
    assert lender.open_connections == 2


def test_a_broken_connection_is_not_lent_again() -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as first:
        first.broken = True
    assert first.closed
    with lender.lease(b"a", Fake) as second:
        assert second is not first
    assert lender.open_connections == 1


def test_an_error_that_breaks_nothing_keeps_the_connection() -> None:
    lender = pool()
    with pytest.raises(MessageGone), lender.lease(b"a", Fake) as first:
        raise MessageGone("expunged")
    with lender.lease(b"a", Fake) as second:
        assert second is first


def test_one_that_died_while_it_rested_is_replaced() -> None:
    clock, made = Clock(), []
    lender = pool(clock)

    def connect() -> Fake:
        made.append(Fake())
        return made[-1]

    with lender.lease(b"a", connect), lender.lease(b"a", connect):
        pass
    for fake in made:
        fake.alive = False
    clock.now += 90
    with lender.lease(b"a", connect) as third:
        assert third is made[2]
    assert [fake.closed for fake in made] == [True, True, False]
    assert made[0].asked == [90]
    assert lender.open_connections == 1


def test_what_rested_too_long_is_closed_at_the_next_occasion() -> None:
    clock = Clock()
    lender = pool(clock, idle_seconds=300)
    with lender.lease(b"a", Fake) as first:
        pass
    clock.now += 301
    with lender.lease(b"b", Fake):
        assert first.closed
        assert lender.open_connections == 1


def test_what_rested_too_long_is_closed_by_itself_and_then_nobody_watches() -> None:
    closed = threading.Event()

    class Watched(Fake):
        def close(self) -> None:
            super().close()
            closed.set()

    before = reapers()
    lender = kept(Pool(idle_seconds=0.2))
    with lender.lease(b"a", Watched) as first, lender.lease(b"a", Fake) as second:
        assert reapers() == before, "only while something rests"
    assert reapers() == before + 1, "one for all of them"
    assert closed.wait(PATIENCE)
    while reapers() > before:
        threading.Event().wait(0.01)
    assert (first.closed, second.closed, lender.open_connections) == (True, True, 0)
    closed.clear()
    with lender.lease(b"a", Watched):
        pass
    assert closed.wait(PATIENCE), "and watches again when there is something to watch"


def test_who_was_signed_out_elsewhere_has_no_connection_left() -> None:
    living, seen = {b"a", b"b"}, threading.Event()

    def look(keys: Collection[bytes]) -> Collection[bytes]:
        seen.set()
        if not living:
            raise StateError("the file is locked")
        return living & {*keys}

    lender = kept(Pool(living=look, look_seconds=0.05))
    with lender.lease(b"a", Fake) as first, lender.lease(b"b", Fake) as second:
        assert not seen.wait(0.2), "nobody looks while nothing is idle"
    assert seen.wait(PATIENCE)
    assert not first.closed
    living.discard(b"a")
    while not first.closed:
        threading.Event().wait(0.01)
    assert (second.closed, lender.open_connections) == (False, 1)
    living.clear()
    seen.clear()
    assert seen.wait(PATIENCE)
    assert not second.closed, "what cannot be seen closes nothing"
    living.add(b"c")
    while not second.closed:
        threading.Event().wait(0.01)


def test_where_no_thread_can_be_had_the_next_one_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    lender, watched = pool(), reapers()

    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with lender.lease(b"a", Fake):
            pass
    assert (lender.open_connections, reapers()) == (1, watched)
    with lender.lease(b"a", Fake):
        pass
    assert (lender.open_connections, reapers()) == (1, watched + 1)


def test_a_closed_pool_keeps_nothing_that_comes_back() -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as resting:
        pass
    with lender.lease(b"b", Fake) as lent:
        lender.close()
        assert (resting.closed, lent.closed) == (True, False)
    assert (lent.closed, lender.open_connections) == (True, 0)


def test_a_connection_that_rested_is_left_with_a_word() -> None:
    """LOGOUT: the server does not have to find out by itself."""
    with Mute() as server:
        where = rig.plain(server)
        lender = kept(Pool(idle_seconds=0.2))
        with lender.lease(b"k", lambda: imap_store.connect(where, "user", "secret")) as store:
            pass
        while not store.broken:
            threading.Event().wait(0.01)
        while not server.heard[-1].endswith(b" LOGOUT\r\n"):
            threading.Event().wait(0.01)
        assert lender.open_connections == 0


def test_a_connect_that_fails_leaves_no_trace() -> None:
    lender = pool(connections_per_account=1)

    def refuse() -> Fake:
        raise AuthenticationFailed("no")

    for _ in range(3):
        with pytest.raises(AuthenticationFailed), lender.lease(b"a", refuse):
            pass
    assert lender.open_connections == 0
    with lender.lease(b"a", Fake):
        pass


def test_the_third_waits_no_longer_than_it_may() -> None:
    lender = kept(Pool(connections_per_account=2, patience_seconds=0.05))
    with (
        lender.lease(b"a", Fake),
        lender.lease(b"a", Fake),
        pytest.raises(StoreUnreachable, match="in use"),
        lender.lease(b"a", Fake),
    ):
        pass
    with lender.lease(b"a", Fake):
        pass


def test_waiting_in_vain_still_closes_what_rested_too_long() -> None:
    clock = Clock()
    lender = pool(clock, connections_per_account=1, idle_seconds=10, patience_seconds=0)
    with lender.lease(b"old", Fake) as old:
        pass
    clock.now += 11
    with lender.lease(b"a", Fake):
        # The first lease above would have closed it, had it not been leased again here.
        assert old.closed
    with lender.lease(b"old", Fake) as old, lender.lease(b"a", Fake):
        pass
    clock.now += 11
    with lender._changed:
        lender._leased[b"a"] = 1
    with pytest.raises(StoreUnreachable), lender.lease(b"a", Fake):
        pass
    assert old.closed


def test_the_third_gets_the_first_that_comes_back() -> None:
    lender = kept(Pool(connections_per_account=1))
    got: list[Fake] = []
    waiting = threading.Event()

    def third() -> None:
        waiting.set()
        with lender.lease(b"a", Fake) as connection:
            got.append(connection)

    thread = threading.Thread(target=third)
    with lender.lease(b"a", Fake) as first:
        thread.start()
        assert waiting.wait(PATIENCE)
    thread.join(PATIENCE)
    assert got == [first]


def test_the_total_makes_room_at_the_cost_of_the_longest_resting() -> None:
    lender = pool(total=2)
    with lender.lease(b"a", Fake) as first:
        pass
    with lender.lease(b"b", Fake) as second:
        pass
    with lender.lease(b"c", Fake):
        assert (first.closed, second.closed) == (True, False)
        assert lender.open_connections == 2


def test_sign_out_closes_what_rests_and_what_comes_back() -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as lent:
        with lender.lease(b"a", Fake) as resting:
            pass
        with lender.lease(b"b", Fake) as other:
            pass
        lender.drop(b"a")
        assert (resting.closed, lent.closed, other.closed) == (True, False, False)
    assert lent.closed
    with lender.lease(b"a", Fake) as later:
        pass
    assert not later.closed
    lender.close()
    assert later.closed
    assert lender.open_connections == 0


def test_many_threads_never_share_a_connection() -> None:
    lender = kept(Pool(connections_per_account=2, total=5))
    using: set[int] = set()
    lock, wrong = threading.Lock(), []

    def work(key: bytes) -> None:
        for _ in range(200):
            with lender.lease(key, Fake) as connection:
                with lock:
                    if id(connection) in using or lender.open_connections > 5:
                        wrong.append(key)
                    using.add(id(connection))
                with lock:
                    using.discard(id(connection))

    threads = [threading.Thread(target=work, args=(b"%d" % (n % 4),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not wrong
    assert lender.open_connections <= 5


def test_a_connection_that_comes_back_counts_once_at_every_moment() -> None:
    """Otherwise the total would seem full for a moment, and somebody's idle connection would be closed for nothing."""
    seen: list[int] = []
    lender = pool(total=1)

    class Watched(threading.Condition):
        def __exit__(self, *error: object) -> None:
            seen.append(len(lender._unused) + sum(lender._leased.values()))
            super().__exit__(*error)  # type: ignore[arg-type]

    lender._changed = Watched()
    for _ in range(3):
        with lender.lease(b"a", Fake):
            pass
    assert set(seen) == {1}


@pytest.mark.parametrize("fault", [MemoryError, OSError])
def test_a_connection_that_raises_when_asked_is_closed(fault: type[Exception]) -> None:
    lender = pool()
    with lender.lease(b"a", Fake) as first:
        pass

    def fail(idle: float) -> bool:
        raise fault

    first.is_usable = fail  # type: ignore[method-assign]
    with pytest.raises(fault), lender.lease(b"a", Fake):
        pass
    assert first.closed
    assert lender.open_connections == 0


def test_a_connection_that_cannot_be_closed_harms_nobody() -> None:
    class Stubborn(Fake):
        def close(self) -> None:
            raise OSError

    lender = pool()
    with lender.lease(b"a", Stubborn) as first:
        pass
    first.alive = False
    with lender.lease(b"a", Fake) as second:
        assert second is not first
    assert lender.open_connections == 1


# --- with a server that is restarted


@pytest.fixture
def own_dovecot() -> Iterator[Dovecot]:
    """A Dovecot that may be stopped without harm to other tests."""
    with dovecots.running() as server:
        yield server


@pytest.mark.parametrize("kind", list(Tls))
def test_a_restart_of_the_server_is_not_noticed(own_dovecot: Dovecot, kind: Tls) -> None:
    server = rig.imap(own_dovecot, kind)
    own_dovecot.deliver(own_dovecot.user("reader"), b"Subject: x\r\n\r\nx\r\n")
    made: list[ImapStore] = []

    def connect() -> ImapStore:
        made.append(imap_store.connect(server, "reader", "secret"))
        return made[-1]

    with closing(Pool()) as lender:
        for _ in range(2):
            with lender.lease(b"k", connect) as store:
                assert store.summaries("INBOX", Window(9)).exists == 1
        assert len(made) == 1
        own_dovecot.stop()
        own_dovecot.start()
        with lender.lease(b"k", connect) as store:
            assert store.summaries("INBOX", Window(9)).exists == 1
        assert len(made) == 2
        own_dovecot.stop()
        with pytest.raises(StoreUnreachable), lender.lease(b"k", connect):
            pass
        assert lender.open_connections == 0


def test_a_fresh_connection_is_lent_for_nothing_and_a_rested_one_for_a_noop(dovecot: Dovecot) -> None:
    server = rig.imap(dovecot)
    user, clock = dovecot.user("rested"), Clock()

    def connect() -> ImapStore:
        return imap_store.connect(server, user, "secret")

    with ExitStack() as stack:
        lender = stack.enter_context(closing(pool(clock)))
        with lender.lease(b"k", connect) as store:
            commands = store.traffic.commands
        with lender.lease(b"k", connect) as again:
            assert again is store
            assert store.traffic.commands == commands
        clock.now += 61
        with lender.lease(b"k", connect) as again:
            assert again is store
            assert store.traffic.commands == commands + 1


def test_mail_that_arrived_meanwhile_does_not_cost_the_connection(dovecot: Dovecot) -> None:
    server = rig.imap(dovecot, Tls.NONE)
    user = dovecot.user("meanwhile")
    with closing(Pool()) as lender:
        for n in range(3):
            with lender.lease(b"k", lambda: imap_store.connect(server, user, "secret")) as store:
                assert store.summaries("INBOX", Window(9)).exists == n
            dovecot.deliver(user, b"Subject: x\r\n\r\nx\r\n")
        assert lender.open_connections == 1
