"""Changes the core by machine, one change at a time, and expects the unit tests to notice.

    python -m contract_tests.mutants [--seed N] [--sample N] [FILE…]

mutmut makes the changes, in every function of the core or of the files that are named; a sample of them is drawn by
the seed, which is printed. Each is planted in a copy of the project. One that no test notices survives, and fails the
run unless it is listed in `EQUIVALENT`, with the reason why nothing can notice it.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen
from mutmut.mutation.file_mutation import create_mutations

from .teeth.faults import PROJECT, copy_project

CORE = PROJECT / "wrapper" / "deerapi_remix"
TESTS = PROJECT / "wrapper" / "tests"
# A test that waits for ever, or takes ever more memory, because of a change has noticed it.
_PATIENCE = 300.0
_MEMORY_KB = 8_000_000
_LAST_WORDS = 2000
# The file and the line as it is after the change, and why no test can notice it. Another change to the same line may be
# noticed all the same.
EQUIVALENT: dict[tuple[str, str], str] = {
    (
        "wrapper/deerapi_remix/_connections.py",
        'Http = TypeVar("HTTP", bound=httpx.Client | httpx.AsyncClient)',
    ): "only a type checker reads the name",
    ("wrapper/deerapi_remix/_limits.py", "unit: float = 2.0"): "the default goes with no limit, which does not grow",
    (
        "wrapper/deerapi_remix/_reading.py",
        '_LONE_SURROGATES = re.compile(r"[\\uD800-\\uDFFF]")',
    ): "the digits of an escape mean the same in capitals",
    (
        "wrapper/deerapi_remix/_answer.py",
        "return zlib.decompressobj(wbits=_ANY_HEADER).decompress(self._body, self._limit + 2)",
    ): "one byte beyond the limit is as much too long as two",
    **{
        ("wrapper/deerapi_remix/_operations.py", f"client = AuthenticatedClient({arguments})"): (
            "the seam that takes the place of its httpx client is sent neither"
        )
        for arguments in (
            'base_url=None, token=""',
            'base_url="XXXX", token=""',
            'base_url="", token=None',
            'base_url="", token="XXXX"',
        )
    },
    **{
        ("wrapper/deerapi_remix/_media.py", f"length = int.from_bytes(header[{place}], )"): "big is the default"
        for place in (":4", "8:16")
    },
    **{
        ("wrapper/deerapi_remix/_own_clients.py", f"super().__init__({settings})"): "None is as much a no as False"
        for settings in (
            "transport=direct, mounts=_mounts(transport, proxies), trust_env=None",
            "mounts=_mounts(transport, proxies), trust_env=None, **options",
        )
    },
    (
        "wrapper/deerapi_remix/_own_clients.py",
        '_HEADERS = {"Accept": "*/*", "user-agent": f"deerapi-remix/{__version__}"}',
    ): "names of headers mean the same in any case",
    **{
        ("wrapper/deerapi_remix/_own_clients.py", f'T = TypeVar("{name}")'): "only type checkers read the name"
        for name in ("XXTXX", "t")
    },
    **{
        ("wrapper/deerapi_remix/_polling.py", f"{name} = None"): "a case of an enum is told by its name"
        for name in ("NONE", "POLL_AFTER", "RETRY_AFTER")
    },
    **{
        ("wrapper/deerapi_remix/_operations.py", f"client.{method}(cast(None, seam))"): "cast returns what it is given"
        for method in ("set_httpx_client", "set_async_httpx_client")
    },
    **{
        (
            "wrapper/deerapi_remix/_failures.py",
            f"Row({row}),",
        ): "the statuses at its ends have rows of their own, or none"
        for row in (
            "range(401, 500), errors.APIStatusError",
            "range(501, 600), errors.InternalServerError, ambiguous=True, transient=True",
            "range(1001), errors.APIStatusError, ambiguous=True",
        )
    },
    ("wrapper/deerapi_remix/_failures.py", "_CAUSES_LOOKED_AT = 9"): "it only ends a chain of causes that is a circle",
    **{
        ("wrapper/deerapi_remix/_retry_after.py", f'sent = http_date(headers.get("date", {default}))'): "no date either"
        for default in ("", "None", '"XXXX"')
    },
    (
        "wrapper/deerapi_remix/_deadline.py",
        "return self if self.at < other.at else other",
    ): "two that are at the same time are the same",
    (
        "wrapper/deerapi_remix/_key.py",
        "self._mask_of = lru_cache(maxsize=3)(KeyMask)  # To make one takes longer than to use it.",
    ): "it saves time only",
    **{
        (f"wrapper/deerapi_remix/{file}.py", default): "it is only asked whether it is true"
        for file, default in (
            ("_submission", "self._may_be_charged = None"),
            ("_pools", "_taken: bool = None"),
            ("_line", "is_waiting: bool = None"),
            ("_limits", "blames_rate: bool = None"),
        )
    },
    (
        "wrapper/deerapi_remix/_pace.py",
        "if needed >= max(window, 1.0) + _ROUNDING:",
    ): "a whole number is never a millionth more than a window",
    ("wrapper/deerapi_remix/_retry.py", "_MOST_DOUBLINGS = 61"): "delays end at 10^9 s long before",
    **{
        (
            "wrapper/deerapi_remix/_pools.py",
            f"response.extensions[CLOSES_WHEN_CANCELLED] = {value}",
        ): "only its key counts"
        for value in ("None", "False")
    },
    **{
        ("wrapper/deerapi_remix/_line.py", default): "it is set when the request goes, and looked at afterwards"
        for default in (
            *("sent_at: float = None", "sent_at: float = +math.inf", "others: int = None", "others: int = 1"),
            *("is_paced: bool = None", "is_paced: bool = True"),
        )
    },
    ("wrapper/deerapi_remix/_connections.py", '_http: httpx.Client | None = ""'): "it is entered before it is left",
}


@frozen
class Mutant:
    """One change: the file, its text then, and the lines that differ."""

    file: str
    text: str
    removed: str
    added: str

    def __str__(self) -> str:
        return f"{self.file}: {self.removed or '(nothing)'}  ->  {self.added or '(nothing)'}"


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every change that mutmut makes to a file."""
    text = path.read_text(encoding="utf-8")
    module, mutations, _, _ = create_mutations(str(path), text)
    for mutation in mutations:
        changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
        new = getattr(changed, "code", text)
        lines = list(difflib.unified_diff(text.splitlines(), new.splitlines(), n=0, lineterm=""))[3:]
        removed, added = (" ".join(line[1:].strip() for line in lines if line[:1] == sign) for sign in "-+")
        if new != text:
            yield Mutant(path.relative_to(PROJECT).as_posix(), new, removed, added)


def unit_tests_for(file: str) -> list[str]:
    """The unit tests of the core, those first that name what the file is about."""
    word = Path(file).stem.strip("_").partition("_")[0][:4]
    tests = sorted(TESTS.glob("test_*.py"), key=lambda path: (word not in path.stem, path.name))
    # These read the code, and would notice any change.
    reading = ("test_style.py", "test_twins.py", "test_packaging.py")
    return [path.relative_to(PROJECT).as_posix() for path in tests if path.name not in reading]


def complaint_about(mutant: Mutant) -> str:
    """The last words of the tests with the change planted; empty if all pass."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        copy_project(folder)
        (folder / mutant.file).write_text(mutant.text, encoding="utf-8")
        paths = os.pathsep.join(str(folder / part) for part in ("generated", "wrapper", "."))
        environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        limited = ["sh", "-c", f'ulimit -v {_MEMORY_KB}; exec "$@"', "sh"]
        tests = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *unit_tests_for(mutant.file)]
        command = [*limited, sys.executable, *tests]
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return f"They were not over after {_PATIENCE:.0f} s."
    return "" if done.returncode == 0 else done.stdout[-_LAST_WORDS:] or done.stderr[-_LAST_WORDS:]


def main(arguments: Sequence[str]) -> int:
    """Draws the sample, plants each of it, and tells what survives."""
    parser = argparse.ArgumentParser("python -m contract_tests.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="files of the core; by default all")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--sample", type=int, default=40)
    asked = parser.parse_args(arguments)
    files = [path.resolve() for path in asked.files] or sorted(CORE.glob("*.py"))
    every = [mutant for path in files for mutant in mutants_of(path)]
    chosen = random.Random(asked.seed).sample(every, min(asked.sample, len(every)))
    sys.stdout.write(f"{len(chosen)} of {len(every)} mutants, seed {asked.seed}\n")
    path = CORE / "__init__.py"
    unchanged = Mutant(path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8"), "", "")
    if complaint := complaint_about(unchanged):
        sys.stdout.write(f"Without a change the unit tests must pass, and they do not:\n{complaint}\n")
        return 1
    survivors = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, complaint in zip(chosen, pool.map(complaint_about, chosen), strict=True):
            word = "LIVES"
            if complaint:
                word = "killed"
            elif (mutant.file, mutant.added) in EQUIVALENT:
                word = "equal"
            if word == "LIVES":
                survivors.append(mutant)
            sys.stdout.write(f"{word:7} {mutant}\n"[:300])
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - len(survivors)}/{len(chosen)} are noticed, or can be noticed by nobody\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
