"""The words of books and risk. Chinese, English."""

from collections.abc import Mapping

Pair = tuple[str, str]

ACCOUNT_CLASSES: Mapping[str, Pair] = {
    "asset": ("资产", "assets"),
    "liability": ("负债", "liabilities"),
    "income": ("收入", "income"),
    "expense": ("费用", "expense"),
    "stock": ("库存", "stock"),
}

ACCOUNT_KINDS: Mapping[str, Pair] = {
    "cash": ("现金", "cash drawers"),
    "gateway": ("银行与网关", "banks and gateways"),
    "receivable": ("应收账户", "receivables"),
    "due_from": ("应收他站", "due from stations"),
    "held": ("站存卡款", "held by stations"),
    "purse": ("卡内余额", "card purses"),
    "inflight": ("在途预扣", "in flight"),
    "pending": ("待写卡充值", "pending loads"),
    "capital": ("业主投入", "put in by the owner"),
    "returns": ("销售退款", "given back"),
    "paid": ("网关已收待用", "paid, not placed yet"),
    "bill": ("账单预收", "paid for bills"),
    "due_to": ("应付他站与伙伴", "due to others"),
    "points": ("积分负债", "points liability"),
    "pool": ("车队预存", "fleet pools"),
    "sales": ("售油收入", "fuel sales"),
    "goods": ("便利店收入", "shop sales"),
    "breakage": ("过期积分", "points expired"),
    "over_short": ("长短款", "over and short"),
    "rebate": ("返利", "rebates"),
    "bonus": ("充值赠送", "bonus on loads"),
    "incentive": ("办卡奖励", "incentives"),
    "owed_staff": ("应付员工奖励", "owed to staff"),
    "tank": ("油罐", "tanks"),
    "sold": ("已售油", "fuel sold"),
    "delivery": ("进油", "deliveries"),
    "tested": ("检定回罐", "tests returned"),
    "alarmed": ("报警出油", "fuel alarmed"),
    "shop": ("便利店库存", "shop stock"),
    "shop_received": ("便利店进货", "shop goods received"),
    "shop_sold": ("便利店已售", "shop goods sold"),
    "shop_counted": ("便利店盘亏", "shop goods missing"),
}

RISK_RULES: Mapping[str, Pair] = {
    "burst_count": ("短时多次加油", "many fills in an hour"),
    "day_amount": ("当日大额", "large amount in a day"),
    "tank": ("超过油箱容积", "more than the tank holds"),
    "two_pumps": ("两机同时用卡", "two pumps at once"),
    "travel": ("异地瞬移", "impossible travel"),
    "off_hours": ("非工作时段", "off hours"),
    "odometer_back": ("里程倒退", "odometer went back"),
    "pin_guesses": ("多次输错密码", "PIN guessed"),
    "refunds_by_staff": ("退款频繁", "many refunds by one person"),
    "load_then_refund": ("充值即退", "load and refund at once"),
}

RISK_STATES: Mapping[str, Pair] = {
    "told": ("提示", "told"),
    "open": ("待审核", "waits for review"),
    "cleared": ("已排除", "cleared"),
    "confirmed": ("已认定", "confirmed"),
}
