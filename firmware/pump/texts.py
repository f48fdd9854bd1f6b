"""Every sentence of the pump's display, `Chinese|English` by code: at most 8 Chinese or 16 Latin characters.

GB2312 is what the display's own font reads (ST7920); the build turns the tables into bytes in read-only memory, so a
sentence costs the heap nothing. docs/codes.md shows the same tables to people, a test holds both together.
"""

NOTICES = """
正在读卡请稍候|Reading card
请提枪|Lift the nozzle
请提枪后再刷卡|Lift, tap again
请再刷卡取回余款|Tap: money back
请插回卡取回余款|Insert card back
完成，谢谢惠顾|Done, thank you
本卡不能使用|Refused
请先插卡或刷卡|Card first
请先挂枪|Hang up nozzle
正在询问油站|Asking station
请再试一次|Once more please
请取出卡|Take card out
请输密码后按#|PIN, then #
请输里程后按#|km, then #
请出示驾驶员卡|Now driver card
请出示车辆卡|Now vehicle card
上班成功|On duty
下班成功|Off duty
日结完成|Day closed
已解锁|Unlocked
圈存中请勿移卡|Loading: wait
圈存成功|Money loaded
检定，油回罐|Test: to tank
请输量器毫升按#|Prover ml then #
新系数？按＃接受|New factor? #=OK
请先启封|Open seal first
请再刷卡|Tap card again
正在升级请稍候|Updating ...
请按数字选择|Choose 1 2 3 ...""".encode("gb2312")

REFUSALS = """
非本发卡方的卡|Other issuer
卡密钥不符|Wrong card key
卡已过期|Card expired
卡已挂失|Card blocked
未完结，请到柜台|Unfinished: desk
油品不符|Wrong grade
余额不足|Balance too low
读不出卡|Card unreadable
卡内容损坏|Card damaged
油机已锁定|Pump locked
流水已满|Memory full
尚无油价|No price yet
非储值卡|Not a purse card
本站不可用|Not this station
请用原卡结算|Use first card
超出卡限制|Limit reached
密码错误|Wrong PIN
密码已锁请到柜台|PIN blocked
此时段不可加油|Not at this hour
当日金额已用完|Day money used
当日次数已用完|Day fills used
人车不符|Driver/vehicle?
里程不合理|Check kilometres
名单已过期|Lists too old
账户拒绝|Account declines
脱机额度不足|No offline money
铅封未启|Seal is closed
此卡无此权限|Card may not
无人上班|Nobody on duty
时钟未校准|Clock not set""".encode("gb2312")

REASONS = """
已挂枪|Nozzle hung up
已到定额|Preset reached
卡余额到限|Card limit
长时间无流量|No flow
远程停止|Stopped remotely
到单次上限|Maximum reached
脉冲故障|Pulser fault
流量过大|Over-flow
急停|EMERGENCY STOP
掉电|Power failed
油罐液位低|Tank is low
卡升数到限|Card litres used
过冲锁定|Over-run lock
卡被拔出|Card pulled
预扣未确认|Reserve unsure
已取消|Cancelled
加油超时|Time limit
检定回罐|Test: to tank""".encode("gb2312")

STATES = """
欢迎光临|Welcome
已提枪|Nozzle lifted
卡已识别|Card accepted
已授权，可加油|Ready to fuel
开始加油|Starting
正在加油|Fuelling
即将到量|Slow flow
正在停油|Stopping
等待结算|Settle: card
暂停使用|Out of service""".encode("gb2312")

# Why the pump is locked, most urgent first: screens.LOCKS names the bits.
LOCKS = """
急停已按下|EMERGENCY STOP
机壳被打开|Housing open
供电异常|Supply fault
站内锁定|Locked by desk
脉冲故障锁定|Pulser lock
过冲锁定|Over-run lock
计量自锁|Meter lock""".encode("gb2312")

# Words within a line; a third column for the 20 x 4 display, whose own characters are 0..7 (lcd.GLYPHS). The last one
# stands beside the receipt's QR code, in two lines of 8.
WORDS = """
元|￥|\x00
升|Ｌ|\x01
价|@|\x02
余|Bal|\x03
定额|Preset|Preset
定量|Volume|Volume
加满|Full tank|Full tank
输入|Type|Type
请扫码看电子小票|Scan forreceipt""".encode("gb2312")


def pick(table, code, column):
    """The text of a code (from 1) in a column (0 Chinese, 1 English, ...; or the last there is), b"" if unknown."""
    at = 0
    for _ in range(code):
        at = table.find(b"\n", at) + 1
        if not at:
            return b""
    end = table.find(b"\n", at)
    parts = (table[at:] if end < 0 else table[at:end]).split(b"|")
    return parts[min(column, len(parts) - 1)]
