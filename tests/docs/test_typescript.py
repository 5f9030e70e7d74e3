"""The TypeScript that pages show is taken by the compiler, against the package's own source."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

LABEXTENSION = ROOT / "labextension"


@pytest.mark.stress
def test_it_compiles(tmp_path: Path) -> None:
    """As in an extension that has our package beside JupyterLab's."""
    node = shutil.which("node")
    assert node
    for number, each in enumerate(blocks("ts")):
        (tmp_path / f"shown{number}.ts").write_text(f"{each.text}\nexport {{}};\n")
    modules = LABEXTENSION / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules)
    options = {
        "noEmit": True,
        "incremental": False,
        "noUnusedLocals": False,
        "noUnusedParameters": False,
        "rootDir": "/",
        "paths": {"jupyter-stop-chat": [f"{LABEXTENSION}/src/index.ts"]},
    }
    about = {
        "extends": f"{LABEXTENSION}/tsconfig.json",
        "compilerOptions": options,
        "include": [f"{tmp_path}/*.ts"],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(about))
    done = subprocess.run(
        [node, modules / "typescript" / "bin" / "tsc", "-p", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
