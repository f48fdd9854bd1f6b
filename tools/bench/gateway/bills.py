"""Day statements with the documented columns: WeChat's trade bill, Alipay's zip of business details."""

import csv
import io
import zipfile
from datetime import date, datetime

from tools.bench.gateway.keys import MCHID, WECHAT_APPID
from tools.bench.gateway.trades import CHINA, Refund, Trade

Shown = list[tuple[Trade, Refund | None]]
WECHAT = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
WECHAT_SUM = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
ALIPAY = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, CHINA):%Y-%m-%d %H:%M:%S}"


def wechat(shown: Shown) -> bytes:
    """Empty if there was nothing that day."""
    if not shown:
        return b""
    rows = [WECHAT]
    for trade, refund in shown:
        back = refund.amount_fen if refund else 0
        paid = 0 if refund else trade.amount_fen
        values = [
            clock(refund.done_at if refund else trade.paid_at), WECHAT_APPID, MCHID, "0", "", trade.trade_no,
            trade.order_no, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "NATIVE", "REFUND" if refund else "SUCCESS", "OTHERS",
            "CNY", yuan(paid), "0.00", refund.trade_no if refund else "0", refund.refund_no if refund else "0",
            yuan(back), "0.00", "ORIGINAL" if refund else "", "SUCCESS" if refund else "", trade.title, "",
            "0.00000", "0.60%", yuan(paid), yuan(back), "",
        ]  # fmt: skip
        rows.append(",".join(f"`{value}" for value in values))
    paid = sum(trade.amount_fen for trade, refund in shown if refund is None)
    back = sum(refund.amount_fen for _, refund in shown if refund)
    sums = [str(len(shown)), yuan(paid), yuan(back), "0.00", "0.00", yuan(paid), yuan(back)]
    rows += [WECHAT_SUM, ",".join(f"`{value}" for value in sums)]
    return ("\ufeff" + "\r\n".join(rows) + "\r\n").encode()


def alipay(shown: Shown, day: date) -> bytes:
    """A zip of details and summary in GBK; empty if there was nothing that day."""
    if not shown:
        return b""
    head = [
        "#支付宝业务明细查询", "#账号：[20881021694810750156]",
        f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{day:%Y年%m月%d日} 23:59:59]",
        "#-----------------------------------------业务明细列表----------------------------------------",
    ]  # fmt: skip
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(ALIPAY.split(","))
    for trade, refund in shown:
        fen = -refund.amount_fen if refund else trade.amount_fen
        at = clock(refund.done_at if refund else trade.paid_at)
        texts = [trade.trade_no, trade.order_no, "退款" if refund else "交易"]
        writer.writerow(
            [
                *(f"{value}\t" for value in texts), trade.title, at, at, "\t", "", "", "\t", "*津水(602***@qq.com)\t",
                yuan(fen), yuan(fen), *["0.00"] * 5, "", "0.00", "0.00", f"{refund.refund_no if refund else ''}\t",
                "0.00", "0.00", "",
            ]
        )  # fmt: skip
    paid = [trade.amount_fen for trade, refund in shown if refund is None]
    back = [refund.amount_fen for _, refund in shown if refund]
    tail = [
        "#-----------------------------------------业务明细列表结束------------------------------------",
        f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(paid))}元，商家优惠共0.00元",
        f"#退款合计：{len(back)}笔，商家实收退款共{yuan(-sum(back))}元，商家优惠退款共0.00元",
        f"#导出时间：[{day:%Y年%m月%d日} 23:59:59]",
    ]  # fmt: skip
    details = "\r\n".join([*head, table.getvalue().rstrip(), *tail, ""])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(f"20881021694810750156_{day:%Y%m%d}_业务明细(汇总).csv", "#支付宝业务汇总查询\r\n".encode("gbk"))
        files.writestr(f"20881021694810750156_{day:%Y%m%d}_业务明细.csv", details.encode("gbk"))
    return packed.getvalue()
