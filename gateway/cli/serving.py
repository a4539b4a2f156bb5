"""Runs the gateway: in this process, or in several workers on the same listeners.

Nothing here may decide what is served. The panel is served by the first worker, which gets the log lines of the others.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway import confined
from gateway.admin.gateway_process import Beginning, GatewayProcess
from gateway.admin.monitoring.newest_lines import LINES
from gateway.admin.panel import panel_listener, site
from gateway.config import Config
from gateway.sealed import admin_password
from gateway.sealed.vault import server_secret
from gateway.server import bearer, workers
from gateway.server.listeners import BACKLOG, Listener, Site, bind, listeners, run
from gateway.state import State


def run_gateway(config: Config, file: Path, ready: Callable[[], None], panel_password: str = "") -> None:
    """Serve a configuration in this process until SIGTERM; the panel, too, if it has a password."""
    LINES.follow(logging.getLogger())
    process = GatewayProcess(config, file)
    if panel_password:
        process.state.administration.set_password_hash(admin_password.hashed(panel_password))
    _serve(process, ready)


def run_workers(config: Config, file: Path, ready: Callable[[], None], count: int) -> None:
    """Serve a configuration in so many processes until SIGTERM. Raise ConfigError."""
    # What the workers need is made before there are any; each opens it for itself.
    state = State.open(config.state)
    beginning = Beginning.now(state)
    panels = (panel_listener(config),) if state.administration.password_hash() else ()
    state.close()
    for listener in (*listeners(config), *panels):
        listener.certificate()
    if config.wap_listen:
        for port in (config.wap_port, config.wap_connectionless_port):
            bearer.bind(config.wap_listen, port).close()
    server_secret(config.secret)
    # Who connects before a worker serves, or while one is replaced, waits: nobody is refused, at the panel either.
    bound = {listener: bind(listener) for listener in (*listeners(config), *panels)}
    for sock in bound.values():
        sock.listen(BACKLOG)
    lines = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def work(number: int) -> None:
        LINES.follow(logging.getLogger())
        if number:
            LINES.send_to(lines[0])
            for listener in panels:  # else the port stayed open when the first worker has closed it
                bound[listener].close()
        else:
            LINES.take_from(lines[1])
        process = GatewayProcess(
            config, file, workers=count, announce_reload=workers.announce_reload, beginning=beginning
        )
        process.follow()  # the file may have changed since the one that this worker replaces began
        _serve(process, bound=bound, panel=number == 0)
        confined.stop()

    def ending() -> None:
        for sock in bound.values():
            sock.close()

    ready()
    workers.run(count, work, ending)


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
    # One process has the phones' sessions, however many workers there are.
    phones = bearer.Bearer(process, config) if panel and config.wap_listen else None
    if phones is not None:
        phones.start()
    run(handhelds, *panels, ready=ready, bound=bound, reload=process.follow)
    if phones is not None:
        phones.stop()
    process.close()
