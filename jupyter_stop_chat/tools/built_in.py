"""Which tools come with the package, and how they are told to models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_stop_chat.ports.contents import Contents
from jupyter_stop_chat.ports.kernels import Kernels
from jupyter_stop_chat.ports.outputs import OutputStore
from jupyter_stop_chat.ports.pictures import PictureMaker
from jupyter_stop_chat.ports.tools import Tool
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.tool_routes import KernelAction

from .documents import Documents
from .editing import TOP, Editing
from .files import Files
from .reading import MOST_CELLS, Reading
from .runs.going import Runs
from .runs.keeping import Keeping
from .runs.restarting import Restarting
from .runs.running import LIMIT_S, LONGEST_S, Running
from .runs.using import Tasks
from .seen import Seen
from .seen_files import SeenFiles
from .writing import Writing

_PATH = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1000,
    "description": "From the server's root, as in analysis/first.ipynb.",
}
_CELL = {"type": "string", "minLength": 1, "maxLength": 64, "description": "The cell's id."}
_AFTER = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "description": f'The id of the cell to put it below; "{TOP}" puts it above all others.',
}
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_TEXT = {"type": "string", "maxLength": 400_000}


class BuiltInTools:
    """The tools that come with the package, the same for everybody; none without a server.

    :param contents: the server's files, where there is a server.
    :param kernels: its kernels, likewise.
    :param outputs: keeps what runs have shown that no page was there for.
    :param pictures: makes pictures small that models are shown.
    """

    def __init__(
        self,
        contents: Contents | None,
        kernels: Kernels | None = None,
        outputs: OutputStore | None = None,
        pictures: PictureMaker | None = None,
    ) -> None:
        self._documents = Documents(contents)
        self._tasks = Tasks()
        self._runs = None if kernels is None else Runs(kernels)
        self._tools: tuple[Tool, ...] = ()
        if contents is None:
            return
        seen = Seen()
        reading = Reading(self._documents, seen)
        self._tools = _tools(self._documents, reading, seen)
        if kernels is not None and self._runs is not None:
            keeping = Keeping(kernels, outputs, self._tasks)
            running = Running(
                self._documents,
                reading,
                seen,
                kernels,
                self._runs,
                keeping,
                self._tasks,
                pictures,
            )
            restarting = Restarting(self._documents, reading, kernels, self._tasks)
            self._tools += _that_run(running, restarting)

    def __call__(self, owner: str) -> Sequence[Tool]:
        """Return what models may call for somebody."""
        return self._tools

    async def act_on_kernel(
        self, owner: str, message_id: str, call_id: str, action: KernelAction
    ) -> None:
        """Interrupt the run of a call by itself, or start its kernel anew.

        :raises StopChatError: `not_possible_now`: this server has no such run (any more).
        """
        if self._runs is None:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "there are no kernels")
        await self._runs.act(owner, message_id, call_id, action)

    async def close(self) -> None:
        """Return when what had begun has ended; runs that do not are left to their kernels."""
        await self._documents.close()
        await self._tasks.close()


def _that_run(running: Running, restarting: Restarting) -> tuple[Tool, ...]:
    limit = {**_NUMBER, "maximum": LONGEST_S, "description": f"By default {LIMIT_S}."}
    return (
        Tool(
            "run_cell",
            "Run a code cell of a notebook in its kernel, as it is now, and return its outputs. "
            "It waits until the kernel has nothing else to do. After time_limit_s seconds the "
            "cell is interrupted.",
            _object({"path": _PATH, "cell_id": _CELL, "time_limit_s": limit}, "path", "cell_id"),
            "runs",
            running.run,
            running.propose,
        ),
        Tool(
            "restart_kernel",
            "Start the kernel of a notebook anew, or start one where it has none. All that is "
            "defined in it is lost.",
            _object({"path": _PATH}, "path"),
            "runs",
            restarting.run,
            restarting.propose,
        ),
    )


def _tools(documents: Documents, reading: Reading, seen: Seen) -> tuple[Tool, ...]:
    editing = Editing(documents, reading, seen)
    seen_files = SeenFiles()
    files, writing = Files(documents, seen_files), Writing(documents, seen_files)
    return (
        Tool(
            "list_documents",
            "List the notebooks and files that are open in JupyterLab and, where a folder is "
            "given, what is in it.",
            _object({"folder": {**_PATH, "minLength": 0, "description": 'The root is "".'}}),
            "reads",
            reading.list_documents,
            reading.propose_list,
        ),
        Tool(
            "read_notebook",
            "Read a notebook as it is now, unsaved changes included: its cells with their ids, "
            f"sources and outputs, {MOST_CELLS} at once. What is long is cut and says so; cells "
            "that are named are told at more length.",
            _object(
                {
                    "path": _PATH,
                    "cell_ids": {"type": "array", "items": _CELL, "maxItems": MOST_CELLS},
                    "start": {**_NUMBER, "description": "The first cell, counted from 1."},
                    "count": _NUMBER,
                },
                "path",
            ),
            "reads",
            reading.read_notebook,
            reading.propose,
        ),
        Tool(
            "read_file",
            "Read a text file that is no notebook, by lines. What is long is cut and says so.",
            _object({"path": _PATH, "start_line": _NUMBER, "count": _NUMBER}, "path"),
            "reads",
            files.read_file,
            files.propose,
        ),
        Tool(
            "search_files",
            "Find a text, letter by letter and in any case, in the files of a folder and below "
            "it, and in the cells of notebooks, as they are saved.",
            _object(
                {
                    "text": {"type": "string", "minLength": 1, "maxLength": 500},
                    "folder": {**_PATH, "minLength": 0, "description": "By default the root."},
                    "files": {
                        "type": "string",
                        "maxLength": 200,
                        "description": "What their names are like, as in *.py.",
                    },
                },
                "text",
            ),
            "reads",
            files.search_files,
        ),
        Tool(
            "insert_cell",
            "Put a new cell below another one of a notebook. It is not run.",
            _object(
                {
                    "path": _PATH,
                    "after": _AFTER,
                    "cell_type": {"type": "string", "enum": ["code", "markdown", "raw"]},
                    "source": _TEXT,
                },
                *("path", "after", "cell_type", "source"),
            ),
            "edits",
            editing.run,
            editing.propose_insert,
        ),
        Tool(
            "replace_cell",
            "Replace the source of a cell, or a part of it. With old_source, that text is "
            "replaced, which must be in the cell exactly once; without, all of the source is, "
            "which must be as you read it last.",
            _object(
                {"path": _PATH, "cell_id": _CELL, "new_source": _TEXT, "old_source": _TEXT},
                *("path", "cell_id", "new_source"),
            ),
            "edits",
            editing.run,
            editing.propose_replace,
        ),
        Tool(
            "move_cell",
            "Move a cell of a notebook below another one.",
            _object(
                {"path": _PATH, "cell_id": _CELL, "after": _AFTER}, "path", "cell_id", "after"
            ),
            "edits",
            editing.run,
            editing.propose_move,
        ),
        Tool(
            "delete_cell",
            "Delete a cell that you have read, with its outputs.",
            _object({"path": _PATH, "cell_id": _CELL}, "path", "cell_id"),
            "edits",
            editing.run,
            editing.propose_delete,
        ),
        Tool(
            "write_file",
            "Write a file of text that is no notebook: a new one, with text, whose folders are "
            "made as well; or one that is there. With old_text and new_text a part of it is "
            "replaced, which must be in the file exactly once; with text all of it is, which "
            "must be as you read it last.",
            _object({"path": _PATH, "text": _TEXT, "old_text": _TEXT, "new_text": _TEXT}, "path"),
            "runs",
            writing.run,
            writing.propose,
        ),
    )


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    """Return the schema of arguments."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
