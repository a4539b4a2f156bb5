"""writing: a new version replaces the old one as a whole, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gateway.config import load, writing
from gateway.config.writing import create, digest, is_writable, replace
from gateway.errors import ConfigChanged, ConfigError, ConfigNotWritten

BEFORE, AFTER = b"# one\n", b"# two\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "pocketpost.toml"
    made.write_bytes(BEFORE)
    return made


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_the_version_before_is_kept_beside_it_with_mode_and_owner(file: Path) -> None:
    file.chmod(0o640)
    if os.getuid() == 0:
        os.chown(file, 12345, 23456)
    owner = file.stat().st_uid, file.stat().st_gid
    replace(file, AFTER, digest(BEFORE))
    replace(file, b"# three\n", digest(AFTER))
    previous = file.with_name("pocketpost.toml.previous")
    assert (file.read_bytes(), previous.read_bytes()) == (b"# three\n", AFTER)
    assert names(file.parent) == {"pocketpost.toml", "pocketpost.toml.previous"}
    for each in (file, previous):
        status = each.stat()
        assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, *owner)


def test_a_file_that_changed_meanwhile_stays_as_it_is(file: Path) -> None:
    version = digest(file.read_bytes())
    file.write_bytes(b"# by hand\n")
    with pytest.raises(ConfigChanged):
        replace(file, AFTER, version)
    assert file.read_bytes() == b"# by hand\n"
    assert names(file.parent) == {"pocketpost.toml"}


def test_a_link_stays_and_leads_to_the_new_version(file: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "etc").mkdir()
    (folder / "second.toml").symlink_to(file)
    link = folder / "pocketpost.toml"
    link.symlink_to("second.toml")
    replace(link, AFTER, digest(BEFORE))
    assert link.is_symlink()
    assert file.read_bytes() == AFTER
    assert names(folder) == {"pocketpost.toml", "second.toml"}
    assert names(tmp_path) == {"etc", "pocketpost.toml", "pocketpost.toml.previous"}


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "rename", "fchown"])
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EBUSY])
def test_a_fault_at_any_step_leaves_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    if step == "fchown" and os.getuid() == 0:
        os.chown(file, 12345, 23456)
    elif step == "fchown":
        pytest.skip("only root makes a file of another owner")
    monkeypatch.setattr(writing.tempfile if step == "mkstemp" else writing.os, step, fail)
    with pytest.raises(ConfigNotWritten, match=os.strerror(number)):
        replace(file, AFTER, digest(BEFORE))
    assert file.read_bytes() == BEFORE
    assert names(file.parent) <= {"pocketpost.toml", "pocketpost.toml.previous"}


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(file: Path) -> None:
    file.parent.chmod(0o500)
    try:
        assert not is_writable(file)
        with pytest.raises(ConfigNotWritten):
            replace(file, AFTER, digest(BEFORE))
    finally:
        file.parent.chmod(0o700)


def test_what_is_on_disk_is_synced_before_it_is_renamed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("fsync", "rename"):
        real = getattr(os, name)
        monkeypatch.setattr(
            writing.os, name, lambda *a, real=real, name=name: (done.append(name), real(*a))[1]
        )
    replace(file, AFTER, digest(BEFORE))
    assert done == ["fsync", "rename", "fsync"] * 2


def test_a_new_file_replaces_nothing(tmp_path: Path) -> None:
    new = tmp_path / "pocketpost.toml"
    create(new, BEFORE)
    assert (new.read_bytes(), new.stat().st_mode & 0o777) == (BEFORE, 0o600)
    with pytest.raises(ConfigNotWritten, match="File exists"):
        create(new, AFTER)
    assert new.read_bytes() == BEFORE
    assert names(tmp_path) == {"pocketpost.toml"}
    with pytest.raises(ConfigNotWritten, match="No such file"):
        create(tmp_path / "nowhere" / "pocketpost.toml", AFTER)
    with pytest.raises(ConfigNotWritten, match="No such file"):
        replace(tmp_path / "gone.toml", AFTER, digest(BEFORE))


def test_a_text_is_read_as_if_it_were_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    text = (
        '[[upstream]]\ndomains = ["a.example"]\nimap = "imaps://a"\nsmtp = "smtps://a"\nca_file = "ca.pem"\n'
    )
    config = load(tmp_path / "pocketpost.toml", b"\xef\xbb\xbf" + text.encode())
    assert config.upstreams[0].store.ca_file == tmp_path / "ca.pem"
    assert config.state == tmp_path / "pocketpost.sqlite"
    with pytest.raises(ConfigError, match=r"pocketpost\.toml, line 5: .*there is no file") as caught:
        load(tmp_path / "pocketpost.toml", text.replace("ca.pem", "none.pem").encode())
    assert caught.value.key == ("upstream", 0, "ca_file")
