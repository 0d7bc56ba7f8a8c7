"""The browser of this machine, for tests of the page and for its pictures."""

from __future__ import annotations

import shutil

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The program, by preference the one that has no window to draw; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)
