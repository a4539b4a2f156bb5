"""Runs the gateway: in this process, or in several workers on the same listeners.

Nothing here may decide what is served. The panel is served by the first worker, which gets the log lines of the others.
WAP phones are served by a process of their own beside the workers: only that one has their sessions.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from gateway import confined
from gateway.admin.gateway_process import Beginning, GatewayProcess
from gateway.admin.monitoring.newest_lines import LINES
from gateway.admin.panel import panel_listener, site
from gateway.app import close, create_app
from gateway.config import Config
from gateway.sealed import admin_password
from gateway.sealed.vault import server_secret
from gateway.server import bearer, datagrams, workers
from gateway.server.listeners import BACKLOG, Listener, Site, bind, listeners, run
from gateway.state import Counted, State


def run_gateway(config: Config, file: Path, ready: Callable[[], None], panel_password: str = "") -> None:
    """Serve a configuration in this process until SIGTERM; also the panel, if it has a password.

    WAP phones are served by a thread: callers may already have threads, as the demo does, and so cannot fork.
    """
    LINES.follow(logging.getLogger())
    process = GatewayProcess(config, file)
    if panel_password:
        process.state.administration.set_password_hash(admin_password.hashed(panel_password))
    lines = datagrams.bind_all(config)
    with bearer.beside(_phones(process, lines)) if lines else nullcontext():
        _serve(process, ready)
    process.close()


def run_workers(config: Config, file: Path, ready: Callable[[], None], count: int) -> None:
    """Serve a configuration in this many processes, and one for WAP phones, until SIGTERM. Raise ConfigError."""
    # What the workers need is created before they are; each opens it for itself.
    state = State.open(config.state)
    beginning = Beginning.now(state)
    panels = (panel_listener(config),) if state.administration.password_hash() else ()
    # What an application loads and compiles is then in memory that all share.
    close(create_app(config, state=state))
    state.close()
    for listener in (*listeners(config), *panels):
        listener.certificate()
    server_secret(config.secret)
    # Whoever connects before a worker serves, or while one is replaced, waits: nobody is refused, not even at the
    # panel.
    bound = {listener: bind(listener) for listener in (*listeners(config), *panels)}
    lines = datagrams.bind_all(config)
    for sock in bound.values():
        sock.listen(BACKLOG)
    log_lines = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    shared = _Shared(config, file, count, beginning, panels, bound, lines, log_lines)
    ready()
    workers.run(count + bool(lines), shared.work, shared.close, shared.name)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all processes inherit from the one that started them; `count` workers, and after them the one for WAP
    phones."""

    config: Config
    file: Path
    count: int
    beginning: Beginning
    panels: tuple[Listener, ...]
    bound: Mapping[Listener, socket.socket]
    lines: datagrams.Ports
    log_lines: tuple[socket.socket, socket.socket]

    def name(self, number: int) -> str:
        return "the process for WAP phones" if number == self.count else f"worker {number}"

    def work(self, number: int) -> None:
        """Run as the process with this number until SIGTERM."""
        LINES.follow(logging.getLogger())
        if number:
            LINES.send_to(self.log_lines[0])
        else:
            LINES.take_from(self.log_lines[1])
        process = GatewayProcess(
            self.config,
            self.file,
            workers=self.count,
            announce_reload=workers.announce_reload,
            beginning=self.beginning,
        )
        process.follow()  # the file may have changed since the replaced process began
        # Otherwise a port would stay open after the process that serves it has closed it.
        if number == self.count:
            _close(self.bound.values())
            bearer.run(_phones(process, self.lines), process.follow)
        else:
            _close(chain.from_iterable(self.lines.values()))
            _close(self.bound[listener] for listener in self.panels if number)
            _serve(process, bound=self.bound, panel=number == 0)
        process.close()
        confined.stop()

    def close(self) -> None:
        """Close the sockets of all processes."""
        _close(chain(self.bound.values(), *self.lines.values()))


def _close(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def _phones(process: GatewayProcess, lines: datagrams.Ports) -> bearer.Bearer:
    """Make the server of WAP phones, and have it counted."""
    refused = partial(process.state.counts.add, Counted.WAP_REFUSED)
    phones = bearer.Bearer(process, lambda: process.config, lines, refused)
    process.instruments.hold(phones.held)
    return phones


def _serve(
    process: GatewayProcess,
    ready: Callable[[], None] = lambda: None,
    bound: Mapping[Listener, socket.socket] | None = None,
    panel: bool = True,
) -> None:
    config = process.config
    handhelds = Site(
        process,
        listeners(config),
        config.threads,
        config.upload_limit,
        process.is_signed_in,
        process.client_address,
    )
    panels = (site(process),) if panel and process.state.administration.password_hash() else ()
    run(handhelds, *panels, ready=ready, bound=bound, reload=process.follow)
