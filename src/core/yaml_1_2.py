"""YAML 1.2 as DVC reads it: `1e-05`, which DVC itself writes, is a number, and `on` and `1:30` are text.

PyYAML reads YAML 1.1. So what is a truth value or a number is decided here, by the patterns of DVC's reader.
"""

import re
from typing import Any

import yaml
from yaml import CSafeLoader, MappingNode, ScalarNode
from yaml.constructor import ConstructorError

TAG = "tag:yaml.org,2002:"
PATTERNS = {
    "bool": ("tTfF", r"true|True|TRUE|false|False|FALSE"),
    "int": ("-+0123456789", r"[-+]?(0b[01_]+|0o?[0-7_]+|[0-9_]+|0x[0-9a-fA-F_]+)"),
    "float": ("-+.0123456789", r"[-+]?([0-9][0-9_]*(\.[0-9_]*([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"
              r"|\.[0-9_]+([eE][-+][0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"),
}  # fmt: skip
"""The first characters and the pattern of each type that YAML 1.1 has otherwise."""


class Loader(CSafeLoader):
    """PyYAML's loader of plain values, by the rules of YAML 1.2, and without keys that occur twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(TAG) not in PATTERNS]
        for first, resolvers in CSafeLoader.yaml_implicit_resolvers.items()
    }

    def flatten_mapping(self, node: MappingNode) -> None:
        """Merge what `<<` names into a mapping, whose own keys must differ."""
        seen = set[str]()
        for key, _ in node.value:
            if repr(key) in seen:
                raise ConstructorError(None, None, f'found duplicate key "{key.value}"', key.start_mark)
            seen.add(repr(key))
        super().flatten_mapping(node)
        # a mapping that others merge comes here again
        node.value = [*{repr(key): (key, value) for key, value in node.value}.values()]


def load_yaml(text: str) -> Any:
    """Return the content of a YAML document.

    Raises:
        yaml.YAMLError: the text is not valid YAML, or a key occurs twice in one mapping.
        ValueError: a number has no digits, such as `0x_`.
    """
    return yaml.load(text, Loader)


def _integer(loader: Loader, node: ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    return int(text, 0 if text.lstrip("+-")[:2] in ("0b", "0o", "0x") else 10)


for name, (characters, form) in PATTERNS.items():
    Loader.add_implicit_resolver(TAG + name, re.compile(f"(?:{form})$"), [*characters])
Loader.add_constructor(TAG + "int", _integer)
