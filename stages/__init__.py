"""The stages of the pipeline, a script for each: `python -m stages.NAME`.

While a stage imports its libraries, Python's garbage collector would search their new objects again and again and find
nothing, for a tenth of the time that a first `dvc repro` takes. It starts in `src.core.cli.run`.
No stage depends on this file in dvc.yaml: it changes how long a stage takes and never what it writes.
"""

import gc

gc.disable()
