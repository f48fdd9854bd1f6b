"""What the API answers when it refuses: one shape for all, said in the OpenAPI description of every operation."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Fault(BaseModel):
    """One field that is not as it should be."""

    loc: list[str | int]
    msg: str
    type: str


class Refusal(BaseModel):
    """Why: for people (Chinese, then English), or field by field where the request's form is wrong."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"detail": "没有这张卡 there is no such card"}]})

    detail: str | list[Fault]


_WHY = {
    400: "the request cannot be read",
    401: "nobody is logged in",
    403: "this person may not, or not at these stations",
    404: "there is no such thing",
    409: "the key was used for another request, or somebody was faster",
    422: "the request is understood and not possible; nothing was changed",
    503: "something that is needed for it does not answer, a card reader say",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": why} for status, why in _WHY.items()
}
