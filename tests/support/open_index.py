"""The fixture that most tests of asking stand on."""

from __future__ import annotations

import pytest

from tests.support.corpus import DOCUMENTS
from tests.support.memory_index import MemoryIndex, Vectors


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> MemoryIndex:
    """The small corpus, open: real vectors and a real keyword index."""
    return MemoryIndex(DOCUMENTS, tmp_path_factory.mktemp("keyword"), Vectors())
