"""The log is what its tables say, and traces show every attempt and no secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deerapi_remix import AsyncRemixClient, Event, RemixClient
from deerapi_remix.testing import FakeDeerAPI
from deerapi_remix.testing.router import mock_router

from ..conftest import KEY, Clock
from ..wire import Answer, Twin
from .pages import tables_of

JOB = {"id": "video_456", "object": "video", "status": "queued"}
FAILED = Answer(503, b"", {"Retry-After": "4", "X-Request-Id": "req-0"})


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name.startswith("deerapi_")}


@pytest.fixture
def records(connect: Twin, clock: Clock, caplog: pytest.LogCaptureFixture) -> dict[str, logging.LogRecord]:
    """One record of every kind."""
    caplog.set_level(logging.DEBUG, "deerapi_remix")

    def fail(_: Event) -> None:
        raise RuntimeError("metrics")

    connect(FAILED, Answer(200, JOB), on_event=fail)[0].remix("video_123", prompt="x")
    with pytest.raises(KeyboardInterrupt):
        connect(KeyboardInterrupt())[0].remix("video_123", prompt="x")
    ours = [record for record in caplog.records if record.name == "deerapi_remix"]
    return {fields(record)["deerapi_event"]: record for record in reversed(ours)}


def test_the_table_of_records_is_what_records_carry(records: dict[str, logging.LogRecord]) -> None:
    table, _ = tables_of("docs/observability.md")
    documented = {
        event: (level, sorted(further.split(", ")) if further else []) for event, level, _, further in table[1:]
    }
    carried = {
        event: (
            record.levelname,
            sorted(name.removeprefix("deerapi_") for name in fields(record) if name != "deerapi_event"),
        )
        for event, record in records.items()
    }
    assert documented == carried


def test_the_table_of_fields_names_each_field_and_its_type(records: dict[str, logging.LogRecord]) -> None:
    _, table = tables_of("docs/observability.md")
    types = {"int": int, "float": float, "str": str, "None": type(None)}
    documented = {name: tuple(types[kind] for kind in kinds.split(", ")) for name, kinds, _ in table[1:]}
    carried = [item for record in records.values() for item in fields(record).items()]
    assert {name for name, _ in carried} == set(documented)
    assert [name for name, value in carried if not isinstance(value, documented[name])] == []


# Traces


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Collects the spans of every httpx client."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    yield exporter
    HTTPXClientInstrumentor().uninstrument()


def told(exporter: InMemorySpanExporter) -> list[tuple[str, str]]:
    return [(span.name, span.status.status_code.name) for span in exporter.get_finished_spans()]


def test_every_attempt_is_a_span_without_key_or_prompt(
    spans: InMemorySpanExporter, clock: Clock, tmp_path: Path
) -> None:
    fake = FakeDeerAPI(clock=clock.now, render_seconds=0)
    fake.answers("remix", 503)
    fake.truncated("download")
    with mock_router(fake), RemixClient() as client:
        client.remix_to_file("video_123", tmp_path / "bow.mp4", prompt="a prompt of mine")
    assert told(spans) == [("POST", "ERROR"), ("POST", "UNSET"), ("GET", "UNSET"), ("GET", "UNSET")]
    shown = "".join(span.to_json() for span in spans.get_finished_spans())
    assert KEY not in shown
    assert "a prompt of mine" not in shown


async def test_every_attempt_of_the_twin_is_a_span(spans: InMemorySpanExporter, clock: Clock) -> None:
    fake = FakeDeerAPI(clock=clock.now, render_seconds=0)
    fake.answers("remix", 503)
    with mock_router(fake):
        async with AsyncRemixClient() as client:
            await client.remix("video_123", prompt="x")
    assert told(spans) == [("POST", "ERROR"), ("POST", "UNSET")]


async def test_a_client_handed_in_to_the_twin_can_be_instrumented_alone(clock: Clock) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with mock_router(FakeDeerAPI(clock=clock.now)):
        async with httpx.AsyncClient() as http, AsyncRemixClient() as other:
            HTTPXClientInstrumentor.instrument_client(http, tracer_provider=provider)
            await AsyncRemixClient(http_client=http).models()
            await other.models()
    assert told(exporter) == [("GET", "UNSET")]
