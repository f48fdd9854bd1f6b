"""Names of journal records and of what can be wrong with them: (Chinese, English)."""

from pump.core import records
from station.sales import journal_file

KINDS = {
    records.BOOT: ("启动", "start of the board"),
    records.START: ("交易开始", "sale begun"),
    records.RESERVED: ("已预扣", "money reserved"),
    records.END: ("交易结束", "sale ended"),
    records.SETTLED: ("已结算", "settled"),
    records.VOID: ("作废", "void"),
    records.REFUSAL: ("拒绝", "refusal"),
    records.TEST_MEASURE: ("检定回罐", "test measure"),
    records.SHIFT: ("班次", "shift"),
    records.PRICE: ("油价", "price"),
    records.LIST: ("名单", "list"),
    records.SETTING: ("设置", "setting"),
    records.ALARM: ("报警", "alarm"),
    records.UPDATE: ("升级", "update"),
    records.TAMPER: ("开启外壳", "tamper"),
    records.CALIBRATION: ("系数调整", "calibration"),
    records.LEASE: ("离线额度", "lease"),
}

FAULTS = {
    journal_file.ALTERED: ("内容已改动或损坏", "altered or damaged"),
    journal_file.MISSING: ("缺失", "missing"),
    journal_file.FORGED: ("校验链断裂：内容被改写", "the chain breaks here: rewritten"),
    journal_file.FOREIGN: ("属于另一台设备", "of another device"),
    journal_file.DISORDER: ("序号重复或次序颠倒", "number repeated or out of order"),
    journal_file.DIFFERS: ("与本站留存的记录不同", "not what the station has under this number"),
    journal_file.CUT_SHORT: ("文件在记录中间结束", "the file ends within a record"),
}


def kind(number: int | None) -> str:
    """A record's kind in both languages; ? where it is not known."""
    return " ".join(KINDS.get(number or 0, ("?", "?" if number is None else f"kind {number}")))
