"""The words of the network's page: Chinese, English."""

from collections.abc import Mapping

from station.texts.pages import Pair

NETWORK: Mapping[str, Pair] = {
    "nav.group.network": ("网络", "Network"),
    "nav.network": ("多站", "Stations"),
    "network.title": ("多站与清算", "Stations and clearing"),
    "network.lead": (
        "卡在发卡站之外加油或充值，两站各记一笔应收应付；各站净额合计为零。",
        "A card used away from the station that issued it is booked by both stations; all nets add up to nought.",
    ),
    "network.self": ("本站与总部", "This station and head office"),
    "network.alone": ("本站独立运行，未设总部", "No head office is set: this station stands alone"),
    "network.contact": ("最近联系", "last contact"),
    "network.never": ("尚未联系", "not heard yet"),
    "network.lag": ("未上报记录", "records not told yet"),
    "network.tree": ("组织", "Units"),
    "network.tree.empty": (
        "还没有单位：用命令 pumpside network unit 建立大区、城市、片区和站",
        "No units yet: make regions, cities, areas and stations with `pumpside network unit`",
    ),
    "network.unit": ("单位", "Unit"),
    "network.kind": ("级别", "Kind"),
    "network.kind.region": ("大区", "region"),
    "network.kind.city": ("城市", "city"),
    "network.kind.area": ("片区", "area"),
    "network.kind.station": ("站", "station"),
    "network.heard": ("状态", "State"),
    "network.fresh": ("已联系 {at}", "heard {at}"),
    "network.stale": ("失联，最后 {at}", "silent since {at}"),
    "network.today": ("今日升数", "Litres today"),
    "network.money": ("今日金额", "Money today"),
    "network.clearing": ("本月站间清算", "Clearing of this month"),
    "network.clearing.empty": ("本月没有跨站用卡", "No card was used away from home this month"),
    "network.debtor": ("应付站", "Owes"),
    "network.creditor": ("应收站", "Is owed"),
    "network.sales": ("外站加油", "Fuel elsewhere"),
    "network.loads": ("外站充值", "Loads elsewhere"),
    "network.amount": ("应结", "Due"),
    "network.net": ("净额", "Net"),
}
