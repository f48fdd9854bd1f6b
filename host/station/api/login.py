"""The log-in page and its answer: a plain form, so that it works before anything else does."""

from html import escape

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Engine

from station import staff, texts
from station.api.guard import COOKIE
from station.platform import clock, database
from station.platform.sealing import Sealer

_WHY = {"password": "login.password_wrong", "resting": "login.resting", "setup": "login.setup"}


def router(engine: Engine, sealer: Sealer) -> APIRouter:
    """`/login` and `/logout`."""
    routes = APIRouter()

    @routes.get("/login", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002 - the name in the address
        return HTMLResponse(_page(texts.language_of(request.cookies), next, ""))

    @routes.post("/login", include_in_schema=False)
    def log_in(
        request: Request,
        name: str = Form(""),
        password: str = Form(""),
        code: str = Form(""),
        next: str = Form("/"),  # noqa: A002
    ) -> Response:
        with database.write(engine) as conn:
            found = staff.log_in(conn, sealer, name, password, code, clock.now())
        if isinstance(found, staff.Denied):
            key = (
                "login.code_wanted" if found.why == "code" and not code else _WHY.get(found.why, "login.password_wrong")
            )
            return HTMLResponse(_page(texts.language_of(request.cookies), next, key, name), status_code=401)
        token, _ = found
        answer = RedirectResponse(_inside(next), status_code=303)
        answer.set_cookie(
            COOKIE, token, max_age=staff.LIFE_S, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return answer

    @routes.post("/logout", include_in_schema=False)
    def log_out(request: Request) -> Response:
        with database.write(engine) as conn:
            staff.log_out(conn, request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    return routes


def _inside(path: str) -> str:
    """A place of ours to go on to; nothing that a browser could take for another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def _page(lang: str, next_path: str, fault: str, name: str = "") -> str:
    def t(key: str) -> str:
        return escape(texts.text(key, lang))

    told = f'<p class="bad" role="alert">{t(fault)}</p>' if fault else ""
    return f"""<!doctype html>
<html lang="{"en" if lang == texts.EN else "zh-CN"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{t("login.title")}</title>
<link rel="stylesheet" href="/static/pumpside.css"></head>
<body class="login"><main><h1>{t("brand")}</h1><h2>{t("login.title")}</h2>{told}
<form method="post" action="/login"><input type="hidden" name="next" value="{escape(_inside(next_path))}">
<label>{t("login.name")}<input name="name" value="{escape(name)}" autocomplete="username" autofocus required></label>
<label>{t("login.password")}<input name="password" type="password" autocomplete="current-password" required></label>
<label>{t("login.code")}<input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8"></label>
<button class="press on" type="submit">{t("login.go")}</button></form></main></body></html>"""
