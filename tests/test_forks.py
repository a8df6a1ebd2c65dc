"""What serves those who fork the project: workflows, hooks of pre-commit, the devcontainer, the Kaggle kernel."""

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from src.core.yaml_1_2 import load_yaml
from tests.conftest import ROOT, Project
from tests.test_readme import follow, install

HOOKS = {hook["id"]: hook for hook in load_yaml((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]}


def workflow(name: str) -> dict[str, Any]:
    content: dict[str, Any] = load_yaml((ROOT / f".github/workflows/{name}.yml").read_text())
    return content


def scripts(name: str, job: str = "") -> dict[str, str]:
    """Return the scripts of a job, which has the name of its workflow unless told, by the names of their steps."""
    return {step["name"]: step["run"] for step in workflow(name)["jobs"][job or name]["steps"] if "run" in step}


def step(project: Project, script: str, **environment: str) -> str:
    """Run a step's script as GitHub does."""
    return project.run("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script, **environment)


def test_no_workflow_gives_a_fork_secrets_or_the_right_to_write() -> None:
    assert workflow("checks")["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow("checks")["on"]
    assert "secrets." not in (ROOT / ".github/workflows/checks.yml").read_text()
    # the one that may write runs the code of the main branch, and no text from outside gets into its scripts
    assert list(workflow("comment")["on"]) == ["workflow_run"]
    assert "checkout" not in (ROOT / ".github/workflows/comment.yml").read_text()
    for name in ("checks", "comment"):
        for job in workflow(name)["jobs"]:
            assert not any("${{" in script for script in scripts(name, job).values())


@pytest.mark.slow
def test_the_steps_of_checks_run_in_a_clean_folder(reproduced: Project, tmp_path: Path) -> None:
    steps = scripts("checks")
    assert steps.pop("Test").endswith("ci/run")  # which runs this test
    install(reproduced)
    reproduced.set({"recipes.linear.epochs": 5})
    base = reproduced.run("git", "rev-parse", "HEAD").strip()
    summary = tmp_path / "summary.md"
    reproduced.run("git", "commit", "--quiet", "--all", "--message", "Train for five epochs")
    for script in steps.values():
        step(reproduced, script, BASE=base, NUMBER="7", GITHUB_STEP_SUMMARY=str(summary))
    assert re.search(r"^\| params.yaml +\| recipes\.linear\.epochs +\| 40 +\| 5 ", summary.read_text(), re.MULTILINE)
    assert re.search(r"^\| metrics/evaluate\.json +\| accuracy ", summary.read_text(), re.MULTILINE)
    assert (reproduced.root / "comparison/number").read_text() == "7\n"
    assert (reproduced.root / "report.html").exists()
    # the first push of a branch has a base that does not exist
    step(reproduced, steps["Compare with the base"], BASE="0" * 40, GITHUB_STEP_SUMMARY=str(summary))


@pytest.mark.slow
def test_the_steps_on_other_systems_run_without_a_shell(reproduced: Project) -> None:
    steps = scripts("checks", "elsewhere")
    steps["Test what needs no POSIX shell"] += " --collect-only"  # they run here anyway
    files = [word for word in steps.pop("Install").split() if word.endswith(".txt")]
    assert files and all((ROOT / file).is_file() for file in files)
    for script in steps.values():
        reproduced.run(*shlex.split(script))
    assert (reproduced.root / "report.html").exists()


GH = """#!/usr/bin/env bash
# what GitHub's client answers, and a record of what it was asked
echo "$*" >> "$RECORD"
case "$*" in
    *pulls/7*) echo 0123456789abcdef ;;
    *--paginate*) echo "$EARLIER" ;;
esac
"""


def test_the_comment_is_a_table_of_the_right_pull_request(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "comparison").mkdir()
    (tmp_path / "comparison/params.md").write_text("| Path | HEAD |\n|---|---|\n| seeds | [0, 1] |\n")
    (tmp_path / "comparison/metrics.md").write_text(
        "hello @somebody\n| [a](http://evil.example) | ![b](c) <img src=d> @team #1 www.evil.example `e` |\n"
    )
    variables = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "RECORD": str(tmp_path / "asked"),
        "EARLIER": "",
        "COMMIT": "0123456789abcdef",
        "GH_REPO": "somebody/project",
        "GITHUB_ENV": str(tmp_path / "env"),
        "NUMBER": "7",
        "RUN": "1",
    }
    steps = scripts("comment")
    for number, fails in (("7\n", False), ("8\n", True), ("7; echo\n", True), ("7\n8\n", True)):
        (tmp_path / "comparison/number").write_text(number)
        command = ["bash", "-e", "-o", "pipefail", "-c", steps["Check the number"]]
        assert (subprocess.run(command, cwd=tmp_path, env=os.environ | variables).returncode != 0) == fails
    assert (tmp_path / "env").read_text() == "NUMBER=7\n"

    step(project, steps["Write the comment"], **variables)
    comment = (tmp_path / "comment.md").read_text()
    assert comment.startswith("<!-- comparison -->\n")
    assert "| seeds | 0, 1 |" in comment
    assert not re.search(r"[@#`\[\]()!]|http:|www\.|hello|<img", comment.partition("-->")[2])

    step(project, steps["Send it"], **variables)
    step(project, steps["Send it"], **variables | {"EARLIER": "42"})
    asked = (tmp_path / "asked").read_text()
    assert "--method POST repos/somebody/project/issues/7/comments --field body=@comment.md" in asked
    assert "--method PATCH repos/somebody/project/issues/comments/42 --field body=@comment.md" in asked


def run_hook(project: Project, hook: str, *files: str, fails: bool) -> str:
    # pytest in a hook shall not clear away the folders of other runs of the tests
    apart = {"PYTEST_DEBUG_TEMPROOT": str(project.root.parent)}
    return project.run(*HOOKS[hook]["entry"].split(), *files, fails=fails, **apart)


def test_the_hooks_for_style_and_commits(reproduced: Project) -> None:
    install(reproduced)
    bad = "src/core/bad.py"
    (reproduced.root / bad).write_text("import os\nx = {  }\n")
    assert "Remove unused import" in run_hook(reproduced, "ruff-check", bad, fails=True)
    run_hook(reproduced, "ruff-check", "src/core/cli.py", fails=False)
    run_hook(reproduced, "ruff-format", bad, fails=False)
    assert (reproduced.root / bad).read_text() == "import os\n\nx = {}\n"
    (reproduced.root / bad).unlink()

    tracked = reproduced.run("git", "ls-files").split()
    run_hook(reproduced, "kaggle-tokens", *tracked, fails=False)
    allowed = [file for file in tracked if not re.search(HOOKS["large-files"]["exclude"], file)]
    run_hook(reproduced, "large-files", *allowed, fails=False)
    (reproduced.root / "large.bin").write_bytes(bytes(1_000_001))
    assert "large.bin: 1.0 MB" in run_hook(reproduced, "large-files", "large.bin", fails=True)
    token = f"{'0123456789abcdef' * 2}"
    for text in (f'{{"username": "a", "key": "{token}"}}', f"KGAT_{token}", f"export KAGGLE_KEY={token}"):
        (reproduced.root / "notes").write_text(f"first line\n{text}\n")
        assert "notes:2: a Kaggle token" in run_hook(reproduced, "kaggle-tokens", "notes", fails=True)
    in_use = "correct-horse-battery"
    (reproduced.root / "notes").write_text(f"the secret in use: {in_use}")
    reproduced.environment = {"KAGGLE_API_TOKEN": in_use}
    assert "notes:1: a Kaggle token" in run_hook(reproduced, "kaggle-tokens", "notes", fails=True)


@pytest.mark.slow
def test_the_hooks_for_types_and_dependencies(reproduced: Project) -> None:
    install(reproduced)
    if (ROOT / ".mypy_cache").exists():  # mypy reads all of torch's types without it, for a minute or two
        shutil.copytree(ROOT / ".mypy_cache", reproduced.root / ".mypy_cache")
    run_hook(reproduced, "mypy", fails=False)
    run_hook(reproduced, "dependencies", fails=False)
    path = reproduced.root / "dvc.yaml"
    declared = path.read_text()
    assert "src/evaluation, " in declared
    path.write_text(declared.replace("src/evaluation, ", ""))
    assert "add to the deps of evaluate: src/evaluation/" in run_hook(reproduced, "dependencies", fails=True)
    with (reproduced.root / "src/jobs.py").open("a") as file:  # which no other module imports: mypy reads only it
        file.write('\n\nNUMBER: int = "text"\n')
    assert "src/jobs.py" in run_hook(reproduced, "mypy", fails=True)


def test_the_devcontainer_installs_by_make_and_has_the_extension_of_dvc() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    command, target = container["postCreateCommand"].split()
    assert command == "make"
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    assert "iterative.dvc" in container["customizations"]["vscode"]["extensions"]


class KernelService(BaseHTTPRequestHandler):
    """Kaggle's service for kernels: it keeps what is pushed to it."""

    pushed: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        """Take a kernel, and answer with its version."""
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.path.endswith("/SaveKernel")
        if known:
            self.pushed.append(content)
        answer = json.dumps({"ref": "/somebody/kernel", "url": "https://kaggle.invalid/kernel", "versionNumber": 1})
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_the_client_pushes_the_kernel(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "kernel", tmp_path / "kernel")
    metadata = tmp_path / "kernel/kernel-metadata.json"
    metadata.write_text(metadata.read_text().replace("YOU", "somebody"))
    with ThreadingHTTPServer(("127.0.0.1", 0), KernelService) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_port}"
        environment = {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "secret",
            "http_proxy": proxy, "https_proxy": proxy, "no_proxy": "", "NO_PROXY": "", "HOME": str(tmp_path),
        }  # fmt: skip
        printed = follow(Project(tmp_path, environment), "kaggle kernels push -p kernel")
        server.shutdown()
    assert "successfully pushed" in printed
    [request] = KernelService.pushed
    assert request["competitionDataSources"] == ["digit-recognizer"]
    assert request["machineShape"] == "NvidiaTeslaT4"
    assert request["enableInternet"]
    assert request["isPrivate"]
    assert "%%bash" in request["text"]
