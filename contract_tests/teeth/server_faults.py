"""Faults in the server."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault

FAULTS: list[Fault] = []
