"""A package that brings an agent into the chat, as a person would install one."""

from __future__ import annotations

from pathlib import Path

#: A real LangChain agent: a model that thinks, and a tool that waits for a file to appear.
_MODULE = '''
import asyncio
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
async def look_out(where: str) -> str:
    """Look whether a ship comes."""
    while not Path({flag!r}).exists():
        await asyncio.sleep(0.02)
    return "a ship"


def make(name):
    model = ChatOpenAI(
        base_url={base_url!r}, api_key="sk-x", model="gpt-test", max_retries=0,
        use_responses_api=True,
    )
    return create_agent(model, [look_out])
'''


def write_agent(folder: Path, base_url: str) -> Path:
    """Write the package; its models are `lookout:anything`.

    :param folder: where it goes; to be put on the Python path.
    :param base_url: where its model is.
    :returns: the file that its tool waits for.
    """
    flag = folder / "come"
    (folder / "lookout_agent.py").write_text(_MODULE.format(flag=str(flag), base_url=base_url))
    about = folder / "lookout_agent-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lookout-agent\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[jupyter_stop_chat.chat_handlers]\nlookout = lookout_agent:make\n"
    )
    return flag
