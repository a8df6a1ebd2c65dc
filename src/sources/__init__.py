"""Where a competition's files come from and where predictions go.

Each folder here is one source, for example `sample`; the modules beside them serve all sources. What the files hold is
checked in `src.data`.
"""
