"""Which texts an endpoint holds as files, so that each is uploaded once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, select

from pipelines.catalog import contents
from pipelines.catalog.database import explained, snapshot
from pipelines.catalog.tables import documents, uploaded_files
from pipelines.index import Upload


class Uploads:
    """Texts by their load fingerprint, which is one for equal bytes read in the same way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def texts(self, ids: Sequence[int]) -> dict[int, str]:
        """The fingerprint of the text of each document that is indexed."""
        query = select(documents.c.id, documents.c.load).where(
            documents.c.id.in_(list(ids)), documents.c.load != ""
        )
        with explained("the catalog"), self._engine.connect() as connection:
            return {row.id: row.load for row in connection.execute(query)}

    def text(self, key: str) -> tuple[str, bool] | None:
        """A text and whether it is Markdown; None where it is gone."""
        with explained("the catalog"), snapshot(self._engine) as connection:
            held = contents.read(connection, key)
        return (held.text, held.markdown) if held else None

    def known(self, account: str, texts: Sequence[str]) -> dict[str, Upload]:
        """The files of an account, by text."""
        query = select(uploaded_files).where(
            uploaded_files.c.account == account, uploaded_files.c.text.in_(list(texts))
        )
        with explained("the catalog"), self._engine.connect() as connection:
            if not _there(connection):
                return {}
            return {row.text: Upload(row.file, row.processed) for row in connection.execute(query)}

    def remember(self, account: str, text: str, upload: Upload) -> None:
        """Note the file that holds a text, in place of another."""
        row = {"account": account, "text": text, "file": upload.file, "processed": upload.processed}
        with explained("the catalog"), self._engine.begin() as connection:
            uploaded_files.create(connection, checkfirst=True)  # not in a storage of an older version
            connection.execute(delete(uploaded_files).where(_of(account, text)))
            connection.execute(insert(uploaded_files), row)

    def forget(self, account: str, text: str) -> None:
        """Strike a file off."""
        with explained("the catalog"), self._engine.begin() as connection:
            connection.execute(delete(uploaded_files).where(_of(account, text)))

    def unneeded(self) -> list[tuple[str, str, str]]:
        """Account, text and file of those whose text no document has."""
        query = select(uploaded_files.c.account, uploaded_files.c.text, uploaded_files.c.file).where(
            uploaded_files.c.text.not_in(select(documents.c.load))
        )
        with explained("the catalog"), self._engine.connect() as connection:
            if not _there(connection):
                return []
            return [(row.account, row.text, row.file) for row in connection.execute(query)]


def _of(account: str, text: str) -> ColumnElement[bool]:
    return and_(uploaded_files.c.account == account, uploaded_files.c.text == text)


def _there(connection: Connection) -> bool:
    return connection.dialect.has_table(connection, uploaded_files.name)
