"""What dvc.lock says of a run: the hashes of its outputs, and whether its stages ran on them."""

from collections.abc import Mapping
from typing import Any

from src.inference import members

TO_SCORES = ("download@files", "split", "normalize", "ensemble", "predict", "evaluate")
"""The stages that an accuracy is made by, but for the training of each network."""


class Lock:
    """What dvc.lock says of a run with these parameters.

    Attributes:
        written: the hash of each output of the stages up to the scores, by its path.
    """

    def __init__(self, content: Mapping[str, Any], params: Mapping[str, Any]) -> None:
        self._stages, self._params = content.get("stages", {}), params
        self._networks = members.names(params["folds"], params["seeds"])
        self._to_scores = [*TO_SCORES, *(f"train@{network}" for network in self._networks)]
        self.written: dict[str, str] = {
            out["path"]: out["md5"]
            for stage in self._to_scores
            for out in self._stages.get(stage, {}).get("outs", [])
            if "md5" in out
        }

    def evaluated(self) -> bool:
        """Return whether every stage up to `evaluate` ran with these parameters on what the one before it wrote."""
        recipe = f"recipes.{self._params['recipe']}"
        trained = all(recipe in self._used(f"train@{network}") for network in self._networks)
        return trained and all(map(self.fresh, self._to_scores)) and self.written.get("models") == self._copied()

    def fresh(self, stage: str) -> bool:
        """Return whether a stage ran with these parameters on files that the stages up to the scores wrote."""
        read = {dep["path"]: dep.get("md5") for dep in self._stages.get(stage, {}).get("deps", [])}
        return (
            stage in self._stages
            and all(self.written.get(path, md5) == md5 for path, md5 in read.items())
            and all(_value(self._params, key) == value for key, value in self._used(stage).items())
        )

    def _used(self, stage: str) -> dict[str, object]:
        """Return the parameters that a stage ran with."""
        return {**self._stages.get(stage, {}).get("params", {}).get("params.yaml", {})}

    def _copied(self) -> str | None:
        """Return the hash of a folder with copies of these networks, which `ensemble` makes of the trained ones."""
        from dvc_data.hashfile.tree import Tree

        files = [f"{network}.safetensors" for network in self._networks]
        folder = Tree.from_list([{"relpath": name, "md5": self.written.get(f"checkpoints/{name}")} for name in files])
        folder.digest()
        value: str | None = folder.hash_info.value
        return value


def _value(params: Any, key: str) -> object:
    for name in key.split("."):
        params = params.get(name) if isinstance(params, Mapping) else None
    found: object = params
    return found
