"""Messages that schemathesis generates from the document, the same ones on every run.

They come on top of examples by hand. What is drawn changes with the versions of the libraries, so no planted fault may
need it: faults are planted with `GENERATED=no`, which leaves it out.
"""

import os
from functools import cache
from typing import Any, TypeVar

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode

from .document import PATH, document

T = TypeVar("T")

WANTED = os.environ.get("GENERATED", "yes") != "no"


def collect(strategy: SearchStrategy[T], count: int) -> list[T]:
    """`count` values; all of them, where there are fewer, and none unless they are wanted."""
    if not WANTED:
        return []
    found: list[T] = []

    @seed(1)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(strategy)
    def take(value: T) -> None:
        found.append(value)

    take()
    return found


@cache
def _config() -> schemathesis.Config:
    # Constants found in the code would make the messages depend on what happens to be imported.
    return schemathesis.Config.from_dict({"analysis": {"constants": {"enabled": False}}})


@cache
def requests(operation_id: str, count: int) -> list[Case[Any]]:
    """Valid requests for an operation."""
    schema = schemathesis.openapi.from_path(PATH, config=_config())
    return collect(schema.find_operation_by_id(operation_id).as_strategy(), count)


@cache
def instances(schema: str, count: int, *, valid: bool = True) -> list[Any]:
    """Values that a schema of the document allows or, unless `valid`, forbids."""
    # schemathesis generates requests; so the schema is made that of a request.
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    operation = {"requestBody": {"required": True, "content": body}, "responses": {"200": {"description": "Taken"}}}
    components = {"schemas": document().raw["components"]["schemas"]}
    raw = {"openapi": "3.1.0", "info": {"title": "Instances", "version": "1"}, "components": components}
    synthetic = schemathesis.openapi.from_dict(raw | {"paths": {"/": {"post": operation}}}, config=_config())
    mode = GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE
    bodies = synthetic["/"]["POST"].as_strategy(generation_mode=mode).map(lambda case: case.body)

    def wanted(value: Any) -> bool:
        # A body that is missing or no JSON at all is generated, too.
        is_json = value is None or isinstance(value, dict | list | str | int | float)
        return is_json and (not document().errors(components["schemas"][schema], value)) == valid

    return collect(bodies.filter(wanted), count)
