"""The file on disk: there whole, or not at all."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from .wire import Answer, Twin, failure, write_by

MP4 = {"Content-Type": "video/mp4"}
FILE = Answer(200, b"the whole video", MP4)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def appearing(path: Path) -> Callable[[int, int | None], None]:
    """Another file takes the name while the download runs."""

    def on_progress(*_: object) -> None:
        path.write_bytes(b"mine")

    return on_progress


# Targets that cannot be


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("name", "error"),
    [
        *((name, IsADirectoryError) for name in ("folder", ".", "folder/..", "link", "videos/", "folder/")),
        ("missing/bow.mp4", FileNotFoundError),
        ("file/bow.mp4", NotADirectoryError),
    ],
)
def test_what_cannot_be_a_target_is_refused_before_any_request(
    connect: Twin, tmp_path: Path, name: str, error: type[OSError], overwrite: bool
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "file").write_bytes(b"")
    client, wire = connect(FILE)
    failure(error, client.download, "video_1", f"{tmp_path}/{name}", overwrite=overwrite)
    assert (wire.requests, names(tmp_path)) == ([], ["file", "folder", "link"])


@pytest.mark.parametrize("dangling", [False, True])
def test_an_existing_target_is_refused_before_any_request(connect: Twin, tmp_path: Path, dangling: bool) -> None:
    target = tmp_path / "bow.mp4"
    if dangling:
        target.symlink_to("nowhere.mp4")
    else:
        target.write_bytes(b"mine")
    client, wire = connect(FILE)
    error = failure(FileExistsError, client.download, "video_1", target)
    assert (error.filename, wire.requests, names(tmp_path)) == (str(target), [], ["bow.mp4"])
    assert dangling or target.read_bytes() == b"mine"


def test_a_folder_that_is_a_file_is_named(connect: Twin, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    client, _ = connect(FILE)
    error = failure(NotADirectoryError, client.download, "video_1", tmp_path / "file" / "bow.mp4")
    assert error.filename == str(tmp_path / "file")


def test_an_empty_path_is_refused_before_any_request(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    client, wire = connect(FILE)
    failure(IsADirectoryError, client.download, "video_1", "")
    assert (wire.requests, names(tmp_path)) == ([], [])


@pytest.mark.parametrize("name", ["videos/", "videos\\"])
def test_a_path_that_ends_as_a_folder_does_on_windows_is_refused_there(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(os, "sep", "\\")
    client, wire = connect(FILE)
    failure(IsADirectoryError, client.download, "video_1", f"{tmp_path}/{name}")
    assert (wire.requests, names(tmp_path)) == ([], [])


def test_a_path_with_a_null_character_is_refused_before_any_request(connect: Twin, tmp_path: Path) -> None:
    client, wire = connect(FILE)
    with pytest.raises(ValueError, match="null"):
        client.download("video_1", f"{tmp_path}/bow\0.mp4")
    assert wire.requests == []


@pytest.mark.parametrize("name", ["x" * 256, "ü" * 128, "🐈" * 64])
def test_a_name_too_long_for_the_file_system_is_refused(connect: Twin, tmp_path: Path, name: str) -> None:
    client, _ = connect(FILE)
    with pytest.raises(OSError, match="File name too long") as caught:
        client.download("video_1", tmp_path / name)
    assert caught.value.errno == errno.ENAMETOOLONG
    assert names(tmp_path) == []


# Targets that can


def test_the_path_comes_back_as_it_was_given(connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client, _ = connect(FILE)
    assert client.download("video_1", "bow.mp4") == Path("bow.mp4")
    assert (tmp_path / "bow.mp4").read_bytes() == b"the whole video"


@pytest.mark.parametrize(
    "name",
    ["x" * 251 + ".mp4", "ü" * 127, "x" + "🐈" * 63, "-f.mp4", "a b.mp4", ".hidden", "no-ending", "a\nb.mp4", "%s"],
)
def test_any_name_that_the_file_system_takes_can_be_a_target(connect: Twin, tmp_path: Path, name: str) -> None:
    client, _ = connect(FILE)
    client.download("video_1", tmp_path / name)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"the whole video"


def test_bytes_are_collected_in_a_hidden_part_file_beside_the_target(connect: Twin, tmp_path: Path) -> None:
    seen: list[list[str]] = []
    client, _ = connect(FILE)
    client.download("video_1", tmp_path / "bow.mp4", on_progress=lambda *_: seen.append(names(tmp_path)))
    ((part,),) = seen
    assert part.startswith(".bow.mp4.")
    assert part.endswith(".part")
    assert len(part) > len(".bow.mp4..part") + 8


def test_each_download_has_a_part_file_of_its_own(connect: Twin, tmp_path: Path) -> None:
    seen: set[str] = set()
    client, _ = connect(FILE)
    for _ in range(3):
        client.download(
            "video_1", tmp_path / "bow.mp4", overwrite=True, on_progress=lambda *_: seen.update(names(tmp_path))
        )
    assert len(seen - {"bow.mp4"}) == 3


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0o466, 0o200)])
def test_the_target_has_the_mode_of_any_new_file(connect: Twin, tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        client, _ = connect(FILE)
        client.download("video_1", tmp_path / "bow.mp4")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "bow.mp4").stat().st_mode) == mode


# Overwriting


def test_overwrite_replaces_the_target_once_the_new_file_is_whole(connect: Twin, tmp_path: Path) -> None:
    target = tmp_path / "bow.mp4"
    target.write_bytes(b"old, and rather longer than the new one")
    seen: list[bytes] = []
    client, _ = connect(FILE)
    client.download("video_1", target, overwrite=True, on_progress=lambda *_: seen.append(target.read_bytes()))
    assert seen == [b"old, and rather longer than the new one"]
    assert target.read_bytes() == b"the whole video"
    assert names(tmp_path) == ["bow.mp4"]


def test_overwrite_keeps_the_old_file_where_the_download_fails(connect: Twin, tmp_path: Path) -> None:
    target = tmp_path / "bow.mp4"
    target.write_bytes(b"old")
    client, _ = connect(Answer(404))
    with pytest.raises(Exception, match="404"):
        client.download("video_1", target, overwrite=True)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["bow.mp4"]


def test_overwrite_replaces_a_symlink_and_not_what_it_points_to(connect: Twin, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    (tmp_path / "bow.mp4").symlink_to("other")
    client, _ = connect(FILE)
    client.download("video_1", tmp_path / "bow.mp4", overwrite=True)
    assert (tmp_path / "other").read_bytes() == b"mine"
    assert not (tmp_path / "bow.mp4").is_symlink()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root can make a device")


ODD = [make_fifo, make_socket, make_device]


@pytest.mark.parametrize("make", ODD)
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_no_regular_file_is_never_replaced_and_nothing_is_sent(
    connect: Twin, tmp_path: Path, make: Callable[[Path], None], overwrite: bool
) -> None:
    target = tmp_path / "bow.mp4"
    make(target)
    mode = target.lstat().st_mode
    client, wire = connect(FILE)
    failure(OSError, client.download, "video_1", target, overwrite=overwrite)
    failure(OSError, client.remix_to_file, "video_1", target, prompt="x", overwrite=overwrite)
    assert (wire.requests, target.lstat().st_mode, names(tmp_path)) == ([], mode, ["bow.mp4"])


@pytest.mark.parametrize("make", ODD)
def test_what_is_no_regular_file_and_appears_meanwhile_is_not_replaced(
    connect: Twin, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    target = tmp_path / "bow.mp4"
    client, _ = connect(FILE)
    failure(OSError, client.download, "video_1", target, overwrite=True, on_progress=lambda *_: make(target))
    assert not stat.S_ISREG(target.lstat().st_mode)
    assert names(tmp_path) == ["bow.mp4"]


@pytest.mark.parametrize("make", ODD)
def test_a_symlink_to_what_is_no_regular_file_leaves_it_alone(
    connect: Twin, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "odd")
    (tmp_path / "bow.mp4").symlink_to("odd")
    client, _ = connect(FILE)
    with suppress(OSError):
        client.download("video_1", tmp_path / "bow.mp4", overwrite=True)
    assert not stat.S_ISREG((tmp_path / "odd").lstat().st_mode)


# Faults of the file system


def no_links(code: int) -> Callable[..., None]:
    def link(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return link


NO_LINKS = [errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL]


@pytest.mark.parametrize("code", [None, *NO_LINKS])
def test_with_and_without_links_the_file_gets_its_name_and_no_other_is_touched(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    if code is not None:
        monkeypatch.setattr(os, "link", no_links(code))
    client, _ = connect(FILE)
    client.download("video_1", tmp_path / "bow.mp4")
    assert (tmp_path / "bow.mp4").read_bytes() == b"the whole video"
    target = tmp_path / "other.mp4"
    failure(FileExistsError, client.download, "video_1", target, on_progress=appearing(target))
    assert target.read_bytes() == b"mine"
    assert names(tmp_path) == ["bow.mp4", "other.mp4"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_any_other_fault_of_linking_passes_unchanged(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", no_links(code))
    client, _ = connect(FILE)
    with pytest.raises(OSError, match=os.strerror(code)):
        client.download("video_1", tmp_path / "bow.mp4")
    assert names(tmp_path) == []


def test_a_fault_of_putting_the_bytes_on_the_disk_passes_unchanged(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = OSError(errno.EIO, "the disk is broken")

    def fsync(_: int) -> None:
        raise fault

    monkeypatch.setattr(os, "fsync", fsync)
    client, wire = connect(FILE)
    with pytest.raises(OSError, match="the disk is broken") as caught:
        client.download("video_1", tmp_path / "bow.mp4")
    assert caught.value is fault
    assert len(wire.requests) == 1
    assert names(tmp_path) == []


def test_the_bytes_are_on_the_disk_before_the_file_gets_its_name(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, link = os.fsync, os.link

    def watched_fsync(handle: int) -> None:
        size = os.fstat(handle).st_size
        fsync(handle)
        order.append(f"fsync {size}")

    def watched_link(source: Path, target: Path) -> None:
        link(source, target)
        order.append("link")

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "link", watched_link)
    client, _ = connect(FILE)
    client.download("video_1", tmp_path / "bow.mp4")
    assert order[:2] == ["fsync 15", "link"]


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "the disk is full"), TimeoutError("the disk is slow")])
def test_a_full_disk_passes_unchanged_and_is_not_retried(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError
) -> None:
    def write(*_: object) -> int:
        raise fault

    write_by(monkeypatch, write)
    client, wire = connect(FILE)
    assert failure(type(fault), client.download, "video_1", tmp_path / "bow.mp4") is fault
    assert (len(wire.requests), names(tmp_path)) == (1, [])


def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(
    connect: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def write(file: Any, chunk: memoryview) -> int:
        taken.append(file.write(chunk[:4]))
        return taken[-1]

    write_by(monkeypatch, write)
    client, _ = connect(FILE)
    client.download("video_1", tmp_path / "bow.mp4")
    assert (tmp_path / "bow.mp4").read_bytes() == b"the whole video"
    assert taken == [4, 4, 4, 3]
