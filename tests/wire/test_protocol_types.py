"""The TypeScript types of the frames are those of the Python models."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "generate_protocol.py"


def test_the_checked_in_types_are_those_of_the_models() -> None:
    """Fail when the models have changed and the types have not, or the other way round."""
    assert (ROOT / "labextension" / "node_modules").is_dir(), (
        "labextension/node_modules is missing: run `jlpm install` in labextension/ first "
        "(`make test` does)."
    )
    checked = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_drift_is_noticed(tmp_path: Path) -> None:
    """Change one word of the checked-in types and see the check fail."""
    assert (ROOT / "labextension" / "node_modules").is_dir(), "run `jlpm install` first"
    drifted = tmp_path / "protocol"
    shutil.copytree(ROOT / "labextension" / "src" / "wire" / "protocol", drifted)
    objects = drifted / "objects.ts"
    types = objects.read_text(encoding="utf-8")
    objects.write_text(types.replace("message_id", "messageId", 1), encoding="utf-8")
    code = (
        "import runpy, sys, pathlib\n"
        f"space = runpy.run_path({str(SCRIPT)!r})\n"
        f"space['main'].__globals__['TARGET'] = pathlib.Path({str(drifted)!r})\n"
        "sys.exit(space['main'](['--check']))\n"
    )
    checked = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=90, check=False
    )
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "messageId" in checked.stdout
