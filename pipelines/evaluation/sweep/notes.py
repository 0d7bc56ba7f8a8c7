"""What must be said beside the figures of a sweep, so that nobody believes them too readily."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.evaluation.statistics import Paired
from pipelines.evaluation.sweep.result import Ranking
from pipelines.evaluation.sweep.run import HELD_OUT, Outcome
from pipelines.evaluation.sweep.variants import BASE
from pipelines.words import Language, Words

SURE = 0.05
"""P value below which a difference is taken for more than chance."""
_BASE_STAYS = Words("No variant is better than the base by {metric}.", "按 {metric}，没有变体优于基准。")
_CHANCE = Words(
    "The winner's lead over the base may be chance: p = {p:.3f}, corrected for the number of variants ({n}).",
    "优胜者相对基准的优势可能是偶然：按变体数（{n}）校正后 p = {p:.3f}。",
)
_HELD_OUT = Words(
    "On the {n} questions of the split `{split}`, which had no part in the choice: base {a:.4f}, winner {b:.4f}, "
    "difference {difference:+.4f}{interval}, p = {p:.3f}. This is the figure to go by.",
    "在未参与选择的 `{split}` 部分的 {n} 个问题上：基准 {a:.4f}，优胜者 {b:.4f}，差值 {difference:+.4f}{interval}，"
    "p = {p:.3f}。应以此为准。",
)
_INTERVAL = Words(" (95%: {low:+.4f} … {high:+.4f})", "（95%：{low:+.4f} … {high:+.4f}）")
_OPTIMISTIC = Words(
    "The winner is the best of {variants} on the same {n} questions, so its figure is optimistic: the best of many is "
    "partly the luckiest. Questions of a split `test`, with `split: train` in this file, would tell what it is worth.",
    "优胜者是在同样的 {n} 个问题上从 {variants} 个中选出的，其数值偏乐观：多中选优，部分是运气。"
    "在问题集中留出 `test` 部分，并在本文件中写 `split: train`，才能知道它的真实水平。",
)
_BROKEN = Words("{name} could not be measured: {why}", "{name} 无法评测：{why}")
_LEFT = Words("{n} variants were not tried: {why}.", "有 {n} 个变体没有尝试：{why}。")
_FAILED = Words(
    "{name}: {n} questions failed; it is compared over the others.",
    "{name}：{n} 个问题出错，只在其余问题上比较。",
)
_SECONDS = Words(
    "Seconds vary from run to run; small differences in time mean nothing.",
    "耗时每次都有波动，微小差别没有意义。",
)


def notes(
    ranking: Ranking, outcome: Outcome, held_out: Paired | None, language: Language = "en"
) -> Iterator[str]:
    """What is to be said, the most important first."""
    winner = ranking.rows[0]
    if winner.name == BASE:
        yield _BASE_STAYS.of(language, metric=ranking.metric)
    elif winner.corrected is not None and winner.corrected >= SURE:
        yield _CHANCE.of(language, p=winner.corrected, n=len(ranking.rows) - 1)
    if held_out is not None:
        interval = ""
        if held_out.low is not None:
            interval = _INTERVAL.of(language, low=held_out.low, high=held_out.high)
        told = {name: getattr(held_out, name) for name in ("n", "a", "b", "difference", "p")}
        yield _HELD_OUT.of(language, split=HELD_OUT, interval=interval, **told)
    elif winner.name != BASE:
        n = winner.against.n if winner.against else winner.summary.questions
        yield _OPTIMISTIC.of(language, variants=len(ranking.rows), n=n)
    for row in ranking.rows:
        if row.summary.failed:
            yield _FAILED.of(language, name=row.name, n=row.summary.failed)
    for variant, why in outcome.broken:
        yield _BROKEN.of(language, name=variant.name, why=why)
    if outcome.left:
        yield _LEFT.of(language, n=len(outcome.left), why=outcome.why_left)
    yield from ranking.base.run.header.notes.get(language, ())
    if ranking.cost == "seconds":
        yield _SECONDS.of(language)
