"""Read params.yaml key by key, and check what is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from src.errors import UserError

PATH = Path("params.yaml")

T = TypeVar("T")


class Section(BaseModel):
    """A section of params.yaml: unknown keys, missing keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def load(key: str, kind: type[T]) -> T:
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
    return check(value, kind, path)


def read() -> Mapping[str, object]:
    """Return params.yaml as it stands, read as DVC reads it (YAML 1.2).

    Raises:
        UserError: the file is not valid YAML, or holds no keys.
    """
    try:
        content = YAML(typ="safe", pure=True).load(PATH)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{PATH}, line {line}: {error.problem}") from None
    if not isinstance(content, Mapping):
        raise UserError(f"{PATH}: expected keys such as `recipe: linear`")
    return content


def check(value: object, kind: type[T], path: list[str]) -> T:
    """Return `value` as a valid `kind`; `path` says under which keys it stands.

    Raises:
        UserError: one line that names each wrong key, what stands there and what is allowed.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        problems = []
        for problem in error.errors(include_url=False):
            key = ".".join(map(str, [*path, *problem["loc"]]))
            what = problem["msg"].removeprefix("Value error, ")
            found = "" if problem["type"] == "missing" else f" (found: {problem['input']!r})"
            problems.append(f"{key}: {what[0].lower()}{what[1:]}{found}")
        raise UserError(f"{PATH}: {'; '.join(problems)}") from None
