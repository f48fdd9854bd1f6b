"""Every text that a person reads in the station's pages and tools, Chinese first, English beside it.

One place, so that a new code cannot appear on a page without its words: tests compare these tables with
`pump.core.codes` and with the keys that the pages ask for. A code without words reads "代码 17", never blank.
"""

from collections.abc import Mapping

from pump.core import codes, records
from station.texts.accounts import ACCOUNTS
from station.texts.books import ACCOUNT_CLASSES, ACCOUNT_KINDS, RISK_RULES, RISK_STATES
from station.texts.desk import CARD_EVENTS, CARD_KINDS, DESK
from station.texts.fleets import FLEETS
from station.texts.issued import ISSUED
from station.texts.login import LOGIN
from station.texts.meter import METER
from station.texts.network import NETWORK
from station.texts.pages import PAGES as _PAGES
from station.texts.pages import Pair
from station.texts.payments import PAYMENTS
from station.texts.shifts import SHIFTS
from station.texts.supervision import PARAMETER_NAMES, RISK_ACTIONS, RISK_METRICS, RISK_UNITS, SUPERVISION
from station.texts.tills import TILLS

PAGES: Mapping[str, Pair] = {
    **_PAGES,
    **TILLS,
    **METER,
    **SHIFTS,
    **ACCOUNTS,
    **ISSUED,
    **LOGIN,
    **SUPERVISION,
    **NETWORK,
    **FLEETS,
    **PAYMENTS,
    **DESK,
}

__all__ = [
    "EN", "LANGUAGES", "PAGES", "ZH", "Pair", "account_class", "account_kind", "alarm", "card_event", "card_kind",
    "card_state", "grade", "language_of", "of", "parameter", "preset", "quarantine_reason", "refusal", "reset_cause",
    "risk_action",
    "risk_metric", "risk_rule", "risk_state", "risk_unit", "sale_state", "shadow_state", "state",
    "stop_reason", "tank_state", "text", "time_quality",
]  # fmt: skip

ZH, EN = "zh", "en"
LANGUAGES = (ZH, EN)

STOP_REASONS: Mapping[int, Pair] = {
    codes.STOP_NOZZLE: ("挂枪", "nozzle hung up"),
    codes.STOP_PRESET: ("到定额", "preset reached"),
    codes.STOP_CARD_LIMIT: ("卡余额到限", "card balance reached"),
    codes.STOP_NO_FLOW: ("长时间无流量", "no flow"),
    codes.STOP_REMOTE: ("远程停止", "stopped remotely"),
    codes.STOP_MAXIMUM: ("到单次上限", "maximum reached"),
    codes.STOP_PULSER: ("脉冲故障", "pulser fault"),
    codes.STOP_OVERFLOW: ("超量", "over-flow"),
    codes.STOP_EMERGENCY: ("急停", "emergency stop"),
    codes.STOP_POWER: ("掉电", "power lost"),
    codes.STOP_TANK_LOW: ("罐液位低", "tank low"),
    codes.STOP_CARD_VOLUME: ("卡升数到限", "card volume limit"),
    codes.STOP_OVERRUN_LOCK: ("过冲锁定", "overrun lock"),
    codes.STOP_CARD_PULLED: ("卡被拔出", "card pulled"),
    codes.STOP_UNCERTAIN: ("预扣未确认", "reservation uncertain"),
    codes.STOP_CANCELLED: ("未加油取消", "cancelled before flow"),
    codes.STOP_TIME: ("加油超时", "longest time reached"),
    codes.STOP_TEST: ("检定回罐", "test measure"),
}

REFUSALS: Mapping[int, Pair] = {
    codes.REFUSE_WRONG_ISSUER: ("非本发卡方", "wrong issuer"),
    codes.REFUSE_WRONG_KEY: ("密钥不符", "wrong key"),
    codes.REFUSE_EXPIRED: ("卡已过期", "card expired"),
    codes.REFUSE_BLACKLISTED: ("卡已挂失", "card blocked"),
    codes.REFUSE_UNFINISHED: ("有未完成交易", "unfinished sale on card"),
    codes.REFUSE_GRADE: ("油品不符", "grade not allowed"),
    codes.REFUSE_BALANCE: ("余额不足", "balance too low"),
    codes.REFUSE_UNREADABLE: ("读不出卡", "card unreadable"),
    codes.REFUSE_DAMAGED: ("卡内容损坏", "card content damaged"),
    codes.REFUSE_LOCKED: ("油机已锁定", "pump locked"),
    codes.REFUSE_JOURNAL_FULL: ("流水已满", "journal full"),
    codes.REFUSE_NO_PRICE: ("无单价", "no price"),
    codes.REFUSE_NOT_A_PURSE: ("非储值卡", "not a purse card"),
    codes.REFUSE_STATION: ("本站不可用", "not valid at this station"),
    codes.REFUSE_OTHER_CARD: ("请用原卡结算", "another card's sale is open"),
    codes.REFUSE_LIMIT: ("超出卡限制", "card limit exceeded"),
    codes.REFUSE_PIN: ("密码错误", "wrong PIN"),
    codes.REFUSE_PIN_BLOCKED: ("密码已锁", "PIN blocked"),
    codes.REFUSE_HOURS: ("此时段不可加油", "not at this hour"),
    codes.REFUSE_DAY_MONEY: ("当日金额已满", "money of the day used up"),
    codes.REFUSE_DAY_FILLS: ("当日次数已满", "fills of the day used up"),
    codes.REFUSE_PAIR: ("人车不符", "driver and vehicle do not match"),
    codes.REFUSE_ODOMETER: ("里程不合理", "odometer not plausible"),
    codes.REFUSE_LIST_OLD: ("名单过期", "lists too old"),
    codes.REFUSE_ACCOUNT: ("账户拒绝", "declined by the account"),
    codes.REFUSE_OFFLINE: ("脱机额度不足", "offline allowance used up"),
    codes.REFUSE_SEAL: ("请先启封", "open the seal first"),
    codes.REFUSE_ROLE: ("此卡无此权限", "card may not do this"),
    codes.REFUSE_NO_DUTY: ("无人上班", "nobody on duty"),
    codes.REFUSE_CLOCK: ("时钟未校准", "clock not set"),
}

ALARMS: Mapping[int, Pair] = {
    codes.ALARM_PULSER: ("脉冲器故障", "pulser fault"),
    codes.ALARM_LEAK: ("无授权出油", "fuel without authorisation"),
    codes.ALARM_READER: ("读卡器故障", "card reader fault"),
    codes.ALARM_DISPLAY: ("显示屏故障", "display fault"),
    codes.ALARM_JOURNAL: ("流水将满", "journal nearly full"),
    codes.ALARM_EMERGENCY: ("急停按下", "emergency stop pressed"),
    codes.ALARM_TAMPER: ("机壳被打开", "housing opened"),
    codes.ALARM_CLOCK: ("时钟未校准", "clock not set"),
    codes.ALARM_NOZZLE_OFF: ("油枪未挂回", "nozzle left off"),
    codes.ALARM_OVERRUN: ("停油过冲", "overrun"),
    codes.ALARM_EXCEPTION: ("程序异常", "software fault"),
    codes.ALARM_SUPPLY: ("供电异常", "supply fault"),
    codes.ALARM_CREEP: ("关阀渗流", "creep past shut valves"),
    codes.ALARM_METER_LOCK: ("计量自锁", "meter locked itself"),
    codes.ALARM_OVERFLOW: ("流量过大", "flow above the meter's range"),
    codes.ALARM_UPDATE: ("升级失败已回退", "update failed, rolled back"),
    codes.ALARM_LIST_OLD: ("名单过期", "lists too old"),
    codes.ALARM_MEMORY: ("内存不足", "memory short"),
    codes.ALARM_PREFLOW: ("开阀前有流量", "flow before the valves opened"),
}

GRADES: Mapping[int, Pair] = {
    codes.GRADE_92: ("92#", "92#"),
    codes.GRADE_95: ("95#", "95#"),
    codes.GRADE_98: ("98#", "98#"),
    codes.GRADE_DIESEL: ("0#柴油", "0# diesel"),
}

PRESETS: Mapping[int, Pair] = {
    codes.PRESET_NONE: ("未预置", "no preset"),
    codes.PRESET_MONEY: ("定额", "money preset"),
    codes.PRESET_VOLUME: ("定量", "volume preset"),
    codes.PRESET_FULL: ("加满", "full tank"),
}

RESET_CAUSES: Mapping[int, Pair] = {
    codes.CAUSE_POWER: ("上电", "power on"),
    codes.CAUSE_HARD: ("硬复位", "hard reset"),
    codes.CAUSE_WATCHDOG: ("看门狗复位", "watchdog reset"),
    codes.CAUSE_DEEPSLEEP: ("休眠唤醒", "deep-sleep wake"),
    codes.CAUSE_SOFT: ("软复位", "soft reset"),
}

TIME_QUALITIES: Mapping[int, Pair] = {
    records.TIME_UNKNOWN: ("时间不可靠", "time unknown"),
    records.TIME_ESTIMATED: ("时间为估计", "time estimated"),
    records.TIME_SYNCED: ("时间已校准", "time synchronised"),
}

# Phases of a delivery as the pumps report them (`live.s`, `state.state`) and what the station adds itself.
STATES: Mapping[str, Pair] = {
    "boot": ("启动中", "starting up"),
    "idle": ("空闲", "idle"),
    "card": ("读卡中", "reading card"),
    "authorised": ("已授权", "authorised"),
    "nozzle": ("已提枪", "nozzle lifted"),
    "starting": ("启动加油", "starting"),
    "fuelling": ("加油中", "fuelling"),
    "slow": ("慢速加油", "slow flow"),
    "stopping": ("停油中", "stopping"),
    "settling": ("结算中", "settling"),
    "locked": ("已锁定", "locked"),
    "offline": ("离线", "offline"),
    "unknown": ("未知", "unknown"),
}

# What became of a sale (station.sales.SaleRow.state).
SALE_STATES: Mapping[str, Pair] = {
    "started": ("预扣待确认", "reservation unconfirmed"),
    "open": ("进行中", "running"),
    "ended": ("待结算", "waits for settlement"),
    "settled": ("已结算", "settled"),
    "void": ("未发生", "nothing happened"),
}

# Why something lies in quarantine (station.sales.reasons).
QUARANTINE: Mapping[str, Pair] = {
    "damaged": ("记录损坏", "damaged record"),
    "bad_mac": ("校验码不符", "wrong authentication code"),
    "unknown_pump": ("未登记的油机", "unknown pump"),
    "wrong_device": ("设备号不符", "another device's record"),
    "unknown_kind": ("未知记录类型", "unknown kind of record"),
    "unknown_card": ("未知卡号", "unknown card"),
    "unknown_grade": ("未知油品", "unknown grade"),
    "impossible": ("金额自相矛盾", "impossible amounts"),
    "contradiction": ("与别的记录矛盾", "contradicts another record"),
    "counter_twice": ("卡计数重复", "card counter seen twice"),
    "too_far_ahead": ("序号超前过多", "sequence too far ahead"),
    "malformed": ("报文格式错误", "malformed message"),
    "bad_settlement": ("无对应交易的结算", "settlement without a sale"),
}

TANK_STATES: Mapping[str, Pair] = {
    "ok": ("正常", "normal"),
    "low": ("偏低", "low"),
    "empty": ("已空", "empty"),
    "unexplained": ("账实不符", "book stock impossible"),
}

CARD_STATES: Mapping[str, Pair] = {
    "issuing": ("制卡未完成", "being issued"),
    "active": ("正常", "active"),
    "blocked": ("已停用", "blocked"),
    "void": ("已作废", "void"),
    "replaced": ("已补办", "replaced"),
    "closed": ("已销户", "closed"),
}

# How a card's last sighting and the books agree (station.sales.Shadow.state).
SHADOW_STATES: Mapping[str, Pair] = {
    "agrees": ("一致", "agrees"),
    "waiting": ("等待记录", "waits for records"),
    "differs": ("不符", "differs"),
    "guest": ("外站卡", "another station's card"),
}


def language_of(cookies: Mapping[str, str]) -> str:
    """A viewer's language; Chinese unless English was chosen."""
    return EN if cookies.get("ps_lang") == EN else ZH


def of(lang: str, pair: Pair) -> str:
    """The Chinese or the English half of a pair; anything but "en" reads Chinese."""
    return pair[1] if lang == EN else pair[0]


def _coded(table: Mapping[int, Pair], code: int | None, lang: str) -> str:
    if code is None:
        return "—"
    return of(lang, table.get(code, (f"代码 {code}", f"code {code}")))


def stop_reason(code: int | None, lang: str = ZH) -> str:
    """Why a sale ended (END.reason), in words."""
    return _coded(STOP_REASONS, code, lang)


def refusal(code: int | None, lang: str = ZH) -> str:
    """Why a card was refused (REFUSAL.code), in words."""
    return _coded(REFUSALS, code, lang)


def alarm(code: int | None, lang: str = ZH) -> str:
    """An alarm (ALARM.code), in words."""
    return _coded(ALARMS, code, lang)


def grade(code: int | None, lang: str = ZH) -> str:
    """A grade's name as it stands on the nozzle."""
    return _coded(GRADES, code, lang)


def preset(code: int | None, lang: str = ZH) -> str:
    """What a customer had chosen: full tank, money or volume."""
    return _coded(PRESETS, code, lang)


def reset_cause(code: int | None, lang: str = ZH) -> str:
    """Why a board started (BOOT.cause), in words."""
    return _coded(RESET_CAUSES, code, lang)


def time_quality(code: int | None, lang: str = ZH) -> str:
    """How far a record's wall time can be trusted."""
    return _coded(TIME_QUALITIES, code, lang)


def state(name: str, lang: str = ZH) -> str:
    """A pump's state in words; a name that newer firmware may send is shown as it came."""
    return of(lang, STATES.get(name, (name, name)))


def sale_state(name: str, lang: str = ZH) -> str:
    """What became of a sale, in words."""
    return of(lang, SALE_STATES.get(name, (name, name)))


def quarantine_reason(name: str, lang: str = ZH) -> str:
    """Why something was put aside, in words."""
    return of(lang, QUARANTINE.get(name, (name, name)))


def card_state(name: str, lang: str = ZH) -> str:
    """How a card stands at the station, in words."""
    return of(lang, CARD_STATES.get(name, (name, name)))


def card_event(name: str, lang: str = ZH) -> str:
    """What was done with a card, in words; an event that has none by its own name."""
    return of(lang, CARD_EVENTS.get(name, (name, name)))


def card_kind(kind: int, lang: str = ZH) -> str:
    """A kind of card (card_layout.KIND_*), in words."""
    return _coded(CARD_KINDS, kind, lang)


def shadow_state(name: str, lang: str = ZH) -> str:
    """How the card and the books agree, in words."""
    return of(lang, SHADOW_STATES.get(name, (name, name)))


def tank_state(name: str, lang: str = ZH) -> str:
    """How a tank stands by the books, in words."""
    return of(lang, TANK_STATES.get(name, (name, name)))


def account_class(name: str, lang: str = ZH) -> str:
    """A class of accounts, in words."""
    return of(lang, ACCOUNT_CLASSES.get(name, (name, name)))


def account_kind(name: str, lang: str = ZH) -> str:
    """A kind of account, in words."""
    return of(lang, ACCOUNT_KINDS.get(name, (name, name)))


def risk_rule(name: str, lang: str = ZH) -> str:
    """A risk rule, in words; one that a station made itself by its own name."""
    return of(lang, RISK_RULES.get(name, (name, name)))


def risk_state(name: str, lang: str = ZH) -> str:
    """What became of a finding, in words."""
    return of(lang, RISK_STATES.get(name, (name, name)))


def risk_metric(name: str, lang: str = ZH) -> str:
    """What a rule measures, in words."""
    return of(lang, RISK_METRICS.get(name, (name, name)))


def risk_unit(name: str, lang: str = ZH) -> str:
    """What a rule's figure counts in."""
    return of(lang, RISK_UNITS.get(name, ("", "")))


def risk_action(name: str, lang: str = ZH) -> str:
    """What follows from a finding, in words."""
    return of(lang, RISK_ACTIONS.get(name, (name, name)))


def parameter(name: str, lang: str = ZH) -> str:
    """A parameter of the station, in words."""
    return of(lang, PARAMETER_NAMES.get(name, (name, name)))


def text(key: str, lang: str = ZH, /, **values: object) -> str:
    """A text of the pages with its values filled in. KeyError for a key that does not exist: tests find those."""
    return of(lang, PAGES[key]).format(**values)
