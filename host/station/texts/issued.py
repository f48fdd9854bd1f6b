"""The words of the page of what is issued to the pumps: Chinese, English."""

from collections.abc import Mapping

from station.texts.pages import Pair

ISSUED: Mapping[str, Pair] = {
    "nav.issued": ("下发", "Issued"),
    "issued.title": ("下发到油机：油价、名单、固件", "Issued to the pumps: prices, lists, firmware"),
    "issued.lead": (
        "油机在无人加油时取用；加油中的一笔按原价算到底。",
        "Pumps take it while nobody fuels; a sale that runs keeps its price to its end.",
    ),
    "issued.prices": ("油价", "Prices"),
    "issued.prices.empty": ("还没有油价：pumpside price set", "No prices yet: pumpside price set"),
    "issued.version": ("版本", "Version"),
    "issued.from": ("生效", "From"),
    "issued.by": ("经办", "By"),
    "issued.state": ("状态", "State"),
    "issued.in_force": ("现行", "in force"),
    "issued.planned": ("待生效", "planned"),
    "issued.past": ("已过", "past"),
    "issued.void": ("作废", "void"),
    "issued.pumps": ("油机", "Pumps"),
    "issued.pumps.empty": ("还没有油机：pumpside provision", "No pumps yet: pumpside provision"),
    "issued.pump": ("油机", "Pump"),
    "issued.tariff": ("油价版本", "Prices"),
    "issued.lists": ("名单版本", "Card lists"),
    "issued.software": ("软件标识", "Software id"),
    "issued.ordered": ("指定版本", "Ordered"),
    "issued.update": ("更新", "Update"),
    "issued.update.fetching": ("下载中 {detail}", "fetching {detail}"),
    "issued.update.refused": ("油机拒绝：{detail}", "refused by the pump: {detail}"),
    "issued.update.waiting": ("等待油机空闲或上线", "waiting for the pump"),
    "issued.update.done": ("已运行", "runs it"),
    "issued.update.failed": ("失败，已退回旧版", "failed, rolled back"),
    "issued.update.none": ("无", "none"),
    "issued.releases": ("固件版本", "Releases"),
    "issued.releases.empty": (
        "还没有固件发布：pumpside update add 文件",
        "No releases yet: pumpside update add FILE",
    ),
    "issued.size": ("大小", "Size"),
    "issued.to_all": ("全部油机更新到 v{version}", "Update all pumps to v{version}"),
    "issued.ordered_all": ("已下达", "ordered"),
    "issued.list_count": (
        "名单 v{version}：停用 {black} 张，白名单 {white} 张",
        "Lists v{version}: {black} blocked, {white} allowed",
    ),
}
