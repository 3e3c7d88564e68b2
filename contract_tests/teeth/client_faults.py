"""Faults in the client."""

from __future__ import annotations

from contract_tests.teeth.faults import Fault

FAULTS: list[Fault] = []
