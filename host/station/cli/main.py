"""`pumpside`, also `python -m station`: one door to everything. Parts are loaded when their command is used."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

# command -> (module, what it is for). A part that is not installed is missing from its own command only.
PARTS = {
    "run": ("run", "启动整个油站 · start the whole station"),
    "init": ("processes", "建立或升级数据库 · set up or upgrade the database"),
    "ingest": ("processes", "接收油机记录 · take the pumps' records"),
    "web": ("processes", "看板与接口 · dashboard and API"),
    "broker": ("broker", "内置消息代理 · the embedded broker"),
    "broker-config": ("broker", "生成 Mosquitto 配置 · files for a Mosquitto"),
    "provision": ("provision", "登记油机 · give a pump its identity"),
    "bench": ("bench", "模拟加油现场 · the simulated forecourt"),
    "card": ("cardjobs", "卡务 · the card desk"),
    "top-up": ("top_up", "远程充值，下次刷卡写入 · a top-up from afar"),
    "payment": ("payment", "扫码收款、退款、渠道对账 · payments by code"),
    "loads": ("top_up", "待写卡的充值 · loads that wait for their cards"),
    "account": ("account", "单位账户与授信 · accounts and their credit"),
    "fleet": ("fleet", "单位与车队 · companies and fleets"),
    "sales": ("sales", "交易、缺口与隔离区 · sales, gaps and quarantine"),
    "price": ("forecourt", "油价 · prices"),
    "pump": ("forecourt", "油机状态与命令 · pumps and commands to them"),
    "till": ("till", "收银台、退款、发票、日结 · tills, refunds, invoices, day close"),
    "shift": ("shift", "班次与日结 · shifts and closed days"),
    "tank": ("forecourt", "油罐与进油 · tanks and deliveries"),
    "meter": ("meter", "计量、检定与脉冲时间线 · factors, tests, pulse timelines"),
    "staff": ("staff", "员工与权限 · staff and what they may do"),
    "audit": ("staff", "审计 · who changed what"),
    "receipt": ("receipt", "电子小票核验 · verify a receipt"),
    "portal": ("receipt", "顾客手机的小票页面 · the receipts' page"),
    "update": ("update", "固件更新 · firmware updates"),
    "books": ("books", "账簿、结账、凭证 · the books"),
    "parameter": ("parameter", "参数 · parameters of the station"),
    "risk": ("risk", "风控与审核 · risk rules and what they found"),
    "network": ("network", "多站：组织、上报、清算 · several stations"),
    "verify": ("verify", "全库核对 · check the whole database"),
    "verify-journal": ("verify_journal", "离线核对油机日志 · verify a pump's journal in a file"),
    "journal": ("journal", "油机原始记录 · the pumps' raw records"),
}


class LazyGroup(TyperGroup):
    """Loads the module of a command when the command is asked for, so that a missing part breaks nothing else."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in PARTS:
            return None
        module = importlib.import_module(f"station.cli.{PARTS[cmd_name][0]}")
        module.app._add_completion = False  # it belongs to the whole command, not to each part
        found: Any = get_command(module.app)
        # A module with one command is that command; one with several is a group that may hold it under its name.
        return getattr(found, "commands", {}).get(cmd_name, found)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("命令 Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in PARTS.items()])


app = typer.Typer(
    cls=LazyGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback()
def main() -> None:
    """Pumpside 加油站 IC 卡控制系统 · open IC-card control for fuel dispensers.

    例 Example: pumpside run --bench
    """


def run() -> None:
    """Entry of the `pumpside` script."""
    app(prog_name="pumpside")


if __name__ == "__main__":
    run()
