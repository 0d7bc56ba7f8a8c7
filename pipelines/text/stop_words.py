"""Words that say nothing about what a question is after: a match on them alone is no match."""

from __future__ import annotations

PARTICLES = frozenset("的了吗呢吧啊呀么嘛是在和与及或也都就还又被把这那其之谁哪有没几个些着过得能叫请")
"""Chinese characters that form no pair with a neighbour outside the dictionary."""

_CHINESE = """
的 了 是 在 和 与 及 或 吗 呢 吧 啊 呀 么 嘛 这 那 其 之 于 为 以 而 但 也 都 就 还 又 被 把 从 到 对 由 让 给 向
有 没 不 哪 谁 几 多 少 何 个 些 地 得 着 过 并 且 则 上 下 中 里 叫 能 请 我 你 他 她 它
什么 哪个 哪些 哪里 哪儿 哪位 哪年 哪一 哪种 多少 怎么 怎样 怎么样 如何 为什么 为何 是否 是不是 有没有 没有 可以 能否
请问 告诉 我们 你们 他们 她们 它们 的话 以及 或者 还是 什么样 多久 多大 多长 多远 多高 几个 几天 几年 几次 第几
发生 一个 这个 那个 这些 那些 这里 那里 时候 是什么 有哪些 可不可以 能不能 应该 需要
"""

_ENGLISH = """
a about above after again all also am an and any are as at be been before being below between both but by can could
did do does doing done don't during each either every few for from further had has have having he her here hers him
his how i i'm if in into is it its itself just me more most much my no nor not of off on once only or other our ours
out over own please same shall she should so some such than that the their theirs them then there these they this
those through to too under until up upon us was we were what what's when where which while who who's whom whose why
will with within without would yes you your yours s t d ll re ve don doesn didn isn wasn aren weren
happen happens happened happening
"""

STOP_WORDS = frozenset(_CHINESE.split()) | frozenset(_ENGLISH.split())
