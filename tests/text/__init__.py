from pathlib import Path

DATA = Path(__file__).parent / "data"
"""Original texts: prose in both languages, and a Markdown file with all that is awkward."""

SNIPPETS = [
    "a", "The", "B", "Mr", "zygote", " aardvark", "e.g.", "'s", "'", "1", "12345", "3.14", "v1.5.9", "don't",
    "http://a.b/c?d=e", " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\f", "\u3000", "\xa0", ".", "!", "?", "…",
    ", ", ",", "-", "- ", "|", "\n| a | b |\n|---|---|\n| 1 | 2 |\n", "# ", "\n# ", "\n## ", "```", "\n```\n", "---",
    "。", "，", "；", "”", "“", "（一）", "一、", "中", "文字", "é", "²", "Ⅳ", "🙂", "👩\u200d💻", "\u0301", "\ud800",
    "x" * 40, "中文" * 20, "かな", "한국어", "Привет",
]  # fmt: skip
