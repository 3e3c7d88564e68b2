"""Do requests and answers keep to the OpenAPI document?"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from deerapi_remix.testing._document import Document, document, pointer
from deerapi_remix.testing._messages import Answer, RecordedRequest
from deerapi_remix.testing._routes import ROUTES

# Statuses outside the document, in answer to a header outside the document.
_UNDOCUMENTED = {416}


class Contract:
    """Checks requests and answers.

    Each check returns None, or one line that names the operation, the place and the broken rule.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = Document(document)

    def request_problem(self, call: RecordedRequest) -> str | None:
        operation = self._operation(call)
        given = {"path": {"video_id": call.video_id}, "query": call.query}
        for parameter in map(self._document.resolved, operation.get("parameters", ())):
            name, where = parameter["name"], parameter["in"]
            if name not in given.get(where, {}):
                if parameter.get("required"):
                    return f"{call.operation}: {where} parameter {name} is required"
            elif wrong := self._mismatch(parameter["schema"], given[where][name], name):
                return f"{call.operation}: {wrong}"
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            if wrong := self._mismatch(schema, call.body, "$"):
                return f"{call.operation}: {wrong}"
        return None

    def answer_problem(self, call: RecordedRequest, answer: Answer) -> str | None:
        if answer.status in _UNDOCUMENTED:
            return None
        wrong = self._answer_mismatch(self._operation(call)["responses"], answer)
        return f"{call.operation} {answer.status}: {wrong}" if wrong else None

    def _answer_mismatch(self, responses: Mapping[str, Any], answer: Answer) -> str | None:
        if str(answer.status) not in responses:
            return "the status is not documented"
        response = self._document.resolved(responses[str(answer.status)])
        for name, reference in response.get("headers", {}).items():
            header, value = self._document.resolved(reference), answer.headers.get(name.lower())
            if value is None:
                if header.get("required"):
                    return f"header {name} is required"
            elif wrong := self._mismatch(header["schema"], value, f"header {name}"):
                return wrong
        media_type = answer.headers.get("content-type", "")
        if media_type not in response["content"]:
            return f"content type {media_type!r} is not documented"
        if media_type != "application/json":
            return None
        return self._mismatch(
            response["content"][media_type]["schema"], json.loads(answer.body), "$"
        )

    def _operation(self, call: RecordedRequest) -> Mapping[str, Any]:
        if call.operation is None:
            raise ValueError(f"{call.method} {call.path} is outside the document")
        route = ROUTES[call.operation]
        operation: Mapping[str, Any] = self._document.raw["paths"][route.path][route.method.lower()]
        return operation

    def _mismatch(self, schema: Mapping[str, Any], value: Any, place: str) -> str | None:
        for error in self._document.errors(schema, value):
            return f"{place}{pointer(error.instance_path)}: {error.message} ({error.kind.name})"
        return None


@cache
def contract() -> Contract:
    """The contract that the installed client keeps to."""
    return Contract(document())
