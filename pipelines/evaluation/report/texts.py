"""What a report says, in both languages."""

from __future__ import annotations

from pipelines.evaluation.setup import BOTH, EMBEDDED, NOTHING, TRAINED
from pipelines.words import Words

TEXTS = {
    "title": Words("Evaluation of engine {engine}", "引擎 {engine} 的评测"),
    "config": Words("Config", "配置"),
    "engine": Words("Engine", "引擎"),
    "when": Words("When", "时间"),
    "documents": Words("Documents", "文档"),
    "document": Words("Document", "文档"),
    "chunks": Words("{n} in {chunks} chunks", "{n} 个，共 {chunks} 块"),
    "questions": Words("Questions", "问题"),
    "asked": Words("{done} of {count}, from {file}", "{count} 个中的 {done} 个，来自 {file}"),
    "judge": Words("Judge", "评判模型"),
    "no_judge": Words("none", "无"),
    "versions": Words("Versions", "版本"),
    "unfinished": Words(
        "This run has not come to its end: {left} questions were not asked. {why}",
        "本次评测没有完成：还有 {left} 个问题没有提问。{why}",
    ),
    "set": Words("The question set and these documents", "问题集与这些文档"),
    "metrics": Words("Metrics", "指标"),
    "metric": Words("Metric", "指标"),
    "value": Words("Mean", "均值"),
    "interval": Words("95% interval", "95% 区间"),
    "says": Words("What it says", "含义"),
    "count": Words("n", "n"),
    "judge_nonsense": Words(
        "{n} replies of the judge were neither yes nor no; they count as nothing.",
        "评判模型有 {n} 个回复既非是也非否，不计入结果。",
    ),
    "no_metrics": Words("Nothing could be measured yet.", "还没有可以计算的指标。"),
    "refusals": Words("Refusals", "拒答"),
    "refusals_said": Words(
        "A refusal is right where the documents hold no answer.", "文档中没有答案时，拒答是正确的。"
    ),
    "refusals_shares": Words(
        "Precision {precision}: refusals that are right. Recall {recall}: questions without an answer that are "
        "refused. Answerable questions that are refused: {wrong}.",
        "精确率 {precision}：正确的拒答；召回率 {recall}：没有答案而被拒答的问题；可回答却被拒答：{wrong}。",
    ),
    "answerable": Words("Answerable", "可回答"),
    "unanswerable": Words("Not answerable", "不可回答"),
    "answered": Words("answered", "已回答"),
    "refused": Words("refused", "已拒答"),
    "from_model": Words("from the model alone", "仅凭模型回答"),
    "failed": Words("failed", "出错"),
    "ranks": Words("Where the gold was ranked", "标准答案所在的排名"),
    "ranks_said": Words(
        "Documents count once, by their best passage. – : not among the passages that were kept.",
        "每个文档只按其最靠前的段落计一次。– 表示不在保留的段落中。",
    ),
    "gold_document": Words("a gold document", "标准文档"),
    "gold_evidence": Words("the evidence", "证据"),
    "whole": Words("the engine's ranking", "引擎的排名"),
    "rank_counts": Words("rank {rank}: {n}", "第 {rank} 名：{n}"),
    "rank_missing": Words("not found: {n}", "未找到：{n}"),
    "no_gold": Words("No question names a gold document or evidence.", "没有问题给出标准文档或证据。"),
    "scores": Words("Top scores: answerable or not", "最高分：可回答与不可回答"),
    "scores_said": Words(
        "Top score of each question, as shares of each group. Upwards: {yes} answerable questions, median {yes_mid}. "
        "Downwards: {no} not answerable, median {no_mid}.",
        "每个问题的最高分，以各组的占比表示。向上：{yes} 个可回答的问题，中位数 {yes_mid}；"
        "向下：{no} 个不可回答的问题，中位数 {no_mid}。",
    ),
    "auc": Words(
        "An answerable question has the higher top score in {auc} of all pairs (AUC; 50% is chance).",
        "在所有配对中，可回答的问题得分更高的占 {auc}（AUC；50% 相当于随机）。",
    ),
    "threshold": Words(
        "The dashed line is the cutoff, {threshold}: below it a passage is dropped.",
        "虚线是阈值 {threshold}：低于它的段落会被舍弃。",
    ),
    "threshold_evidence": Words(
        "No line is drawn: the engine refuses by signs of an answer ({numbers}), not by the top score.",
        "没有画线：该引擎依据答案的迹象（{numbers}）拒答，而不是依据最高分。",
    ),
    "threshold_rescored": Words(
        "No line is drawn: the cutoff, {threshold}, is on the scale of the step before it, not of these scores.",
        "没有画线：阈值 {threshold} 使用的是它前一步的分数，与此处的分数不同。",
    ),
    "threshold_none": Words(
        "No line is drawn: the engine has no threshold.", "没有画线：该引擎没有设置阈值。"
    ),
    "no_scores": Words("No question has a ranked passage.", "没有问题得到带排名的段落。"),
    "latency": Words("Time", "耗时"),
    "latency_said": Words(
        "Seconds for a question, without the judge. Dashed line: half of the questions are faster ({half} s); "
        "dotted: 95% are ({most} s).",
        "每个问题的秒数，不含评判。虚线：一半的问题更快（{half} 秒）；点线：95% 的问题更快（{most} 秒）。",
    ),
    "stage": Words("Stage, in ms", "阶段（毫秒）"),
    "all_stages": Words("whole question", "整个问题"),
    "mean": Words("mean", "均值"),
    "most": Words("max", "最大"),
    "times": Words("Times", "次数"),
    "usage": Words("Tokens and money", "token 与费用"),
    "model": Words("Model", "模型"),
    "purpose": Words("Purpose", "用途"),
    "calls": Words("Calls", "调用"),
    "tokens_in": Words("Tokens in", "输入 token"),
    "tokens_out": Words("Tokens out", "输出 token"),
    "embedded": Words("Embedding the questions took {n} tokens.", "嵌入问题用了 {n} 个 token。"),
    "no_calls": Words("No language model was called.", "没有调用语言模型。"),
    "money": Words(
        "Together {all}; {each} a question, in the currency of the config's prices.",
        "合计 {all}，每个问题 {each}，单位为配置中价格的货币。",
    ),
    "money_unknown": Words(
        "{n} questions used a model without a price in the config, so the sum is unknown.",
        "{n} 个问题使用了配置中没有价格的模型，因此总费用未知。",
    ),
    "money_none": Words("It cost nothing.", "没有产生费用。"),
    "by_document": Words("Failing questions by document", "各文档的失败问题"),
    "by_document_said": Words(
        "Gold documents of failing questions, with how many of their questions fail.",
        "失败问题的标准文档，以及各文档的问题中失败的个数。",
    ),
    "more_documents": Words("… and {n} more documents.", "……以及另外 {n} 个文档。"),
    "failing": Words("Failing questions: {n} of {all}", "失败的问题：{all} 个中的 {n} 个"),
    "nothing_failing": Words("No question fails.", "没有失败的问题。"),
    "more_failing": Words("… and {n} more.", "……以及另外 {n} 个。"),
    "show": Words("Show", "显示"),
    "all": Words("all", "全部"),
    "find": Words("Find", "查找"),
    "open_all": Words("Unfold all", "全部展开"),
    "close_all": Words("Fold all", "全部折叠"),
    "error": Words("failed with an error", "出错"),
    "refused_wrongly": Words("refused, though answerable", "可回答却拒答"),
    "answered_wrongly": Words("answered, though not answerable", "不可回答却作答"),
    "not_found": Words("gold not found", "未找到标准答案"),
    "not_read": Words("gold found, but not read", "找到标准答案但未采用"),
    "not_said": Words("read, but not answered rightly", "已采用但回答不对"),
    "unsupported": Words("a sentence without support", "有句子缺乏依据"),
    "judged_no": Words("the judge says no", "评判为否"),
    "gold": Words("Gold", "标准答案"),
    "expected_refusal": Words("none: a refusal would be right", "无：应当拒答"),
    "evidence": Words("Evidence", "证据"),
    "evidence_gone": Words(
        "{n} pieces of evidence are no longer in the documents.", "有 {n} 处证据已不在文档中。"
    ),
    "answer": Words("Answer", "回答"),
    "no_answer": Words("nothing", "无"),
    "citations": Words("Citations", "引用"),
    "unsupported_mark": Words("not supported", "缺乏依据"),
    "rewritten": Words("Searched for", "检索时改写为"),
    "judged": Words("Judged", "评判"),
    "grounded": Words("grounded", "有依据"),
    "relevant": Words("relevant", "切题"),
    "yes": Words("yes", "是"),
    "no": Words("no", "否"),
    "neither": Words("neither yes nor no", "非是非否"),
    "passages": Words("Passages", "段落"),
    "no_passages": Words("Nothing was found.", "没有找到段落。"),
    "more_passages": Words(
        "{n} more passages without gold are left out.", "另有 {n} 个不含标准答案的段落未列出。"
    ),
    "is_gold": Words("gold", "标准"),
    "has_evidence": Words("evidence", "证据"),
    "page": Words("page {n}", "第 {n} 页"),
    "score": Words("score {score}", "得分 {score}"),
    "text_not_kept": Words("The text of lower ranks is not kept.", "排名靠后的段落不保留文本。"),
    "comparison": Words("Comparison: {names}", "对比：{names}"),
    "run": Words("Run", "评测"),
    "differing": Words("Config lines that differ", "不同的配置项"),
    "nothing_differs": Words("The configs in effect are the same.", "生效的配置相同。"),
    "against": Words("{other} against {first}", "{other} 与 {first} 相比"),
    "against_said": Words(
        "Paired over the questions that both runs have; the line is the 95% interval of the difference. It counts as "
        "better or worse where p, corrected for the number of metrics (Holm), is below 0.05.",
        "对两次评测都有的问题配对比较；横线是差值的 95% 区间。p 按指标个数校正（Holm）后小于 0.05 时，才算更好或更差。",
    ),
    "difference": Words("Difference", "差值"),
    "forest": Words("← lower · 0 · higher →", "← 更低 · 0 · 更高 →"),
    "verdict": Words("Verdict", "结论"),
    "better": Words("better", "更好"),
    "worse": Words("worse", "更差"),
    "chance": Words("may be chance", "可能是偶然"),
    "same": Words("the same", "相同"),
    "wins": Words("Higher / lower", "升 / 降"),
    "spent": Words("Time, tokens and money", "耗时、token 与费用"),
    "seconds_half": Words("Seconds, p50", "秒，p50"),
    "seconds_most": Words("Seconds, p95", "秒，p95"),
    "tokens": Words("Tokens", "token"),
    "judge_tokens": Words("Tokens of the judge", "评判的 token"),
    "spent_money": Words("Money", "费用"),
    "money_each": Words("Money for a question", "每个问题的费用"),
    "set_up": Words("What it takes to set up", "搭建开销"),
    "set_up_said": Words(
        "Tokens are those embedded and trained on; time is that of the ingestions and trainings themselves. One "
        "document more: embedding it, or, without documents, training anew. –: not measured, or no price is given.",
        "token 为嵌入与训练所用的；时间为摄取与训练本身所用的。新增一个文档：嵌入该文档；没有文档的，则需重新训练。"
        "–：没有测得，或配置中没有价格。",
    ),
    "set_up_way": Words("Set up by", "搭建方式"),
    "set_up_tokens": Words("Tokens to set up", "搭建 token"),
    "set_up_money": Words("Money to set up", "搭建费用"),
    "set_up_seconds": Words("Seconds to set up", "搭建秒数"),
    "set_up_update": Words("Seconds for one document more", "新增一个文档的秒数"),
    "stages_said": Words("Stages: p50 / p95 in milliseconds.", "各阶段：p50 / p95，毫秒。"),
    "flipped": Words(
        "Questions that flipped: {better} for the better, {worse} for the worse",
        "结果改变的问题：{better} 个变好，{worse} 个变差",
    ),
    "nothing_flipped": Words("No question flipped.", "没有结果改变的问题。"),
    "effective": Words("The config in effect", "生效的配置"),
    "fingerprints": Words("Fingerprints", "指纹"),
    "key": Words("Key", "键"),
    "setting": Words("Value", "值"),
    "sweep": Words("Sweep of {name}", "参数搜索：{name}"),
    "quality_cost": Words("Quality against cost", "质量与开销"),
    "quality_cost_said": Words(
        "Upwards {metric}, to the right {cost}. Each point is a variant, by its number in the table. On the line: no "
        "other is as good and cheaper.",
        "纵轴为 {metric}，横轴为{cost}。每个点是一个变体，数字为表中序号。线上的点：没有其他变体同样好而更省。",
    ),
    "cost_money": Words("money for a question", "每个问题的费用"),
    "cost_tokens": Words("tokens for a question", "每个问题的 token"),
    "cost_seconds": Words("seconds for a question (median)", "每个问题的秒数（中位数）"),
    "ranked": Words("Ranked by {metric}", "按 {metric} 排名"),
    "ranked_said": Words(
        "Difference: from the base, over the questions that both have, with its 95% interval; p is corrected for the "
        "number of variants (Holm). ◆: no other is as good and cheaper.",
        "差值：与基准在双方都有的问题上相比，及其 95% 区间；p 按变体个数校正（Holm）。◆：没有其他变体同样好而更省。",
    ),
    "variant": Words("Variant", "变体"),
    "refused_share": Words("Refused", "拒答"),
    "seconds": Words("Seconds p50 / p95", "秒 p50 / p95"),
    "tokens_each": Words("Tokens a question", "每个问题的 token"),
    "tokens_built": Words("Tokens of the index", "索引的 token"),
}

FAMILIES = {
    "retrieval": Words("Retrieval", "检索"),
    "answers": Words("Answers", "回答"),
    "refusals": Words("Refusals", "拒答"),
    "citations": Words("Citations", "引用"),
    "judge": Words("Judge", "评判"),
    "cost": Words("Cost", "开销"),
}
WAYS_ZH = {
    EMBEDDED: "嵌入文档",
    TRAINED: "训练模型",
    BOTH: "嵌入文档，训练模型",
    NOTHING: "无",
}
"""How a config was set up, in Chinese; in English a set-up says so itself."""
METRICS_ZH = {
    **{f"hit@{k}": f"前 {k} 名中有标准文档" for k in (1, 5, 10)},
    **{f"recall@{k}": f"所需文档出现在前 {k} 名中的占比" for k in (1, 5, 10)},
    "mrr@10": "第一个标准文档排名的倒数，第 10 名之后为 0",
    "ndcg@10": "标准文档有多靠前，全部排在最前为 1",
    "span_hit@5": "前 5 个段落之一含有证据",
    "span_recall@5": "前 5 个段落所含证据的占比",
    "span_mrr@10": "第一个含有证据的段落排名的倒数，第 10 名之后为 0",
    "found@5": "前 5 个段落之一中有标准答案",
    "exact_match": "回答就是标准答案（按 SQuAD 与 CMRC 的方式比较）",
    "f1": "与标准答案共有的词（英文）或字（中文），按 SQuAD 与 CMRC",
    "contains": "回答中含有标准答案",
    "rouge_l": "与标准答案的最长公共子序列，F 值",
    "refused_wrongly": "拒答了可回答的问题",
    "refused_rightly": "拒答了文档中没有答案的问题",
    "supported": "有所主张的句子中，引用能支持其内容的占比",
    "cites_gold": "引用中来自标准文档的占比",
    "cites_evidence": "有引用触及证据",
    "grounded": "评判模型认为回答有所依据的段落支持",
    "relevant": "评判模型认为回答切合问题",
    "seconds": "得到完整回答的时间（秒）",
    "tokens": "模型输入与输出的 token 数，不含评判",
    "money": "按配置中价格的货币计算",
}
"""What each metric says, in Chinese; in English it says so itself."""


def said(key: str, language: str, **values: object) -> str:
    """A text of a report in its language; raises KeyError for one that is not there."""
    return TEXTS[key].of(language, **values)
