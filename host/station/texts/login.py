"""The words of logging in, and of roles. Chinese, English."""

from collections.abc import Mapping

LOGIN: Mapping[str, tuple[str, str]] = {
    "login.title": ("员工登录", "Staff log-in"),
    "login.name": ("登录名", "Log-in name"),
    "login.password": ("密码", "Password"),
    "login.code": ("动态码（已启用时填写）", "One-time code (if set up)"),
    "login.go": ("登录", "Log in"),
    "login.out": ("退出", "Log out"),
    "login.password_wrong": ("登录名、密码或动态码不对", "Name, password or code is wrong"),
    "login.code_wanted": ("请填写动态码", "Please add the one-time code"),
    "login.resting": ("失败次数过多，请 15 分钟后再试", "Too many failures: try again in 15 minutes"),
    "login.setup": (
        "该角色须启用动态码，请管理员运行 pumpside staff code",
        "This role needs a one-time code: ask the administrator to run `pumpside staff code`",
    ),
    "login.forbidden": ("您的角色不能打开此页", "Your role may not open this page"),
    "role.attendant": ("加油员", "attendant"),
    "role.cashier": ("收银员", "cashier"),
    "role.leader": ("班长", "shift leader"),
    "role.manager": ("站长", "station manager"),
    "role.accountant": ("会计", "accountant"),
    "role.auditor": ("稽核", "auditor"),
    "role.admin": ("系统管理员", "administrator"),
    "role.local": ("本机", "this machine"),
}
