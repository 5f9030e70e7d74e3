"""Hear what a provider says on the wire, where the client libraries drop it.

LangChain's classes turn a stream into chunks and lose on the way how it ended and much of what it
told besides. What is missing there, and would make this room needless:

* langchain-openai passes no `reasoning_content`, `reasoning`, `reasoning_details` or `refusal` of
  a delta on, takes a list of content parts for text, and its Responses lose
  `response.reasoning_text.delta`. It adds up usage that a server sends as a running total.
* langchain-ollama hands `thinking` on only where thinking was asked for.
* openai, anthropic and ollama, the clients, do not say whether a stream ended by the provider's
  own end (`[DONE]`, `message_stop`, `done`) or just ended; they wait for the connection to close
  behind that end; and of an error inside a stream they keep neither the number nor a wait.

All of them speak through httpx (or httpx2), whose clients take event hooks. Ours lets a response
pass one event at a time, looks at it first, and notes what it says in the `Hearing` of the reply
that is being made. Requests of nobody's reply pass untouched.
"""

from .faults import ProviderFault
from .hearing import Answer, Hearing
from .hooks import hear, listen

__all__ = ["Answer", "Hearing", "ProviderFault", "hear", "listen"]
