"""What a fresh process does."""

from __future__ import annotations

import subprocess
import sys


def loaded_by(code: str, *, before: str = "") -> set[str]:
    """The modules that a process has imported after `code`, and had not after `before`."""
    program = f"import sys\n{before}\nbefore = set(sys.modules)\n{code}\nprint('loaded:', *set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())
