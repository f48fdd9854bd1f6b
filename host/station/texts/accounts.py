"""The words of the accounts' page: Chinese, English."""

from collections.abc import Mapping

from station.texts.pages import Pair

ACCOUNTS: Mapping[str, Pair] = {
    "nav.accounts": ("账户", "Accounts"),
    "accounts.title": ("单位账户与待写卡充值", "Accounts and loads that wait"),
    "accounts.lead": (
        "账户卡里没有钱：每次加油由车站授权；油机离线时凭借出的份额加油，份额计入已用额度，直到油机自己的记录证明不再使用。",
        "An account's card holds no money: the station authorises each fill. Without the station a pump sells on what "
        "it was lent; that counts against the credit line until the pump's own records show that it is over.",
    ),
    "accounts.accounts": ("账户", "Accounts"),
    "accounts.empty": (
        "还没有账户：pumpside account open 单位名称 --limit 30000",
        "No account yet: pumpside account open NAME --limit 30000",
    ),
    "accounts.number": ("编号", "Number"),
    "accounts.name": ("单位", "Customer"),
    "accounts.state": ("状态", "State"),
    "accounts.active": ("正常", "Active"),
    "accounts.stopped": ("停用", "Stopped"),
    "accounts.limit": ("额度", "Credit line"),
    "accounts.owed": ("欠款", "Owed"),
    "accounts.lent": ("借给油机", "Lent to pumps"),
    "accounts.available": ("可用", "Available"),
    "accounts.leases": ("油机手中的份额", "What pumps were lent"),
    "accounts.leases.empty": ("没有借出的份额。", "Nothing is lent to a pump."),
    "accounts.lease": ("份额", "Lease"),
    "accounts.pump": ("油机", "Pump"),
    "accounts.how": ("用途", "For"),
    "accounts.how.sale": ("本次加油", "The sale in hand"),
    "accounts.how.offline": ("离线加油", "Times without the station"),
    "accounts.amount": ("金额", "Amount"),
    "accounts.used": ("已用", "Used"),
    "accounts.fills": ("笔数", "Fills"),
    "accounts.until": ("到期", "Until"),
    "accounts.loads": ("待写卡的充值", "Loads that wait for their cards"),
    "accounts.loads.lead": (
        "已收款，卡下次在任一油机（联网时）或柜台刷卡即写入：pumpside top-up 卡号 金额",
        "Paid; on the card at its next tap at any pump with the line up, or at the desk: pumpside top-up NUMBER AMOUNT",
    ),
    "accounts.loads.empty": ("没有待写卡的充值。", "No load waits for a card."),
    "accounts.drawer": ("收款", "Paid into"),
    "accounts.paid": ("收款时间", "Paid at"),
    "bench.phone": ("手机充值 {yuan} 元", "Top up {yuan} yuan by phone"),
    "bench.phone.done": ("已付款，下次在油机刷卡时写入", "Paid: on the card at its next tap at a pump"),
}
