"""The keyword index: BM25 by Tantivy over terms that our analyser cuts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import StorageError
from pipelines.index import Hit
from pipelines.text.analyser import Analyser, is_han

if TYPE_CHECKING:
    import tantivy

_HEAP = 32_000_000
"""Bytes that the writer may hold before it writes a segment."""
_PART_WEIGHT = 0.5
"""What a part counts of a term that no text holds: `市区` is some evidence for `县市区`, not the same."""
_BITS = 20
"""Terms told apart by one score: a 32-bit float is exact up to 2 to the 24th."""


class TantivyIndex:
    """Texts by id, found by their terms; holds neither texts nor positions.

    One process may write, any number may read; a killed one leaves the last commit. Raises `StorageError`
    where the folder is no such index, is damaged, or another process is writing.
    """

    def __init__(self, folder: Path, analyser: Analyser, *, writable: bool) -> None:
        self._folder, self._analyser, self._writable = folder, analyser, writable
        self._writer: tantivy.IndexWriter | None = None
        with self._reported():
            self._index = self._open()
            self._searcher = self._index.searcher()

    def _open(self) -> tantivy.Index:
        import tantivy

        if self._writable:
            self._folder.mkdir(parents=True, exist_ok=True)
        if (self._folder / "meta.json").exists():
            index = tantivy.Index.open(str(self._folder))
            if index.schema != _schema():
                raise StorageError(
                    f"keyword index {self._folder}: another version made it; `searchask ingest --rebuild` makes it anew"
                )
        elif not self._writable:
            raise StorageError(
                f"keyword index {self._folder}: there is none yet; `searchask ingest` makes it"
            )
        elif any(not path.name.startswith(".") for path in self._folder.iterdir()):
            raise StorageError(f"keyword index {self._folder}: the folder holds something else; move it away")
        else:
            index = tantivy.Index(_schema(), path=str(self._folder))
        index.config_reader("manual")  # the default watches the folder from a thread
        index.reload()
        return index

    def add(self, entries: Iterable[tuple[str, str]]) -> None:
        """Insert or replace (id, text) pairs; seen after `commit`."""
        import tantivy

        with self._reported():
            writer = self._open_writer()
            for key, text in entries:
                writer.delete_documents_by_term("id", key)
                writer.add_document(tantivy.Document(id=key, terms=self._analyser.index_text(text)))

    def delete(self, ids: Iterable[str]) -> None:
        """Remove; an id that is not there is no error; seen after `commit`."""
        with self._reported():
            writer = self._open_writer()
            for key in ids:
                writer.delete_documents_by_term("id", key)

    def commit(self) -> None:
        """Make what was added and deleted durable and visible."""
        if self._writer is not None:
            with self._reported():
                self._writer.commit()
            self.reload()

    def search(self, question: str, top_k: int, among: Iterable[str] | None = None) -> list[Hit]:
        """The best by BM25, with the terms that matched; nothing where no term matches. `among`: these few ids only."""
        import tantivy

        with self._reported():
            queries = self._queries(question)
            if not queries or top_k < 1:
                return []
            either = tantivy.Query.boolean_query(
                [(tantivy.Occur.Should, query) for query in queries.values()]
            )
            if among is not None:
                either = tantivy.Query.boolean_query(
                    [(tantivy.Occur.Must, either), (tantivy.Occur.Must, self._only(among))]
                )
            found = self._searcher.search(either, top_k, count=False).hits
            ids = [self._id_at(place) for _, place in found]
            matched = self._matched(queries, ids) if ids else {}
        return [Hit(key, score, tuple(matched[key])) for (score, _), key in zip(found, ids, strict=True)]

    def _queries(self, question: str) -> dict[str, tantivy.Query]:
        """What to look for, by term: a term that no text holds gives way to its parts."""
        import tantivy

        terms = self._analyser.query_terms(question)
        if all(len(term) == 1 and is_han(term) for term in terms):
            return {term: self._character_query(term) for term in terms}
        known: dict[str, tantivy.Query] = {}
        for term in terms:
            if self._holding(term):
                known[term] = self._term_query(term)
                continue
            for part in self._analyser.parts(term):
                if part not in terms and self._holding(part):
                    known[part] = tantivy.Query.boost_query(self._term_query(part), _PART_WEIGHT)
        return known

    def _holding(self, term: str) -> int:
        return self._searcher.doc_freq("terms", term)

    def _term_query(self, term: str) -> tantivy.Query:
        import tantivy

        return tantivy.Query.term_query(self._index.schema, "terms", term, "freq")

    def _character_query(self, character: str) -> tantivy.Query:
        """A question of one character finds it inside longer words too, below those that it stands alone in."""
        import tantivy

        inside = tantivy.Query.regex_query(self._index.schema, "terms", f".*{character}.*")
        either = [(tantivy.Occur.Should, self._term_query(character)), (tantivy.Occur.Should, inside)]
        return tantivy.Query.boolean_query(either)

    def _matched(self, queries: dict[str, tantivy.Query], ids: list[str]) -> dict[str, list[str]]:
        """Which terms each of `ids` holds, in one search for every 20: each scores another power of two."""
        from tantivy import Occur, Query

        matched: dict[str, list[str]] = {key: [] for key in ids}
        among = self._only(ids)
        terms = list(queries)
        for first in range(0, len(terms), _BITS):
            group = terms[first : first + _BITS]
            marked = [
                Query.const_score_query(queries[term], float(1 << bit)) for bit, term in enumerate(group)
            ]
            both = Query.boolean_query([(Occur.Must, among), *((Occur.Should, one) for one in marked)])
            for score, place in self._searcher.search(both, len(ids), count=False).hits:
                bits = int(score)
                matched[self._id_at(place)] += [term for bit, term in enumerate(group) if bits >> bit & 1]
        return matched

    def _only(self, ids: Iterable[str]) -> tantivy.Query:
        """Entries with these ids; adds nothing to their scores."""
        from tantivy import Occur, Query

        own = [Query.term_query(self._index.schema, "id", key, "basic") for key in ids]
        return Query.const_score_query(Query.boolean_query([(Occur.Should, one) for one in own]), 0.0)

    def _id_at(self, place: tantivy.DocAddress) -> str:
        key: str = self._searcher.doc(place)["id"][0]
        return key

    def idf_mass(self, question: str) -> float:
        """The sum of BM25's inverse document frequencies of all terms of the question, known or not."""
        with self._reported():
            total = self._searcher.num_docs
            mass = 0.0
            for term in self._analyser.query_terms(question):
                holding = self._holding(term)
                mass += math.log(1 + (max(0, total - holding) + 0.5) / (holding + 0.5))
            return mass

    def reload(self) -> None:
        """See what another process committed."""
        with self._reported():
            self._index.reload()
            self._searcher = self._index.searcher()

    def ids(self) -> Iterator[str]:
        """Every id that is held."""
        import tantivy

        with self._reported():
            held = self._searcher.terms_with_prefix("id", "", tantivy.Query.all_query())
        return (key for key, _ in held)

    def count(self) -> int:
        """How many are held."""
        return self._searcher.num_docs

    def close(self) -> None:
        """Give back files and locks; what was not committed is gone."""
        if self._writer is not None:
            with self._reported():
                self._writer.rollback()
                self._writer.garbage_collect_files()
                self._writer.wait_merging_threads()
            self._writer = None

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            if not self._writable:
                raise StorageError(f"keyword index {self._folder}: it was opened for reading")
            self._writer = self._index.writer(_HEAP, 1)
        return self._writer

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError) as error:
            if "LockBusy" in str(error):
                raise StorageError(
                    f"keyword index {self._folder}: another process is writing to it"
                ) from None
            raise self._damaged(error) from None
        except BaseException as error:
            # What Tantivy meets in a damaged file is a Rust panic, which is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise self._damaged(error) from None

    def _damaged(self, error: BaseException) -> StorageError:
        if any(
            said in str(error) for said in ("No space left", "File too large", "os error 28", "os error 27")
        ):
            return StorageError(
                f"keyword index {self._folder}: no space is left on its disk; nothing is lost"
            )
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        return StorageError(
            f"keyword index {self._folder}: it can't be used ({reason}); delete this folder, then `searchask ingest`"
        )


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
    return builder.build()
