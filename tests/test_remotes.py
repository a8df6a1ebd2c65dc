"""A team: what one clone pushes to a remote, another pulls, and computes nothing again."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project, stages_run

S3 = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[str]:
    """Serve the S3 API on loopback, with one bucket, and return its address."""
    for module in ("dvc_s3", "moto.server", "flask_cors"):
        pytest.importorskip(module, reason="needs requirements-remotes.txt, and `moto[s3] flask flask-cors`")
    import boto3

    address = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", address.rpartition(":")[2]]
    with (tmp_path / "moto.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            client = boto3.client(
                "s3", endpoint_url=address, aws_access_key_id="nobody", aws_secret_access_key="nothing",
                region_name="us-east-1",
            )  # fmt: skip
            for attempt in range(60):
                try:
                    client.create_bucket(Bucket="team")
                    break
                except Exception:
                    assert attempt < 59
                    time.sleep(0.5)
            yield address
        finally:
            server.terminate()


def clone_of(project: Project, folder: Path) -> Project:
    """Clone the project's git repository; nothing of DVC's cache comes along."""
    project.run("git", "clone", "--quiet", ".", str(folder))
    clone = Project(folder, project.environment)
    clone.run("git", "config", "user.name", "Another Tester")
    clone.run("git", "config", "user.email", "another@localhost")
    return clone


def pushed(project: Project, url: str, *settings: tuple[str, str]) -> Project:
    """Make `url` the remote of the project, and push to it."""
    project.run("dvc", "remote", "add", "--default", "team", url)
    for name, value in settings:
        project.run("dvc", "remote", "modify", "team", name, value)
    project.commit()
    project.run("dvc", "push")
    return project


def check_that_a_clone_has_all(project: Project, clone: Project) -> None:
    """Check that in a clone that pulled no stage runs, and that it has what the project has."""
    assert clone.repro() == [] and clone.changed() == ""
    for name in ("models/4-0.safetensors", "data/predictions/submission.csv", "plots/pictures/digits.png"):
        assert (clone.root / name).read_bytes() == (project.root / name).read_bytes()


def a_clone_pulls_all_and_runs_nothing(project: Project, folder: Path) -> None:
    clone = clone_of(project, folder)
    clone.run("dvc", "pull")
    check_that_a_clone_has_all(project, clone)


@pytest.mark.slow
def test_an_experiment_from_one_clone_to_another(reproduced: Project, tmp_path: Path) -> None:
    pushed(reproduced, str(tmp_path / "remote"))  # a clone pulls all of it in test_readme.py
    here, there = (clone_of(reproduced, tmp_path / name) for name in ("here", "there"))
    here.set({"recipes.linear.epochs": 3})
    assert here.repro("--pull", "--allow-missing", "train@4-0") == ["train@4-0"]
    fetched = {path.relative_to(here.root / "data").parts[0] for path in (here.root / "data").rglob("*.*")}
    assert fetched == {"README.md", "by-hand", "normalized"}
    assert not (here.root / "data" / "normalized" / "test").exists()
    rest = stages_run(here.run("dvc", "exp", "run", "--pull", "--name", "shorter"))
    assert {"ensemble", "predict", "evaluate", "submit", "draw"} == {*rest}

    here.run("dvc", "exp", "push", "origin", "shorter")
    assert "shorter" in there.run("dvc", "exp", "list", "origin")
    there.run("dvc", "exp", "pull", "origin", "shorter")
    there.run("dvc", "exp", "apply", "shorter")
    assert there.metrics("evaluate") == here.metrics("evaluate")
    for name in ("models/4-0.safetensors", "data/predictions/submission.csv"):
        assert (there.root / name).read_bytes() == (here.root / name).read_bytes()
    assert there.repro("--pull") == []


@pytest.mark.slow
def test_s3(reproduced: Project, tmp_path: Path, s3: str) -> None:
    reproduced.environment |= S3
    pushed(reproduced, "s3://team/digits", ("endpointurl", s3))
    a_clone_pulls_all_and_runs_nothing(reproduced, tmp_path / "clone")


@pytest.mark.slow
def test_ssh(reproduced: Project, tmp_path: Path) -> None:
    pytest.importorskip("dvc_ssh", reason="needs requirements-remotes.txt")
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if sshd is None or os.geteuid() != 0:
        pytest.skip("needs Debian's openssh-server, and root to start it")
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd gives up its privileges; its service would make it
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    port = str(free_port())
    settings = {
        "ListenAddress": "127.0.0.1", "Port": port, "HostKey": tmp_path / "host", "PidFile": "none",
        "AuthorizedKeysFile": tmp_path / "user.pub", "StrictModes": "no", "PasswordAuthentication": "no",
        "PermitRootLogin": "yes", "Subsystem": "sftp internal-sftp",
    }  # fmt: skip
    (tmp_path / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with subprocess.Popen([sshd, "-D", "-e", "-f", tmp_path / "sshd_config"]) as server:
        try:
            reproduced.environment["HOME"] = str(tmp_path)  # its .ssh is not that of the tester
            (tmp_path / ".ssh").mkdir()
            known = (tmp_path / "host.pub").read_text()
            (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {known}")
            url = f"ssh://root@127.0.0.1:{port}{tmp_path}/remote"
            pushed(reproduced, url, ("keyfile", str(tmp_path / "user")))
            a_clone_pulls_all_and_runs_nothing(reproduced, tmp_path / "clone")
        finally:
            server.terminate()
