"""Tests whose fixtures of the scope "package" end with this folder."""
