"""Every fault befalls every operation, in both twins; each must end as the table says."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from .conftest import SEEN, Case, counts
from .faults import FAULTS
from .matrix import EXPECTED, MATRIX, OPERATIONS, agree
from .observe import MARGIN, TWINS, Seen, eavesdropping, observe
from .steps import TRUSTING

# Now and then ssl and asyncio drop a socket unclosed when a handshake breaks off. Which of thousands it was, and in
# which of the threads, cannot be told here; the tests of cancellation look after our own.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

# How many operations are observed side by side. Those that end by a timeout mostly wait; of the others more would only
# keep each other from the processor, and be late.
_AT_WORK = 4
_WAITING = 12


@pytest.fixture(scope="module")
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[Case, Future[Seen]]]:
    """What becomes of all faults that are to be tested: they are waited for side by side."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = {spec.params.get("fault") for spec in specs if spec}
    cases = [
        (fault, operation, twin)
        for fault in FAULTS
        for operation in OPERATIONS
        for twin in TWINS
        if fault in chosen and EXPECTED[fault][operation] != "-"
    ]
    with (
        eavesdropping() as log,
        pytest.MonkeyPatch.context() as patch,
        ThreadPoolExecutor(_AT_WORK) as at_work,
        ThreadPoolExecutor(_WAITING) as waiting,
    ):
        # Clients make their own connections, and trust the authority of the servers here. To read one is also faster.
        patch.setattr(ssl, "create_default_context", lambda **_: TRUSTING)
        pools = {case: waiting if FAULTS[case[0]].hurried else at_work for case in cases}
        yield {case: pool.submit(observe, *case, tmp_path_factory.mktemp("case"), log) for case, pool in pools.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_operation_ends_as_the_table_says(
    fault: str, seen: Mapping[Case, Future[Seen]], request: pytest.FixtureRequest
) -> None:
    expected = {case: EXPECTED[fault][case[1]] for case in seen if case[0] == fault}
    observed = {case: seen[case].result() for case in expected}
    every = request.config.stash[SEEN]
    every.update(observed)

    unlike = {
        case: (found.outcome, expected[case], found.detail)
        for case, found in observed.items()
        if not agree(found.outcome, expected[case])
    }
    assert not unlike
    late = {
        case: found.seconds
        for case, found in observed.items()
        if found.seconds > float(EXPECTED[fault]["most"]) + MARGIN
    }
    assert not late


def test_the_catalogue_and_the_table_name_the_same_faults() -> None:
    named = [name for line in MATRIX.splitlines() if line.startswith(" ") for name in line.split()]
    assert sorted(named) == sorted(FAULTS)


def test_nothing_was_paid_twice_or_lost_or_torn_or_leaked_or_untold_and_nothing_hung(
    request: pytest.FixtureRequest,
) -> None:
    every = request.config.stash[SEEN]
    assert set(counts(every).items()) == {
        ("duplicates", 0),
        ("lost ids", 0),
        ("partial files", 0),
        ("leaks", 0),
        ("hangs", 0),
        ("untold", 0),
    }
