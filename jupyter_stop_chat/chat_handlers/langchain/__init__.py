"""Models of LangChain: how they are asked, heard, tried again, and let go of."""
