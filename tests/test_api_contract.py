"""N5: the API does what its OpenAPI description says, for whatever requests the description allows or forbids.

schemathesis makes the requests; nothing may answer with a server's error, an undocumented status or content type, or a
body of another shape. Every operation tells what it is for and gives an example of what it takes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from station import setup
from station.api.app import API, create_app
from station.forecourt import LiveBoard
from station.platform.settings import load

EACH = 4  # requests an operation, half of them wrong; `make fuzz` is the place for long runs
OPEN = {f"{API}/health", f"{API}/network/exchange"}  # without a person: see api/guard.py
quiet = examples(
    max_examples=EACH, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(tmp_path_factory.mktemp("open"), staff_auth=False)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(tmp_path_factory.mktemp("asking"), staff_auth=True)


def app_of(directory: Path, staff_auth: bool) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.delenv("DATABASE_URL", raising=False)
        settings = load(data_dir=directory / "var", bench=True, staff_auth=staff_auth)
    setup.prepare(settings).dispose()
    return create_app(settings, board=LiveBoard(), dashboard=False)


def no_fault_of_its_own(_ctx: Any, response: Any, _case: Any) -> None:
    """No answer blames the server, but that a card reader which is not plugged in does not answer (503)."""
    assert response.status_code < 500 or response.status_code == 503, response.text


CHECKS = [no_fault_of_its_own, status_code_conformance, content_type_conformance, response_schema_conformance]


def operations(app: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, its description) of everything that the API offers."""
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_requests_of_every_kind_get_documented_answers(app: Any) -> None:
    app.openapi()  # made once and kept: on a busy machine the loader would not wait for it
    schema = schemathesis.openapi.from_asgi(f"{API}/openapi.json", app)
    failures, tried = {}, 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @quiet
        @given(case=operation.as_strategy())
        def talk(case: Any) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(checks=CHECKS, timeout=60)

        try:
            talk()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all are tried, then all faults told
            failures[operation.label] = str(error)
    assert failures == {}
    assert tried > 2 * len(list(operations(app)))


def test_x4_a_stranger_gets_no_further_than_the_door(asking: Any) -> None:
    """With log-in switched on, the same description holds; nothing but a documented 401 comes without a token."""
    shape = set(asking.openapi()["components"]["schemas"]["Refusal"]["properties"])
    with TestClient(asking) as client:
        for method, path, operation in operations(asking):
            answer = client.request(method, path.replace("{", "").replace("}", ""), headers={"Accept": "*/*"})
            if path in OPEN:
                continue
            assert answer.status_code == 401, (method, path)
            assert set(answer.json()) == shape and "401" in operation["responses"], (method, path)


def test_every_operation_is_described_with_examples(app: Any) -> None:
    schemas = app.openapi()["components"]["schemas"]
    missing = []
    for method, path, operation in operations(app):
        name = f"{method} {path}"
        if not operation.get("description"):
            missing.append(f"{name}: no description")
        for content in operation.get("requestBody", {}).get("content", {}).values():
            model = content["schema"].get("$ref", "").rpartition("/")[2]
            if not has_examples(content, schemas.get(model, content["schema"])):
                missing.append(f"{name}: no example of its body")
    assert missing == []


def has_examples(content: dict[str, Any], schema: dict[str, Any]) -> bool:
    """An example of the whole, or of each field that must be given; a body without fields needs none."""
    if "example" in content or "examples" in content or "examples" in schema or "example" in schema:
        return True
    fields = schema.get("properties", {})
    return all(
        {"example", "examples", "enum", "const", "$ref"} & {*fields[name], *fields[name].get("items", {})}
        for name in schema.get("required", [])
    )
