"""docs/codes.md, made from the tables that the pump and the station use: `python -m tools.codes > docs/codes.md`.

A test holds the page to the tables, so that a new code cannot be shown without being explained.
"""

import sys
from collections.abc import Mapping

from pump import beeps, screens
from pump import texts as shown
from pump.core import codes, view
from station import texts

# What a person does about it; beside the meaning, which comes from the station's own texts.
LOCK_HELP = {
    1: ("松开急停按钮（先查明原因）", "release the emergency stop, once the cause is found"),
    2: ("关好机壳；站长查看现场页", "close the housing; the manager looks at the forecourt page"),
    3: ("检查 24 V 供电", "check the 24 V supply"),
    4: ("现场页或站长卡解锁", "unlock at the forecourt page or with the manager's card"),
    5: ("检查脉冲器与接线，再由站长解锁", "check pulser and wires, then the manager unlocks"),
    6: ("检查小阀关闭，再由站长解锁", "check that the small valve closes, then the manager unlocks"),
    7: ("启封后用维修卡检定", "open the seal and check the meter with the service card"),
}
ALARM_HELP = {
    codes.ALARM_PULSER: ("检查脉冲器与接线", "check the pulser and its wires"),
    codes.ALARM_LEAK: ("立即检查阀门与软管", "look at valves and hose at once"),
    codes.ALARM_READER: ("检查读卡器电源与串口线", "check the reader's power and serial line"),
    codes.ALARM_DISPLAY: ("检查显示屏插头；不影响加油", "check the display's plug; sales go on"),
    codes.ALARM_JOURNAL: ("恢复网络，让流水上传", "bring the network back so that records go up"),
    codes.ALARM_EMERGENCY: ("查明原因后松开", "release it once the cause is found"),
    codes.ALARM_TAMPER: ("关好机壳，查看是谁打开", "close the housing, find out who opened it"),
    codes.ALARM_CLOCK: ("恢复网络，时钟自动校准", "bring the network back: the clock sets itself"),
    codes.ALARM_NOZZLE_OFF: ("挂好油枪", "hang the nozzle up"),
    codes.ALARM_OVERRUN: ("检查小阀；三次后锁定", "check the small valve; three lock the pump"),
    codes.ALARM_EXCEPTION: ("自动重启；反复出现时报修", "restarts by itself; report it if it comes back"),
    codes.ALARM_SUPPLY: ("检查 24 V 供电", "check the 24 V supply"),
    codes.ALARM_CREEP: ("检查阀门是否关严", "check that the valves close tightly"),
    codes.ALARM_METER_LOCK: ("启封检定后由维修卡解锁", "check the meter with the seal open; the service card unlocks"),
    codes.ALARM_OVERFLOW: ("检查流量计与脉冲当量", "check the meter and its pulses per litre"),
    codes.ALARM_UPDATE: ("油机已回到旧版本并照常加油", "the pump went back to the old version and sells on"),
    codes.ALARM_LIST_OLD: ("恢复网络，更新名单", "bring the network back so that lists are renewed"),
    codes.ALARM_MEMORY: ("自动重启；反复出现时报修", "restarts by itself; report it if it comes back"),
    codes.ALARM_PREFLOW: ("检查阀门：开阀前已有流量", "check the valves: fuel flowed before they opened"),
}
BEEPS = (
    (view.BEEP_KEY, "按键有效", "a key was taken"),
    (view.BEEP_OK, "已授权、已结算、操作成功", "authorised, settled, done"),
    (
        view.BEEP_REFUSED,
        "卡被拒绝，随后按代码鸣叫：长音为十位，短音为个位",
        "card refused; its code follows: long tens, short ones",
    ),
    (view.BEEP_ALARM, "报警", "alarm"),
)


def tune(code: int, refusal: int = 0) -> str:
    """The beats of 50 ms: ▇ sounds, · is silent."""
    return "".join("▇" if bit == "1" else "·" for bit in f"{beeps.pattern(code, refusal):b}"[::-1])


def _pair(table: bytes, code: int) -> tuple[str, str]:
    zh, en = (shown.pick(table, code, lang).decode("gb2312") for lang in (screens.ZH, screens.EN))
    return zh, en


def _lines(table: bytes) -> range:
    return range(1, table.count(b"\n") + 1)


_INTRODUCTION = """# 代码、灯与声音 · Codes, lights and beeps

此页由程序按油机与油站实际使用的文字表生成（`python -m tools.codes > docs/codes.md`），测试保证一致。
This page is made from the tables that pump and station really use; a test holds both together.

显示屏一行最多 8 个汉字或 16 个半角字符；20 x 4 字符屏只显示英文。
设置 `language`：0 中文，1 英文，2 每两秒轮换。
A line holds 8 Chinese or 16 Latin characters; the 20 x 4 display reads English only. Setting `language`: 0 Chinese,
1 English, 2 both by turns of two seconds.

## 灯 · Lights

油机没有单独的状态灯：显示屏背光亮即有电；屏黑即断电或显示屏故障（不影响加油，看板上有报警 4）。
The pump has no lamps of its own: a lit display means power; a dark one means no power, or a broken display (sales
go on, alarm 4 stands on the dashboard).
"""


def page() -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        _beeps(),
        _keys(),
        "## 状态 · States\n\n" + _table(shown.STATES, names=screens.STATES),
        "## 提示 · Notices\n\n" + _table(shown.NOTICES),
        _refusals(),
        "## 停油原因 · Why a sale ended\n\n" + _table(shown.REASONS, texts.STOP_REASONS),
        _locks(),
        _alarms(),
    ]
    return "\n".join(parts)


def _beeps() -> str:
    rows = [f"| `{tune(code)}` | {zh} | {en} |" for code, zh, en in BEEPS]
    return "\n".join(
        [
            "## 声音 · Beeps\n",
            "每格 50 毫秒 · 50 ms a beat.\n",
            "| 声音 beep | 含义 | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _keys() -> str:
    return """## 按键 · Keys

| 键 key | 含义 | meaning |
|---|---|---|
| `0`–`9` | 数字 | digits |
| `A` | 定额（元） | preset in yuan |
| `B` | 定量（升） | preset in litres |
| `#` | 确认；没有数字时为加满 | confirm; without digits: full tank |
| `C` | 更正 | correct |
| `*` | 取消 | cancel |
| `D` | 翻页：软件号与校验和、时间与联网、各枪累计与系数 | next page: software and checksum, time and link, totalizers |
"""


def _table(table: bytes, meanings: Mapping[int, texts.Pair] | None = None, names: tuple[str, ...] = ()) -> str:
    head = "| 代码 code | 屏上中文 | display in English |"
    rows = []
    for code in _lines(table):
        zh, en = _pair(table, code)
        label = f"`{names[code - 1]}`" if names else str(code)
        more = " | ".join(("", *meanings[code])) if meanings else ""
        rows.append(f"| {label} | {zh} | {en}{more} |")
    if meanings:
        head += " 看板 | dashboard |"
    rule = "|" + "---|" * head.count(" |")
    return "\n".join([head, rule, *rows, ""])


def _refusals() -> str:
    rows = []
    for code in _lines(shown.REFUSALS):
        zh, en = _pair(shown.REFUSALS, code)
        rows.append(
            f"| {code} | {zh} | {en} | {' | '.join(texts.REFUSALS[code])} | `{tune(view.BEEP_REFUSED, code)[12:]}` |"
        )
    head = "| 代码 code | 屏上中文 | display in English | 看板 | dashboard | 两声之后 after two tones |"
    return "\n".join(["## 拒绝 · Refusals\n", head, "|---|---|---|---|---|---|", *rows, ""])


def _locks() -> str:
    rows = []
    for code in _lines(shown.LOCKS):
        zh, en = _pair(shown.LOCKS, code)
        rows.append(f"| {zh} | {en} | {' | '.join(LOCK_HELP[code])} |")
    head = "| 屏上中文 | display in English | 怎么办 | what to do |"
    return "\n".join(["## 锁定 · Locked\n", head, "|---|---|---|---|", *rows, ""])


def _alarms() -> str:
    rows = [
        f"| {code} | {' | '.join(pair)} | {' | '.join(ALARM_HELP[code])} |"
        for code, pair in sorted(texts.ALARMS.items())
    ]
    head = "| 代码 code | 报警 | alarm | 怎么办 | what to do |"
    return "\n".join(["## 报警（看板） · Alarms on the dashboard\n", head, "|---|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
