"""The whole pipeline by the real DVC, on the sample."""

from tests.conftest import Project

STAGES = {"download", "split", "normalize", "train@0", "evaluate", "predict", "submit", "draw"}


def test_a_fresh_clone_runs_every_stage_but_submit_and_leaves_git_clean(project: Project) -> None:
    assert set(project.repro()) == STAGES - {"submit"}
    assert project.changed() == ""
    assert project.repro() == []


def test_nothing_runs_again_in_a_copy(reproduced: Project) -> None:
    assert reproduced.repro() == []
    assert reproduced.changed() == ""
