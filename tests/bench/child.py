"""One measurement in a process of its own: `python -m tests.bench.child MODULE FUNCTION RESULT ARGUMENTS`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from tests.bench.measure import peak_memory

if __name__ == "__main__":
    module, function, result, arguments = sys.argv[1:]
    measured = getattr(importlib.import_module(module), function)(*json.loads(arguments)) or {}
    Path(result).write_text(json.dumps({**measured, "peak": peak_memory()}), encoding="utf-8")
