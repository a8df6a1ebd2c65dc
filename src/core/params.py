"""Read and validate params.yaml, key by key."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from src.core.errors import UserError

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
        UserError: the file is not valid YAML, or has no keys.
    """
    try:
        content = load_yaml(PATH.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{PATH}, line {line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
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


def load_yaml(text: str) -> Any:
    """Parse YAML so that every scalar has the value that DVC reads.

    DVC reads YAML 1.2 and PyYAML reads YAML 1.1, in which `1e-05`, which DVC itself writes, is a string, `on` and `yes`
    are true and `012` is ten.

    Raises:
        yaml.YAMLError: the text is not valid YAML, or a key occurs twice in one mapping.
    """
    return yaml.load(text, Loader=_Yaml12Loader)


# the scalars that YAML 1.2 writes differently from YAML 1.1: tag, pattern, first characters
_SCALARS = (
    ("tag:yaml.org,2002:bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", "[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|_*[0-9][0-9_]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9_]+([eE][-+][0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
)


class _Yaml12Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars of YAML 1.2 and without duplicate keys."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the attribute is PyYAML's
        first: [(tag, pattern) for tag, pattern in patterns if tag not in {tag for tag, _, _ in _SCALARS}]
        for first, patterns in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<`, whose keys those of the mapping itself override
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f'found duplicate key "{key}"', problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node).replace("_", "")
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        base = {"0b": 2, "0o": 8, "0x": 16}.get(digits[:2])
        return sign * (int(digits[2:], base) if base else int(digits))


for _tag, _pattern, _first in _SCALARS:
    _Yaml12Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), [*_first])
_Yaml12Loader.add_constructor("tag:yaml.org,2002:int", _Yaml12Loader.construct_integer)
