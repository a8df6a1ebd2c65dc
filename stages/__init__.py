"""The stages of the pipeline, a script for each: `python -m stages.NAME`.

Python's garbage collector is off while a stage imports its libraries: it would find nothing, and take a tenth of the
time of a first `dvc repro`. `src.core.cli.run` switches it on.
In dvc.yaml no stage depends on this file, because it never changes what a stage writes.
"""

import gc

gc.disable()
