"""WTP's timer intervals and counters for IP, under the standard's names, and measured round trips.

Nothing here may read a clock: seconds come in. WAP-224 appendix A (normative) and appendix B.1; RFC 6298 for the use of
measured round trips.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

# Intervals in seconds, with those of a user acknowledgement where they differ. WAP-224 appendix A, bearers with IP.
B_A: Final = 2.0
S_A: Final = 0.0
S_A_USER: Final = 1.0
L_A: Final = 4.0
B_R: Final = 5.0
S_R: Final = 3.0
S_R_USER: Final = 4.0
L_R: Final = 7.0
G_R: Final = 3.0
W: Final = 40.0
RCR_MAX: Final = 8
"""Retransmissions of a PDU."""
AEC_MAX: Final = 6
"""Expirations of the acknowledgement interval before a user who does not respond is given up."""
M: Final = 0.2
"""Half a median round trip, for each 1,024 octets of a message. WAP-224 appendix B.1."""
M_OCTETS: Final = 1024

LEAST_R: Final = 1.0
"""Seconds of the shortest retry interval, however short round trips are. RFC 6298 §2.4."""
HOSTS: Final = 10_000
"""How many hosts' round trips are remembered; beyond that, those not heard from for longest are forgotten."""


@dataclass(slots=True)
class RoundTrips:
    """The smoothed round trip to one host and its variation, in seconds. RFC 6298 §2."""

    smoothed: float
    variation: float

    def measured(self, seconds: float) -> None:
        """Add another round trip."""
        self.variation = 0.75 * self.variation + 0.25 * abs(self.smoothed - seconds)
        self.smoothed = 0.875 * self.smoothed + 0.125 * seconds


class Intervals:
    """Retry intervals by host: the standard's until a round trip has been measured."""

    def __init__(self) -> None:
        self._hosts: OrderedDict[str, RoundTrips] = OrderedDict()

    def measured(self, host: str, seconds: float) -> None:
        """Remember a round trip of a PDU that was sent once."""
        known = self._hosts.get(host)
        if known is None:
            self._hosts[host] = RoundTrips(seconds, seconds / 2)
            if len(self._hosts) > HOSTS:
                self._hosts.popitem(last=False)
            return
        known.measured(seconds)
        self._hosts.move_to_end(host)

    def retry(self, host: str, standard: float, octets: int, repeated: int) -> float:
        """Return the seconds until a message of this many octets is sent again, after `repeated` repetitions.

        `standard`: the interval of appendix A, which is also the longest, except for what large messages add (B.1).
        """
        known = self._hosts.get(host)
        if known is None:
            return standard + octets // M_OCTETS * M
        base = max(LEAST_R, known.smoothed + 4 * known.variation)
        grown: float = min(standard, base * 2**repeated)
        return grown + octets // M_OCTETS * min(M, known.smoothed / 2)

    def half_trip(self, host: str) -> float:
        """Return half a round trip, in seconds: missing packets may still arrive within that time."""
        known = self._hosts.get(host)
        return M if known is None else min(M, known.smoothed / 2)
