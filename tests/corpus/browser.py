"""What Chromium shows of a page of HTML: its visible words and links, as the reference for what the gateway keeps.

Nothing here may load anything: every address is blocked, and the page's scripts do not run. A text is visible unless
Chromium itself does not paint it (`checkVisibility`), it has no area, is outside the page, is cut off by an ancestor of
at most two pixels, is written in letters of at most two pixels, or has nearly the colour of what is behind it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.corpus import words
from tests.devices.browsers.chromium import Chromium

#: A page as wide as mail is designed for; phones get the same words.
_WIDTH: Final = 800
_LOOK: Final = r"""
(() => {
  const channels = text => (text.match(/[\d.]+/g) || []).map(Number);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const style = getComputedStyle(element);
      if (style.backgroundImage !== "none" || element.hasAttribute("background")) return null;
      const [r, g, b, a = 1] = channels(style.backgroundColor);
      if (a > 0) return a < 1 ? null : [r, g, b];
    }
    return [255, 255, 255];
  };
  const cut = element => {
    for (; element && element !== document.body; element = element.parentElement) {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      const closed = style.overflow !== "visible" || style.clip !== "auto" || style.clipPath !== "none";
      if (closed && (box.width <= 2 || box.height <= 2)) return true;
      if (/^rect\((0px|1px)?,? ?(0px|1px)/.test(style.clip)) return true;
      if (/inset\((50|100)%/.test(style.clipPath)) return true;
    }
    return false;
  };
  const seen = node => {
    const element = node.parentElement;
    if (!element) return false;
    if (element.tagName === "TEXTAREA") return element.checkVisibility() && !cut(element);
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) return false;
    const style = getComputedStyle(element);
    if (parseFloat(style.fontSize) <= 2) return false;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter(box => box.width > 0 && box.height > 0);
    if (!boxes.some(box => box.right > 0 && box.bottom > 0) || cut(element)) return false;
    const [r, g, b, a = 1] = channels(style.color);
    if (a < 0.05) return false;
    const behind = ground(element);
    return !behind || a < 1 || Math.abs(r - behind[0]) + Math.abs(g - behind[1]) + Math.abs(b - behind[2]) >= 16;
  };
  const root = document.body || document.documentElement;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const hidden = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (/\S/.test(node.data) && !seen(node)) hidden.push(node);
  }
  const code = /^(SCRIPT|STYLE|TITLE|TEMPLATE|NOFRAMES|NOSCRIPT)$/;
  const unseen = hidden.filter(node => !code.test(node.parentElement?.tagName || ""));
  const filler = unseen.map(node => node.data).join("\n");
  for (const node of hidden) node.data = /^\s|\s$/.test(node.data) ? " " : "";
  for (const element of root.querySelectorAll("*")) element.style.setProperty("text-transform", "none", "important");
  const sized = img => !["width", "height"].some(name => parseInt(img.getAttribute(name)) <= 3);
  const shown = link => link.checkVisibility()
    && (/\S/.test(link.innerText) || [...link.querySelectorAll("img")].some(sized));
  const links = [...root.querySelectorAll("a[href]")].filter(shown).map(link => link.getAttribute("href"));
  return {text: root.innerText || "", filler, links};
})()
"""


class Browser:
    """One Chromium that shows one page after the other."""

    def __init__(self, folder: Path) -> None:
        self._chromium = Chromium(folder)
        call = self._chromium.call
        call(
            "Emulation.setDeviceMetricsOverride", width=_WIDTH, height=600, deviceScaleFactor=1, mobile=False
        )
        call("Network.enable")
        call("Network.setBlockedURLs", urls=["http*://*", "ftp://*", "file://*", "ws*://*"])

    def show(self, html: str) -> words.Seen:
        """Show a page and return what is visible of it."""
        # Link colours that a body set stay with the document, whatever it contains then.
        frame = self._chromium.call("Page.navigate", url="about:blank")["frameId"]
        self._chromium.call("Page.setDocumentContent", frameId=frame, html=html)
        found = self._chromium.call("Runtime.evaluate", expression=_LOOK, returnByValue=True)["result"][
            "value"
        ]
        return words.Seen(words.words(found["text"]), words.words(found["filler"]), found["links"])

    def close(self) -> None:
        """End it."""
        self._chromium.close()
