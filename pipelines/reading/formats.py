"""Which file belongs to which format: the one table that the loaders, the readers and the docs share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name in `Document.format`, the module that reads it, and the names it goes by."""

    name: str
    title: str
    reader: str
    """Module under `pipelines.reading` with `read(content, options) -> Document`."""
    extensions: tuple[str, ...]
    needs_ocr: bool = False


FORMATS = (
    Format("text", "Plain text", "plain", ("txt", "text", "log", "srt", "vtt")),
    Format("markdown", "Markdown", "plain", ("md", "markdown", "mdx", "qmd", "rmd")),
    Format("rst", "reStructuredText and other markup", "plain", ("rst", "adoc", "asciidoc", "org", "tex")),
    Format("html", "HTML", "html", ("html", "htm", "xhtml")),
    Format("pdf", "PDF", "pdf", ("pdf",)),
    Format("docx", "Word", "docx", ("docx", "docm")),
    Format("pptx", "PowerPoint", "pptx", ("pptx", "pptm")),
    Format("xlsx", "Excel", "xlsx", ("xlsx", "xlsm")),
    Format("csv", "Comma-separated table", "delimited", ("csv",)),
    Format("tsv", "Tab-separated table", "delimited", ("tsv", "tab")),
    Format("json", "JSON", "structured", ("json", "geojson")),
    Format("jsonl", "JSON lines", "structured", ("jsonl", "ndjson")),
    Format("epub", "EPUB", "epub", ("epub",)),
    Format("ipynb", "Jupyter notebook", "notebook", ("ipynb",)),
    Format("eml", "E-mail", "mail", ("eml",)),
    Format(
        "code",
        "Source code and configuration",
        "plain",
        (
            *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "vue", "svelte", "java", "kt", "kts"),
            *("scala", "groovy", "gradle", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "m", "mm", "cs", "fs"),
            *("vb", "go", "rs", "swift", "rb", "php", "pl", "pm", "lua", "r", "jl", "dart", "ex", "exs"),
            *("erl", "hs", "ml", "mli", "clj", "lisp", "el", "sh", "bash", "zsh", "fish", "ps1", "bat"),
            *("sql", "graphql", "proto", "yaml", "yml", "toml", "ini", "cfg", "conf", "properties", "env"),
            *("xml", "xsd", "xsl", "svg", "css", "scss", "sass", "less", "tf", "nix", "cmake", "mk", "diff"),
            "patch",
        ),
    ),
    Format("image", "Image", "image", ("png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"), needs_ocr=True),
)

NAMES = {
    "text": ("readme", "license", "licence", "copying", "authors", "changelog", "changes", "notice", "news"),
    "code": ("makefile", "dockerfile", "containerfile", "jenkinsfile", "gemfile", "rakefile", "procfile"),
}
"""Whole file names without an extension that are known, by format."""

BY_EXTENSION = {extension: entry for entry in FORMATS for extension in entry.extensions}
BY_FORMAT = {entry.name: entry for entry in FORMATS}
BY_NAME = {name: BY_FORMAT[entry] for entry, names in NAMES.items() for name in names}


def format_of(path: str) -> Format | None:
    """The format that a file's name says, or None."""
    name = PurePosixPath(path).name.lower()
    _, dot, extension = name.rpartition(".")
    return BY_EXTENSION.get(extension) if dot else BY_NAME.get(name)


def unsupported(path: str) -> str:
    """Why a file of unknown format is not read, in one line."""
    suffix = PurePosixPath(path).suffix
    what = f"the format {suffix!r} is not supported" if suffix else "a file without a known extension"
    return f"{what}; see the list of formats, or convert it to text or PDF"
