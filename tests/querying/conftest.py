from __future__ import annotations

from tests.support.open_index import index

__all__ = ["index"]
