"""A package that brings models into the chat, as a person would install one."""

from __future__ import annotations

from pathlib import Path

#: A real LangChain agent: a model that thinks, and a tool that waits for a file to appear, and
#: breaks where there is nothing to see. And a model that is only synchronous, goes on in its
#: thread until the file appears, and notes how far.
_MODULE = '''
import asyncio
import time
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
async def look_out(where: str) -> str:
    """Look whether a ship comes."""
    if where == "cellar":
        raise RuntimeError("no window: cellar-7")
    while not Path({flag!r}).exists():
        await asyncio.sleep(0.02)
    return "a ship"


def make(name):
    model = ChatOpenAI(
        base_url={base_url!r}, api_key="sk-x", model="gpt-test", max_retries=0,
        use_responses_api=True,
    )
    return create_agent(model, [look_out])


class Stubborn(BaseChatModel):
    """Wait in the middle of a word, deaf to whatever is cancelled."""

    @property
    def _llm_type(self):
        return "stubborn"

    def _generate(self, *args, **kwargs):
        raise NotImplementedError

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for word in ("It ", "never ", "ends: "):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        while not Path({flag!r}).exists():
            time.sleep(0.02)
        Path({said!r}).touch()
        yield ChatGenerationChunk(message=AIMessageChunk(content="late"))


def stubborn(name):
    return Stubborn()
'''


def write_agent(folder: Path, base_url: str) -> Path:
    """Write the package; its models are `lookout:anything` and `stubborn:anything`.

    :param folder: where it goes; to be put on the Python path.
    :param base_url: where its model is.
    :returns: the file that its tool and its stubborn model wait for.
    """
    flag = folder / "come"
    said = folder / "said"
    module = _MODULE.format(flag=str(flag), said=str(said), base_url=base_url)
    (folder / "lookout_agent.py").write_text(module)
    about = folder / "lookout_agent-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lookout-agent\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[jupyter_stop_chat.chat_handlers]\n"
        "lookout = lookout_agent:make\nstubborn = lookout_agent:stubborn\n"
    )
    return flag
