"""What every part of a config file has in common."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """A part of a config file: unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    operational: ClassVar[frozenset[str]] = frozenset()
    """Fields that say how the work is done and leave its result alone: keys, timeouts, batch sizes."""

    def identity(self) -> dict[str, Any]:
        """The fields that decide the result, without secrets; equal identities give equal results."""
        return self.model_dump(mode="json", exclude=set(self.operational))


def fingerprint(*parts: object) -> str:
    """A short stable hash of JSON-like parts: 16 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
