"""`make corpus`: render thousands of messages for three devices, judge every page, print a table; exit 1 on failure.

    make corpus                          all that are available
    make corpus CORPUS=~/mail            and every .eml and .html below that folder
    make corpus ARGS="--every 10"        a tenth of them

Nothing here may be part of the test run: it takes minutes, and fetches a package. The limits are what the product
promises: no exception, 2 s per message and 15 ms at the median (CPU, without start-up), valid pages within their
budget, full pages 85 % full on average, 99 % of the words of text and 97 % of those of HTML, in order.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import chain, islice
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final

from tests.corpus import browser, judge, sources, words
from tests.corpus.judge import Judgement
from tests.corpus.sources import Sample

#: One in this many messages is also compiled by Kannel and libwbxml: each deck costs three processes.
ELSEWHERE_EVERY: Final = 20
MEDIAN_SECONDS: Final = 0.015
FILL_LEAST: Final = 0.85
#: The mean share of words of HTML per mail; the share of mails with 97 % of them; links.
MEAN_LEAST: Final = 0.998
WELL_KEPT_LEAST: Final = 0.995
LINKS_LEAST: Final = 0.99
#: The share of words of HTML that are kept, but not in order.
ELSEWHERE_MOST: Final = 0.002
#: The most faults that are reported one by one.
TOLD: Final = 40


_look: words.Look = words.seen


def _judged(task: tuple[str, Path, bool]) -> list[Judgement]:
    name, path, elsewhere = task
    raw = sources.octets(path)
    seen = cache(_look)  # three devices share one look
    return [judge.judge(name, raw, device, elsewhere, seen) for device in judge.DEVICES]


def _warm(with_browser: bool) -> None:
    """Have everything loaded before time is measured."""
    global _look
    if with_browser:
        folder = tempfile.TemporaryDirectory(prefix="pocketpost-corpus-")
        chromium = browser.Browser(Path(folder.name))
        _look = chromium.show
        # A process of the pool ends without `atexit`; of two with the same priority, the later one goes first.
        Finalize(None, folder.cleanup, exitpriority=1)
        Finalize(None, chromium.close, exitpriority=1)
    for device in judge.DEVICES:
        judge.judge("warm", b"Subject: warm\nContent-Type: text/html\n\n<p>warm</p>", device, False)


def samples(folder: Path | None) -> Iterable[Sample]:
    """Yield everything that is to be rendered."""
    own = sources.folder(folder) if folder else ()
    return chain(sources.cpython(), sources.spam_assassin(), own)


class Table:
    """The figures of a run, by device, and whether each is good enough."""

    def __init__(self, judgements: Sequence[Judgement]) -> None:
        self.failed: list[str] = []
        self._rows: list[tuple[str, list[str]]] = []
        by_device = [[one for one in judgements if one.device == name] for name in judge.DEVICES]
        for label, figure in _FIGURES:
            cells = []
            for name, mine in zip(judge.DEVICES, by_device, strict=True):
                said, good = figure(mine)
                cells.append(said if good else said + " !")
                if not good:
                    self.failed.append(f"{name}: {label} {said}")
            self._rows.append((label, cells))

    def __str__(self) -> str:
        head = f"{'':34}" + "".join(f"{name:>14}" for name in judge.DEVICES)
        return "\n".join(
            [head, *(f"{label:34}" + "".join(f"{c:>14}" for c in cells) for label, cells in self._rows)]
        )


Figure = tuple[str, bool]


def _seconds(ones: Sequence[Judgement], at: float, most: float) -> Figure:
    ordered = sorted(one.seconds for one in ones)
    seconds = ordered[min(int(len(ordered) * at), len(ordered) - 1)] if ordered else 0.0
    return f"{seconds * 1000:.1f} ms", seconds <= most


def _kept(ones: Sequence[Judgement], which: str, least: float) -> Figure:
    found = sum(getattr(one, which)[0] for one in ones)
    there = sum(getattr(one, which)[1] for one in ones)
    share = found / there if there else 1.0
    return f"{share * 100:.2f} %", share >= least


def _fill(ones: Sequence[Judgement], which: str, least: float) -> Figure:
    fills = [fill for one in ones for fill in getattr(one, which)]
    mean = statistics.mean(fills) if fills else 1.0
    return (f"{mean * 100:.1f} %" if fills else "-"), mean >= least


def _shares(ones: Sequence[Judgement]) -> list[float]:
    return [one.html[0] / one.html[1] for one in ones if one.html[1]] or [1.0]


def _mean(ones: Sequence[Judgement], least: float) -> Figure:
    mean = statistics.mean(_shares(ones))
    return f"{mean * 100:.2f} %", mean >= least


def _well_kept(ones: Sequence[Judgement], least: float) -> Figure:
    shares = _shares(ones)
    share = sum(each >= judge.HTML_LEAST for each in shares) / len(shares)
    return f"{share * 100:.2f} %", share >= least


def _elsewhere(ones: Sequence[Judgement], most: float) -> Figure:
    share = sum(one.elsewhere for one in ones) / max(sum(one.html[1] for one in ones), 1)
    return f"{share * 100:.3f} %", share <= most


def _total(ones: Sequence[Judgement], which: str) -> Figure:
    return f"{sum(getattr(one, which) for one in ones):,}", True


def _below(ones: Sequence[Judgement], share: float) -> Figure:
    fills = [fill for one in ones for fill in one.fills]
    return f"{sum(fill < share for fill in fills) / max(len(fills), 1) * 100:.2f} %", True


_FIGURES: Final = (
    ("messages", lambda ones: (f"{len(ones):,}", bool(ones))),
    ("pages", lambda ones: _total(ones, "pages")),
    ("faults", lambda ones: (f"{sum(len(one.faults) for one in ones):,}", not any(o.faults for o in ones))),
    ("decks compiled by others, too", lambda ones: _total(ones, "compiled_elsewhere")),
    ("time, median", lambda ones: _seconds(ones, 0.5, MEDIAN_SECONDS)),
    ("time, 99 %", lambda ones: _seconds(ones, 0.99, judge.SLOW)),
    ("time, most", lambda ones: _seconds(ones, 1.0, judge.SLOW)),
    ("fill of full pages, mean", lambda ones: _fill(ones, "fills", FILL_LEAST)),
    ("  by the bound for all compilers", lambda ones: _fill(ones, "bounds", 0.0)),
    ("  pages less than 70 % full", lambda ones: _below(ones, 0.7)),
    ("words of text kept", lambda ones: _kept(ones, "text", judge.TEXT_LEAST)),
    ("words of HTML kept", lambda ones: _kept(ones, "html", judge.HTML_LEAST)),
    ("  mean of mails", lambda ones: _mean(ones, MEAN_LEAST)),
    ("  mails with 97 % of them", lambda ones: _well_kept(ones, WELL_KEPT_LEAST)),
    ("  of them in another place", lambda ones: _elsewhere(ones, ELSEWHERE_MOST)),
    ("links of HTML reachable", lambda ones: _kept(ones, "links", LINKS_LEAST)),
    ("lines joined that stand apart", lambda ones: _total(ones, "joined")),
    ("long quotations not folded", lambda ones: _total(ones, "unfolded")),
    ("stretches of hidden text shown", lambda ones: _total(ones, "filler")),
    ("paragraphs that run the wrong way", lambda ones: _total(ones, "astray")),
    ("messages short of words", lambda ones: (f"{sum(bool(one.notes) for one in ones):,}", True)),
    ("words torn between pages", lambda ones: _total(ones, "torn")),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="make corpus ARGS=…", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="messages of your own (CORPUS=… in make)")
    parser.add_argument("--every", type=int, default=1, help="only one message of so many")
    parser.add_argument("--at", type=int, default=0, help="the first one of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--notes", action="store_true", help="tell every message that is short of words")
    parser.add_argument("--browser", action="store_true", help="words of HTML are what Chromium shows")
    given = parser.parse_args(arguments)
    chosen = islice(samples(given.folder), given.at, None, given.every)
    tasks = [(name, path, number % ELSEWHERE_EVERY == 0) for number, (name, path) in enumerate(chosen)]
    with ProcessPoolExecutor(given.jobs, initializer=_warm, initargs=(given.browser,)) as pool:
        found = [one for some in pool.map(_judged, tasks, chunksize=8) for one in some]
    table = Table(found)
    print(table)
    told = [f"{one.name} ({one.device}): {fault}" for one in found for fault in one.faults]
    told += [f"{one.name} ({one.device}): {note}" for one in found if given.notes for note in one.notes]
    print("\n".join(told if given.notes else told[:TOLD]))
    for failure in table.failed:
        print(f"FAILED {failure}")
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
