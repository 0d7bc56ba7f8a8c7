"""What the index holds: the one source of truth about documents, nodes, generations and jobs."""

from pipelines.catalog.catalog import Catalog
from pipelines.catalog.rows import DocumentRow, Generation, Node

__all__ = ["Catalog", "DocumentRow", "Generation", "Node"]
