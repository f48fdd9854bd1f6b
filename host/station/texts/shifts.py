"""The words of the shifts' page: Chinese, English."""

from collections.abc import Mapping

from station.texts.pages import Pair

SHIFTS: Mapping[str, Pair] = {
    "nav.shifts": ("班次", "Shifts"),
    "shifts.title": ("班次与日结", "Shifts and closed days"),
    "shifts.lead": (
        "上下班由员工卡、日结由站长卡在油机上办理。读数差是累计读数之差，精确到毫升，须等于销售与非销售油量之和。",
        "Staff cards begin and end shifts at the pump, a manager's card closes its day. Measured is the totalizer's "
        "difference, to the millilitre; it must be what was sold and what was no sale.",
    ),
    "shifts.duty": ("当班：{who}", "On duty: {who}"),
    "shifts.nobody": ("无人当班", "Nobody is on duty"),
    "shifts.shifts": ("班次", "Shifts"),
    "shifts.days": ("日结", "Closed days"),
    "shifts.empty": ("还没有班次：员工在油机上刷员工卡即上班", "No shifts yet: a staff card at a pump begins one"),
    "shifts.days.empty": (
        "还没有日结：站长在油机上刷卡后按 1",
        "No day closed yet: a manager's card at the pump, then key 1",
    ),
    "shifts.pump": ("油机 / 枪", "Pump / nozzle"),
    "shifts.number": ("班次", "Shift"),
    "shifts.person": ("员工", "Staff"),
    "shifts.begun": ("开始", "From"),
    "shifts.ended": ("结束", "Until"),
    "shifts.start": ("起数", "Start"),
    "shifts.end": ("止数", "End"),
    "shifts.measured": ("读数差", "Measured"),
    "shifts.sold": ("销售", "Sold"),
    "shifts.count": ("笔数", "Sales"),
    "shifts.outside": ("非销售", "No sale"),
    "shifts.state": ("核对", "Check"),
    "shifts.running": ("进行中", "running"),
    "shifts.agrees": ("相符", "agrees"),
    "shifts.differs": ("不符 {litres} 升", "{litres} litres unexplained"),
    "shifts.told": ("油机自计不符", "the pump counted otherwise"),
}
