"""A test of an upstream before or after it is saved: each step of a sign-in, with its result in words.

Nothing here may keep, log or repeat the password that was typed for one test.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.admin.checks import check, find_servers
from gateway.admin.checks.findings import ReportLine, bad, note
from gateway.admin.configuring.option_fields import OptionForm
from gateway.config import Config, Upstream
from gateway.config.options import OPTIONS
from gateway.errors import ConfigError, GatewayError

#: The button that starts it.
TEST: Final = "Test"


def findings(
    config: Config, upstream: Upstream, address: str, password: str, trusted: bool
) -> list[ReportLine]:
    """Probe an upstream's servers, and sign in to them if an address is given.

    Unless `trusted`, the password of smtp_user is not sent, since the servers are not yet the gateway's own.
    """
    alone = replace(config, upstreams=(upstream,), https_cert=None)
    made = [*check.report(alone, datetime.now(UTC), upstream)]
    if not address and password:
        made.append(note("the password was not tried: an address is needed, too"))
    if address:
        made += _sign_in(alone, address, password, trusted)
    return made


def _sign_in(config: Config, address: str, password: str, trusted: bool) -> Iterator[ReportLine]:
    (upstream,) = config.upstreams
    if upstream.gateway_user and not trusted:
        yield note("signing in was not tried: save first, since this would send the password of smtp_user")
        return
    if not password:
        yield bad("a password is needed to sign in")
        return
    try:
        yield from check.sign_in(config, address, password)
    except GatewayError as error:
        yield bad(error.detail or error.sentence)


def found_for(form: Mapping[str, str], folder: Path) -> tuple[list[ReportLine], dict[str, Any]]:
    """Search for the servers of the address in a form, trusting its `ca_file`, if any.

    Return what was seen, and the options of the upstream; without smtp if no pair of servers was found.
    """
    (option,) = (option for option in OPTIONS if (option.section, option.name) == ("upstream", "ca_file"))
    trusted = OptionForm.of_request((option,), folder, form)
    name = trusted.typed["ca_file"].strip()
    if problem := trusted.problems.get("ca_file"):
        return [bad(f"ca_file: {problem}")], {"ca_file": name}
    address, ca_file = form.get("address", "").strip(), folder / name if name else None
    if not address:
        return [bad("an address is needed, such as you@example.org")], {}
    lines: list[ReportLine] = []
    try:
        search = find_servers.search(address, find_servers.ISPDB, ca_file, lines.append)
        block = search.block()
    except ConfigError as error:
        return [*lines, bad(error.detail)], {}
    found = tomllib.loads(block)["upstream"][0] if block else {"domains": [search.domain]}
    return lines, {**found, "ca_file": name} if name else found
