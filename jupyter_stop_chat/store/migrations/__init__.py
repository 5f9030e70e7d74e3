"""The revisions of the database's schema, applied at first use; there is no `alembic.ini`.

A released revision is never edited: a change of the schema is a new file in `versions/`, and
`HEAD` names it. Revisions are numbers of four digits, so that a newer one can be told by its name.
"""

#: The newest revision. A database that is there already needs no Alembic, whose import is slow.
HEAD = "0011"
