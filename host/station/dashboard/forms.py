"""Forms of the office's pages: fields with labels, one button, what came of it said in place. Enter sends.

A form keeps one idempotency key until its command is done: a double click, or a second try after a lost answer, is the
same command.
"""

import inspect
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from station.dashboard.dom import Icon, Tag, Words

_VALUE = "(e) => emit(e.target.value)"
_CHECKED = "(e) => emit(e.target.checked)"
# What stands in the form goes with the wish to send it: the last letter's own event may still be under way.
_CONTENT = "(e) => emit(Object.fromEntries(new FormData(e.target)))"
_open: "list[Form]" = []  # the form whose fields are being made


class Field:
    """A labelled input; `.value` is what was typed. kind: text, password, date, number, tel, checkbox."""

    def __init__(self, label: str, value: str = "", kind: str = "text", hint: str = "", **props: str) -> None:
        self.value = value
        with Tag("label", look="check" if kind == "checkbox" else "") as self.root:
            Tag("span", label)
            self.input = Tag("input", type=kind, autocomplete="off", placeholder=hint, **props)
        self._kind = kind
        _join(self)
        if value:
            # Not `value`: Vue would put it back over what was typed whenever anything on the page changes.
            self.input.props["defaultChecked" if kind == "checkbox" else "defaultValue"] = value
        if kind == "checkbox":
            self.input.on("change", lambda e: self._take("1" if e.args else ""), js_handler=_CHECKED)
        else:
            self.input.on("input", lambda e: self._take(str(e.args)), js_handler=_VALUE)

    def _take(self, value: str) -> None:
        self.value = value

    def sent(self, value: str | None) -> None:
        """What the form says stands here; None for a box that is not ticked."""
        self.value = ("1" if value else "") if self._kind == "checkbox" else value or ""

    def set(self, value: str) -> None:
        """Another content, as after a command was done."""
        self.value = value
        self.input.client.run_javascript(f"getHtmlElement({self.input.id}).value = {json.dumps(value)}")

    def focus(self) -> None:
        """Puts the cursor there, for what is typed next."""
        self.input.client.run_javascript(f"getHtmlElement({self.input.id}).focus()")


class Choice:
    """A labelled list of choices: value -> word; `.value` is the chosen one."""

    def __init__(self, label: str, choices: Mapping[str, str], value: str = "", **props: str) -> None:
        self.value = value if value in choices else next(iter(choices), "")
        with Tag("label") as self.root:
            Tag("span", label)
            with Tag("select", **props) as self.input:
                for key, word in choices.items():
                    option = Tag("option", word, value=key)
                    if key == self.value:
                        option.props["selected"] = True
        _join(self)
        self.input.on("change", lambda e: self._take(str(e.args)), js_handler=_VALUE)

    def _take(self, value: str) -> None:
        self.value = value

    def sent(self, value: str | None) -> None:
        """What the form says is chosen."""
        self.value = value or self.value


class Form:
    """Fields are made inside `with form:`; `do(key)` does the command and returns what to say. ValueError: said in red.

    do may be a coroutine function. Its first half sentence should be what happened, in the viewer's language.
    """

    def __init__(self, t: Words, label: str, do: Callable[[str], str | Awaitable[str]], icon: str = "check") -> None:
        self.t, self._do, self._label, self._icon = t, do, label, icon
        self.key = _new_key()
        self.busy = False
        self.root = Tag("form", look="controls", onsubmit="return false")
        self.fields: list[Field | Choice] = []
        self.root.on("submit", lambda e: self.submit(e.args), js_handler=_CONTENT)
        self.button: Tag | None = None
        self.said = Tag("div", "", "said hidden", role="status")

    def __enter__(self) -> "Form":
        self.root.__enter__()
        _open.append(self)
        return self

    def __exit__(self, *about: Any) -> None:
        _open.pop()
        with Tag("button", look="press on", type="submit") as self.button:
            Icon(self._icon)
            Tag("span", self._label)
        self.root.__exit__(*about)

    async def submit(self, content: Mapping[str, str] | None = None) -> None:
        """What the button and Enter do. content: of the fields, by name; None: as they were told last."""
        if self.busy:
            return
        self.busy = True
        for field in self.fields if content is not None else ():
            field.sent((content or {}).get(field.input.props["name"]))
        self.tell(self.t("form.working"), "muted")
        try:
            answer = self._do(self.key)
            said = await answer if inspect.isawaitable(answer) else answer
        except ValueError as error:
            self.tell(of_language(str(error), self.t.lang), "bad")
        except Exception as error:  # noqa: BLE001 - whatever went wrong is told; the key stays, so that trying again is safe
            self.tell(self.t("form.failed", why=type(error).__name__), "bad")
        else:
            self.key = _new_key()
            self.tell(str(said), "good")
        finally:
            self.busy = False

    def tell(self, words: str, look: str) -> None:
        """Says something under the form. look: good, bad or muted."""
        self.said.text = words
        self.said.look(f"said {look}")
        self.said.put("role", "alert" if look == "bad" else "status")


def _join(field: Field | Choice) -> None:
    """A field belongs to the form that it is made in."""
    if _open:
        field.input.props["name"] = f"f{len(_open[-1].fields)}"
        _open[-1].fields.append(field)


def of_language(message: str, lang: str) -> str:
    """The half of a message "中文 English" that a viewer reads; a message without halves is shown whole.

    The cut is the blank with most Chinese before it and most Latin behind it: either half may hold a name or a code of
    the other's letters.
    """
    halves = max(
        ((message[:i].strip(), message[i:].strip(" 。：:")) for i, sign in enumerate(message) if sign == " "),
        key=lambda cut: _chineseness(cut[0]) - _chineseness(cut[1]),
        default=("", ""),
    )
    if _chineseness(halves[0]) <= 0 or _chineseness(halves[1]) >= 0:
        return message
    return halves[1] if lang == "en" else halves[0]


def _chineseness(words: str) -> int:
    """Letters of Chinese less letters of Latin; one Chinese sign says as much as some four Latin letters."""
    return sum(4 if ord(sign) > 0x2E7F else -sign.isalpha() for sign in words)


def _new_key() -> str:
    return secrets.token_hex(16)
