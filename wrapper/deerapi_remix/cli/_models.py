"""The command `models`."""

from __future__ import annotations

from ._help import examples
from ._model_names import remember
from ._options import BaseUrl, Json, Quiet
from ._text import model_table
from ._work import Work

EXAMPLES = examples("models", "models --json")


def models(as_json: Json = False, quiet: Quiet = False, base_url: BaseUrl = None) -> None:
    """List the models that are served now."""
    work = Work(as_json=as_json, quiet=quiet, base_url=base_url)
    with work.running(), work.client() as client:
        served = client.models()
        remember([model.id for model in served], base_url)
        work.result(model_table(served), {"models": [model.to_dict() for model in served]})
        if not served:
            work.display.note("no model is served now")
