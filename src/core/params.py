"""Read and validate params.yaml, key by key."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from yaml import MarkedYAMLError, YAMLError

from src.core import conflicts
from src.core.errors import UserError
from src.core.yaml_1_2 import load_yaml

PATH = Path("params.yaml")

T = TypeVar("T")


class Section(BaseModel):
    """A section of params.yaml: unknown keys, missing keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def get(key: str, kind: type[T]) -> T:
    """Return the value of the dotted `key`, checked and converted to `kind`.

    A stage may read only the keys that dvc.yaml declares for it.

    Raises:
        UserError: the key is missing, or its value is not a valid `kind`.
    """
    value: object = read()
    path: list[str] = []
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            known = ", ".join(map(str, value)) if isinstance(value, Mapping) else "no keys"
            raise UserError(f"{PATH}: there is no {key}; {'.'.join(path) or 'the file'} has {known}")
        value = value[part]
        path.append(part)
    return validate(value, kind, path)


def read() -> Mapping[str, object]:
    """Return all of params.yaml, unchecked.

    Raises:
        UserError: the file is not valid YAML, has no keys, or holds an unfinished merge.
    """
    text = PATH.read_text(encoding="utf-8")
    conflicts.refuse(PATH, text)
    try:
        content = load_yaml(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{PATH}, line {line}: {error.problem}") from None
    except (YAMLError, ValueError) as error:
        raise UserError(f"{PATH}: {' '.join(str(error).split())}") from None
    if not isinstance(content, Mapping):
        raise UserError(f"{PATH}: expected keys such as `recipe: linear`")
    return content


def validate(value: object, kind: type[T], path: list[str]) -> T:
    """Return `value` as a valid `kind`; `path` holds the keys that lead to it.

    Raises:
        UserError: one line that names each wrong key, its value and what is allowed.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        problems = []
        for problem in error.errors(include_url=False):
            key = ".".join(map(str, [*path, *problem["loc"]]))
            what = problem["msg"].removeprefix("Value error, ")
            # the input of a missing key, or of a rule about several keys, is the mapping around them
            found = "" if isinstance(problem["input"], Mapping) else f" (found: {problem['input']!r})"
            problems.append(f"{key}: {what[0].lower()}{what[1:]}{found}")
        raise UserError(f"{PATH}: {'; '.join(problems)}") from None
