"""Questions about this and that, for an index whose documents say nothing of it."""

from __future__ import annotations

ENGLISH = """
How do I reset the password of the guest wireless network?
When does the swimming pool open on public holidays?
How many paid sick days does a part-time cleaner get?
What is the baggage allowance on the night ferry to Gotland?
Which vaccine is recommended before a trip to Bolivia?
How often must the brake fluid of a forklift be changed?
Who won the regional chess championship for juniors last spring?
What does it cost to rent the village hall for a wedding?
How long may cooked rice be kept in the refrigerator?
What is the maximum load of the freight elevator in warehouse C?
Which documents are needed to adopt a dog from the shelter?
At what temperature should sourdough bread be baked?
How do I claim the warranty of a scratched coffee machine?
What is the speed limit for mopeds on cycle paths?
How many spectators fit into the municipal ice rink?
Where can I have a cracked violin bow repaired?
When are the hedges in the rose garden trimmed?
Which medicine must not be taken together with grapefruit juice?
How is the deposit for a rented canoe paid back?
What is the deadline for applying to the marathon lottery?
How much salt does the water softener use per month?
Who is in charge of the lost property office at the railway station?
What colour are the tickets for the afternoon puppet show?
How do I descale the steam iron?
Which bus goes from the harbour to the botanical garden?
How many eggs does a barn owl lay in a year?
What is the dress code for the annual staff dinner?
How do I report a broken street lamp in my road?
What are the opening hours of the recycling yard in December?
Which size of skates should a child of six wear?
How long does it take to learn to play the bagpipes?
What is the fine for feeding pigeons in the market square?
Who painted the ceiling of the town theatre's foyer?
How much does a season ticket for the sauna cost?
How do I cancel a subscription to the gardening magazine?
What is the boiling point of maple syrup?
Which insurance covers hail damage to greenhouses?
How many parking spaces for bicycles does the library have?
What should I do when the smoke detector beeps every minute?
When was the lighthouse on the northern pier electrified?
""".strip().splitlines()

CHINESE = """
访客无线网络的密码怎么重置？
游泳馆在节假日几点开门？
钟点工每年有几天带薪病假？
乘坐夜班渡轮可以免费携带多少行李？
去玻利维亚旅行之前建议接种什么疫苗？
叉车的刹车油多久更换一次？
去年春天的少年围棋赛是谁夺冠的？
租用村礼堂办婚宴要多少钱？
煮熟的米饭在冰箱里可以放几天？
三号仓库货梯的最大载重是多少？
从收容所领养小狗需要准备哪些材料？
烤戚风蛋糕的温度应该设为多少度？
咖啡机外壳有划痕还能保修吗？
电动自行车在非机动车道的限速是多少？
市溜冰场能容纳多少名观众？
小提琴的琴弓断了去哪里修？
玫瑰园的绿篱什么时候修剪？
哪些药不能和葡萄柚汁一起服用？
皮划艇的租赁押金怎么退还？
马拉松抽签报名的截止日期是哪天？
软水机每个月要用多少盐？
火车站的失物招领处由谁负责？
下午场木偶戏的门票是什么颜色的？
蒸汽熨斗怎么除水垢？
从码头到植物园坐哪路公交车？
仓鸮一年产几枚蛋？
公司年会晚宴对着装有什么要求？
门口的路灯坏了向哪里报修？
废品回收站十二月的开放时间是什么？
六岁的孩子应该穿多大码的冰鞋？
学会吹唢呐一般要多长时间？
在广场上喂鸽子会被罚多少钱？
大剧院门厅的壁画是谁画的？
桑拿房的季票多少钱一张？
怎样退订园艺杂志？
熬麦芽糖要煮到多少度？
大棚被冰雹砸坏由哪种保险赔付？
图书馆有多少个自行车停车位？
烟雾报警器每分钟响一声该怎么办？
北防波堤上的灯塔是哪一年通电的？
""".strip().splitlines()
