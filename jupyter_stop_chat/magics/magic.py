"""The magics themselves: what a person writes, and what is done with it."""

from __future__ import annotations

import queue
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from jupyter_stop_chat.documents.endings import ending

from .backends.base import Backend
from .cell import Cell
from .commands import Commands, show_help
from .completion import CELL
from .defaults import Backends, Defaults, find_chat
from .failures import Failures
from .help import COMMANDS, mistake, nearest
from .interrupts import Interrupts
from .line import Line
from .names import Filled, fill_in
from .outcome import Interrupted, Reply
from .received import Received
from .turn import Turn
from .view import view

#: What is asked about an error where nothing else is.
QUESTION = "What does this error mean, and how do I fix it?"
FORMS = ("markdown", "code", "raw")
#: What a reply calls the language of this kernel; a block without a name is taken for it.
PYTHON = frozenset({"", "python", "python3", "py", "py3", "ipython", "ipython3", "pycon"})


def _options(name: str) -> Callable[[Any], Any]:
    """Give a magic the options of a prompt."""
    each = [
        magic_arguments(name),
        argument("--model", "-m", help="the model, as provider:model; see %%chat models"),
        argument("--chat", "-c", help="go on with this chat: its title, its id or how it begins"),
        argument("--new", "-n", action="store_true", help="begin a new chat; --chat is its title"),
        argument(
            "--as",
            "-a",
            dest="form",
            choices=FORMS,
            help="show it as Markdown or as it is (raw), or its code in the next cell (code)",
        ),
        argument("--to", "-t", metavar="VAR", help="also give the text to this variable"),
        argument("--quiet", "-q", action="store_true", help="show nothing; for use with --to"),
    ]

    def decorate(magic: Any) -> Any:
        for decorator in reversed(each):
            magic = decorator(magic)
        return magic

    return decorate


@magics_class
class ChatMagics(Magics):
    """What adds `%%chat` and `%chat`."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.defaults = Defaults()
        self.backends = Backends()
        self.failures = Failures(shell)

    @_options("%%chat")
    @argument("--no-fill", action="store_true", help="send {name} as it stands")
    @cell_magic("chat")  # type: ignore[arg-type]
    def cell(self, line: str, cell: str) -> None:
        """Send the cell to a model and stream its reply into the cell's output.

        The kernel's interrupt button is a Stop: the model is stopped and its provider's connection
        closed, the partial reply stays and is marked, here and in the chat, and the cell ends as
        interrupted. So does Stop in the chat's sidebar.

        Cells go on with the same chat until --new or --chat says otherwise. {name} that stands
        alone in plain words becomes the value of that variable of yours, and the output says so;
        nothing is evaluated, and code, formulas and all other braces are sent as they stand.
        """
        asked = _parse(self.cell, _split(line))
        if not cell.strip():
            raise UsageError("There is nothing to send: the cell is blank.")
        self._run(asked, lambda: self._fill(asked, cell.strip("\n")))

    @_options("%chat_error")
    @argument("question", nargs="*", help="what to ask; by default what it means, and the fix")
    @line_magic("chat_error")  # type: ignore[arg-type]
    def error(self, line: str) -> None:
        """Ask a model about the last error: the failed cell and its traceback are sent.

        The options are those of %%chat, and what else is written is the question. Nothing is
        filled in. The kernel's interrupt button is a Stop here as well.
        """
        try:
            asked = _parse(self.error, _split(line))
        except UsageError:
            if "'" not in line and '"' not in line:
                raise
            asked = _parse(self.error, line.split())  # it is a sentence
        failure = self.failures.last
        if failure is None:
            raise UsageError("Nothing has failed in this session: there is no error to ask about.")
        question = " ".join(asked.question).strip() or QUESTION
        self._run(asked, lambda: Filled(f"{question}\n\n{failure.markdown()}"))

    @line_magic("chat")  # type: ignore[arg-type]
    def line(self, line: str) -> None:
        """List, open, show and stop chats, and set what %%chat does when it is not told.

        %chat [list [WORDS]]         the newest chats, or those in which the words are
        %chat open TITLE|ID          the next %%chat goes on with this one
        %chat new                    the next %%chat begins one
        %chat show [TITLE|ID]        show a chat's messages; without a name, this notebook's
        %chat stop [TITLE|ID|all]    stop what is being made in a chat; without a name, in all
        %chat models                 list the models that can be chosen
        %chat help                   all of this, and the options of %%chat, in a table
        %chat set [--model M] [--as markdown|code|raw] [--quiet|--no-quiet] [--fill|--no-fill]
        """
        words = _split(line) or ["list"]
        assert self.shell is not None
        rich = getattr(self.shell, "kernel", None) is not None
        if words[0] == "help":
            show_help(self.cell, rich=rich)
            return
        if words[0] not in COMMANDS:
            meant = nearest(words[0], COMMANDS)
            said = f" Did you mean {meant!r}?" if meant else ""
            raise UsageError(f"%chat knows no {words[0]!r}.{said} %chat help lists what it knows.")
        Commands(self.backends, self.defaults, rich=rich).run(words[0], words[1:])

    # -----------------------------------------------------------------------------------------

    def _run(self, asked: Namespace, fill: Callable[[], Filled]) -> None:
        """Send a prompt as its options say, and stream the reply.

        :param fill: makes the prompt; an interrupt in it is a Stop.
        """
        assert self.shell is not None
        if asked.to is not None and not _is_variable(asked.to):
            raise UsageError(f"--to takes the name of a variable, not {asked.to!r}.")
        news: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with Interrupts(news, self.shell) as interrupts:
            filled = fill()
            turn = Turn(
                self.backends.backend,
                lambda backend, way: self._prompt(asked, filled.text, backend, way),
                news,
            )
            form = asked.form or self.defaults.form
            shown = view(
                rich=getattr(self.shell, "kernel", None) is not None,
                form=form,
                quiet=asked.quiet or self.defaults.quiet,
                note=filled.note,
            )
            run = Cell(turn, shown, news)
            try:
                received = run.run(interrupts)
            except Interrupted:
                self._keep(asked, run.received, turn.backend)
                raise
            except Exception:
                self.backends.forget()
                raise
            self._keep(asked, received, turn.backend)
            if form == "code":
                self._offer_code(received)

    def _prompt(self, asked: Namespace, body: str, backend: Backend, line: Line) -> dict[str, Any]:
        prompt: dict[str, Any] = {"body": body}
        model = asked.model or self.defaults.model
        if model:
            prompt["model"] = model
        chat_id = None if asked.new else self.defaults.chat_id
        if asked.chat and not asked.new:
            chat_id = find_chat(backend, asked.chat, line)
        if chat_id:
            prompt["chat_id"] = chat_id
        if path := backend.path(line):
            prompt["path"] = path
        return prompt

    def _fill(self, asked: Namespace, prompt: str) -> Filled:
        if asked.no_fill or not self.defaults.fill:
            return Filled(prompt)
        shell = self.shell
        assert shell is not None
        return fill_in(prompt, shell.user_ns, shell.user_ns_hidden)

    def _offer_code(self, received: Received) -> None:
        """Put a reply's Python, and nothing else of it, into the next cell; it is not run."""
        from jupyter_stop_chat.markdown.code import code_blocks

        assert self.shell is not None
        blocks = [each for each in code_blocks(received.text) if each.code.strip()]
        own = [each.code for each in blocks if each.language in PYTHON]
        others = dict.fromkeys(each.language for each in blocks if each.language not in PYTHON)
        left = f"left out, as this kernel runs Python: {', '.join(others)}" if others else ""
        if not own:
            why = f" ({left})" if left else ""
            sys.stdout.write(
                f"The reply has no block of Python{why}, so the next cell is left alone.\n"
            )
            return
        if left:
            sys.stdout.write(f"Of the reply's code was {left}.\n")
        code = "\n\n".join(own)
        if told := ending(received.finish_reason, received.text):
            code = f"# {told}\n{code}"
        self.shell.set_next_input(code)

    def _keep(self, asked: Namespace, received: Received, backend: Backend | None) -> None:
        """Keep what came: the chat to go on with, its title, the variable."""
        assert self.shell is not None
        if received.chat_id:
            self.defaults.chat_id = received.chat_id
            if asked.new and asked.chat and backend is not None:
                backend.rename(received.chat_id, asked.chat)
        if asked.to:
            reply = Reply(received.text)
            reply.state, reply.model = received.state, received.model
            reply.finish_reason = received.finish_reason
            reply.chat_id, reply.message_id = received.chat_id, received.message_id or ""
            self.shell.user_ns[asked.to] = reply


def _is_variable(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error}.") from None


def _parse(magic: Any, words: list[str]) -> Namespace:
    try:
        parsed: Namespace = magic.parser.parse_intermixed_args(words)
    except UsageError as error:
        options = [*CELL, *filter(None, CELL.values())]
        raise UsageError(mistake(str(error), words, options, magic.parser)) from None
    return parsed
