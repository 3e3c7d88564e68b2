"""What the document forbids in a request, and whether the answer refuses it."""

from collections.abc import Iterator
from typing import Any

from ._document import Contract, Verdict, essence, parsed
from ._exchange import Exchange
from ._judge import refused

_KEYS = {"none": "missing_key_refused", "wrong": "wrong_key_refused"}
_NEAR_KEY = "near_key_refused"
_FIELDS = {"prompt": "invalid_prompt_refused", "model": "invalid_model_refused"}


def verdicts(contract: Contract, exchange: Exchange, *, strict: bool) -> Iterator[Verdict]:
    """The rule that the request gave occasion for, if it is one that the document forbids."""
    status = exchange.status
    # These tell nothing of the request, unless it is our own server that answers: the rate is
    # limited, or a gateway fails.
    if not strict and (status == 429 or status > 500):
        return
    if exchange.key != "valid":
        wrong = None if status == 401 else f"the answer is {status}"
        yield _KEYS.get(exchange.key, _NEAR_KEY), wrong
        return
    rule = _rule(contract, exchange)
    if rule is not None and status != 401:
        yield rule, None if refused(exchange) else f"the answer is {status}"


def _rule(contract: Contract, exchange: Exchange) -> str | None:
    if exchange.video_id is not None and not exchange.video_id.strip():
        return "unknown_source_refused" if exchange.method == "POST" else "unknown_id_refused"
    _, _, operation = contract.operation(exchange.operation)
    for name, parameter in contract.parameters(operation, "query").items():
        if name in exchange.query and contract.errors(parameter["schema"], exchange.query[name]):
            return f"unknown_{name}_refused"
    if "requestBody" in operation and exchange.sent_body_known:
        return _rule_of_body(contract, operation["requestBody"]["content"], exchange)
    return None


def _rule_of_body(contract: Contract, content: Any, exchange: Exchange) -> str | None:
    media_type = essence(exchange.sent_headers)
    if media_type not in content:
        return "other_content_type_refused"
    value, wrong = parsed(exchange.sent_body)
    if wrong or not isinstance(value, dict):
        return "malformed_body_refused"
    for error in contract.errors(content[media_type]["schema"], value):
        path = list(error.instance_path)
        return _FIELDS.get(str(path[0]), "malformed_body_refused") if path else _missing(value)
    return "repeated_field_refused" if exchange.repeats_a_field else None


def _missing(value: dict[str, Any]) -> str:
    return "malformed_body_refused" if "prompt" in value else "missing_prompt_refused"
