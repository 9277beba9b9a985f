"""Downloads from a small server on the loopback interface."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest
import requests
import wfdb

from ecgclf import datasets
from ecgclf.datasets import _fetching, fetch_mitbih, fetch_ptbdb, get_data_home, make_record

#: Bytes before a connection is closed: more than one chunk of the downloader.
CUT = 100_000


@dataclass
class FakePhysioNet:
    """Server with optional faults and a log of its requests."""

    files: dict[str, bytes]
    url: str = ""
    ranges: bool = True
    cut: dict[str, int] = field(default_factory=dict)  # file -> number of interruptions
    status: dict[str, list[int]] = field(default_factory=dict)  # file -> next status codes
    log: list[tuple[str, str | None, int]] = field(default_factory=list)

    def requests(self, file: str) -> list[tuple[str | None, int]]:
        """Return the Range header and the number of bytes sent for each request of `file`."""
        return [(asked, sent) for name, asked, sent in self.log if name == file]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name, asked = handler.path.lstrip("/"), handler.headers.get("Range")
        queue = self.status.get(name)
        code = queue.pop(0) if queue else (200 if name in self.files else 404)
        body = self.files.get(name, b"") if code == 200 else b""
        if code == 200 and asked and self.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            code, total, body = 206, len(body), body[start:]
            if not body:
                code = 416
        handler.send_response(code)
        handler.send_header("Content-Length", str(len(body)))
        if code == 206:
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        handler.end_headers()
        if self.cut.get(name, 0) > 0:
            self.cut[name] -= 1
            body = body[:CUT]
            handler.close_connection = True
        self.log.append((name, asked, len(body)))
        handler.wfile.write(body)


def sums_of(files: dict[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(body).hexdigest()} {name}" for name, body in files.items()]
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> dict[str, bytes]:
    """Two short records, in the layout of PhysioNet."""
    folder = tmp_path_factory.mktemp("published")
    for seed, name in enumerate(["100", "101"]):
        make_record(folder, name, duration=150, random_state=seed)
    (folder / "RECORDS").write_text("100\n101\n")
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    assert len(files["100.dat"]) > CUT
    return {**files, "SHA256SUMS.txt": sums_of(files)}


@pytest.fixture
def server(database, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    fake = FakePhysioNet(dict(database))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # header and body in one packet, without delayed acknowledgement

        def do_GET(self):
            fake.answer(self)

        def log_message(self, *args):
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        fake.url = f"http://127.0.0.1:{http.server_port}/"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield fake
        http.shutdown()


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    monkeypatch.setattr(_fetching, "_WAIT", 0)

    def fetch(**kwargs) -> Path:
        settings = {"retries": 0, "base_url": server.url}
        return fetch_mitbih(data_home=tmp_path, **{**settings, **kwargs})

    return fetch


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_downloads_the_whole_database(fetch, database, tmp_path):
    folder = fetch()
    assert folder == tmp_path / "mitdb"
    assert contents(folder) == dict(sorted(database.items()))
    assert wfdb.rdrecord(str(folder / "101")).sig_len == 150 * 360


def test_downloads_only_the_records_asked_for(fetch, server):
    folder = fetch(records=["101"])
    assert {path.stem for path in folder.glob("*.*")} == {"101", "SHA256SUMS"}
    assert not server.requests("100.dat")


def test_a_complete_database_only_requests_the_checksums(fetch, server):
    folder = fetch()
    server.log.clear()
    assert fetch() == folder
    assert [name for name, _, _ in server.log] == ["SHA256SUMS.txt"]


def test_ptbdb_keeps_the_folders_of_its_patients(server, database, tmp_path):
    names = {"patient001/s1": "100", "patient002/s2": "101"}
    server.files = {"RECORDS": "\n".join(names).encode()}
    for name, of in names.items():
        for suffix in (".hea", ".dat", ".xyz"):
            server.files[name + suffix] = database[of + suffix.replace("xyz", "atr")]
    server.files["SHA256SUMS.txt"] = sums_of(server.files)
    folder = fetch_ptbdb(
        data_home=tmp_path, records=["patient002/s2"], base_url=server.url, retries=0
    )
    assert folder == tmp_path / "ptbdb"
    assert (folder / "patient002/s2.xyz").read_bytes() == database["101.atr"]
    assert not (folder / "patient001").exists()


def serve(server, files, *records):
    """Publish files with their checksums."""
    server.files = {"RECORDS": "\n".join(records).encode(), **files}
    server.files["SHA256SUMS.txt"] = sums_of(server.files)


def test_folders_of_records_and_tables(server, tmp_path):
    names = [
        "records100/00000/00001_lr",
        "records100/00000/00002_lr",
        "records500/00000/00001_hr",
    ]
    files = {name + suffix: name.encode() for name in names for suffix in (".hea", ".dat")}
    tables = {"ptbxl_database.csv": b"ecg_id", "scp_statements.csv": b"code"}
    serve(server, {**files, **tables}, *names)
    folder = datasets.fetch(
        "ptb-xl", records=["records100"], data_home=tmp_path, base_url=server.url, retries=0
    )
    assert folder == tmp_path / "ptb-xl"
    loaded = {str(file.relative_to(folder)) for file in folder.rglob("*.*")}
    expected = {name for name in files if name.startswith("records100")}
    assert loaded == {*expected, *tables, "SHA256SUMS.txt"}


def test_optional_files_may_be_missing(server, tmp_path):
    files = {f"{name}{suffix}": b"x" for name in ("118e24", "bw") for suffix in (".hea", ".dat")}
    serve(server, {**files, "118e24.atr": b"y"}, "118e24", "bw")
    folder = datasets.fetch("nstdb", data_home=tmp_path, base_url=server.url, retries=0)
    assert (folder / "118e24.atr").read_bytes() == b"y"
    assert not (folder / "bw.atr").exists()


def test_a_required_file_without_checksum(server, tmp_path):
    serve(server, {"801.hea": b"x", "801.dat": b"x"}, "801")
    with pytest.raises(ValueError, match=r"no checksum for 801\.atr"):
        datasets.fetch("svdb", data_home=tmp_path, base_url=server.url, retries=0)


def test_an_unknown_database_lists_the_known_names(tmp_path):
    with pytest.raises(ValueError, match=r"'mitbdb' is unknown\..* mitdb, svdb, incartdb, ptbdb"):
        datasets.fetch("mitbdb", data_home=tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", datasets.DATABASES)
def test_the_default_address_is_that_of_the_table(name, tmp_path, monkeypatch):
    asked = []

    def get(session, url, **options):
        asked.append(url)
        raise requests.ConnectionError("no network in this test")

    monkeypatch.setattr(requests.Session, "get", get)
    with pytest.raises(ConnectionError):
        datasets.fetch(name, data_home=tmp_path, retries=0)
    version = "1.0.3" if name == "ptb-xl" else "1.0.0"
    assert asked == [f"https://physionet.org/files/{name}/{version}/SHA256SUMS.txt"]


def test_an_interrupted_file_is_resumed_in_the_same_call(fetch, server, database):
    server.cut["100.dat"] = 1
    folder = fetch(retries=1)
    assert contents(folder) == dict(sorted(database.items()))
    (first, sent_first), (second, sent_second) = server.requests("100.dat")
    assert (first, sent_first) == (None, CUT)
    kept = int(re.fullmatch(r"bytes=(\d+)-", second)[1])
    assert 0 < kept <= CUT
    assert sent_second == len(database["100.dat"]) - kept


def test_an_interrupted_file_is_resumed_in_a_later_call(fetch, server, database, tmp_path):
    folder = tmp_path / "mitdb"
    server.cut["100.dat"] = 1
    with pytest.raises(ConnectionError, match=r"100\.dat.*call again"):
        fetch()
    assert not (folder / "100.dat").exists()
    kept = (folder / "100.dat.part").stat().st_size
    assert 0 < kept <= CUT
    server.log.clear()
    fetch()
    assert contents(folder) == dict(sorted(database.items()))
    rest = len(database["100.dat"]) - kept
    assert server.requests("100.dat") == [(f"bytes={kept}-", rest)]
    assert not server.requests("100.hea"), "existing files are kept"


def test_a_server_without_ranges_sends_the_whole_file(fetch, server, database):
    server.ranges = False
    server.cut["100.dat"] = 1
    folder = fetch(retries=1)
    assert contents(folder) == dict(sorted(database.items()))
    (_, _), (asked, sent) = server.requests("100.dat")
    assert asked.startswith("bytes=")
    assert sent == len(database["100.dat"])


@pytest.mark.parametrize("extra", [0, 5], ids=["complete", "too long"])
def test_a_complete_or_longer_part_is_downloaded_again(fetch, server, database, tmp_path, extra):
    part = tmp_path / "mitdb" / "100.dat.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * (len(database["100.dat"]) + extra))
    assert contents(fetch()) == dict(sorted(database.items()))
    assert [asked for asked, _ in server.requests("100.dat")] == [
        f"bytes={len(database['100.dat']) + extra}-",
        None,
    ]


def test_a_part_with_wrong_bytes_is_downloaded_again(fetch, server, database, tmp_path):
    part = tmp_path / "mitdb" / "100.dat.part"
    part.parent.mkdir()
    part.write_bytes(b"not the beginning of the file")
    assert contents(fetch()) == dict(sorted(database.items()))
    assert [asked for asked, _ in server.requests("100.dat")] == ["bytes=29-", None]


def test_a_wrong_checksum_is_an_error_and_leaves_no_file(fetch, server, database, tmp_path):
    server.files["100.dat"] = database["100.dat"][:-1] + b"?"
    with pytest.raises(ValueError, match="wrong checksum") as caught:
        fetch()
    message = str(caught.value)
    for body in (database["100.dat"], server.files["100.dat"]):
        assert hashlib.sha256(body).hexdigest() in message
    assert server.url + "100.dat" in message
    assert "by hand" in message
    assert not list((tmp_path / "mitdb").glob("100.dat*"))
    assert len(server.requests("100.dat")) == 1


@pytest.mark.parametrize("missing", ["SHA256SUMS.txt", "RECORDS", "101.atr"])
def test_a_missing_file_is_named(fetch, server, missing):
    del server.files[missing]
    with pytest.raises(FileNotFoundError, match=f"{server.url}{missing}.*404.*ECGCLF_DATA"):
        fetch(retries=2)
    assert len(server.requests(missing)) == 1, "404 does not pass by waiting"


def test_an_overloaded_server_is_asked_again(fetch, server, database):
    server.status["100.hea"] = [503, 429]
    assert contents(fetch(retries=2)) == dict(sorted(database.items()))
    assert len(server.requests("100.hea")) == 3


def test_a_server_that_stays_overloaded_is_an_error(fetch, server):
    server.status["100.hea"] = [503, 503]
    with pytest.raises(ConnectionError, match=r"100\.hea.*503"):
        fetch(retries=1)


def test_no_network_says_what_to_do(fetch, tmp_path):
    with pytest.raises(ConnectionError) as caught:
        fetch(base_url="http://127.0.0.1:9/mitdb/")
    message = str(caught.value)
    assert "http://127.0.0.1:9/mitdb/SHA256SUMS.txt" in message
    assert "network" in message
    assert str(tmp_path / "mitdb") in message
    assert not list((tmp_path / "mitdb").iterdir())


def test_a_complete_database_needs_no_network(fetch, database):
    fetch()
    with pytest.warns(UserWarning, match="checksums of an earlier download"):
        folder = fetch(base_url="http://127.0.0.1:9/")
    assert contents(folder) == dict(sorted(database.items()))


@pytest.mark.parametrize("damage", ["flipped", "truncated"])
def test_a_damaged_file_on_the_disk_is_replaced(fetch, database, damage):
    place = fetch() / "100.dat"
    good = database["100.dat"]
    place.write_bytes(good[:-1] + b"?" if damage == "flipped" else good[:-1])
    with pytest.warns(UserWarning, match=r"100\.dat is damaged"):
        fetch()
    assert place.read_bytes() == good


def test_a_damaged_file_is_deleted_even_if_it_cannot_be_replaced(fetch, server):
    place = fetch() / "100.dat"
    place.write_bytes(b"damaged")
    del server.files["100.dat"]
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(FileNotFoundError):
        fetch()
    assert not place.exists()


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (["10"], r"no record '10'.*'10[01]'"),
        (["100", "ds1"], "no record 'ds1'"),
        ([], "records is empty"),
        ("100", r"\['100'\]"),
    ],
)
def test_bad_records(fetch, records, message):
    with pytest.raises(ValueError, match=message):
        fetch(records=records)


def test_a_list_without_checksums_is_refused(fetch, server):
    server.files["SHA256SUMS.txt"] = b"<html>Please log in</html>"
    with pytest.raises(ValueError, match=r"SHA256SUMS\.txt is not a list"):
        fetch()


def test_a_name_that_leads_out_of_the_folder_is_refused(fetch, server, tmp_path):
    for suffix in (".hea", ".dat", ".atr"):
        server.files[f"../out{suffix}"] = b"evil"
    server.files["RECORDS"] = b"../out\n"
    del server.files["SHA256SUMS.txt"]
    server.files["SHA256SUMS.txt"] = sums_of(server.files)
    with pytest.raises(ValueError, match="outside"):
        fetch()
    assert not list(tmp_path.glob("out*"))


def test_records_without_a_published_checksum(fetch, server, database):
    del server.files["SHA256SUMS.txt"]
    files = {name: body for name, body in server.files.items() if name != "RECORDS"}
    server.files["SHA256SUMS.txt"] = sums_of(files)
    assert contents(fetch())["RECORDS"] == database["RECORDS"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "progressbar", "shown"),
    [(Terminal, True, True), (Terminal, False, False), (io.StringIO, True, False)],
)
def test_the_bar_shows_on_a_terminal_only(fetch, monkeypatch, stream, progressbar, shown):
    err = stream()
    monkeypatch.setattr("sys.stderr", err)
    fetch(progressbar=progressbar)
    assert ("mitdb: 100%" in err.getvalue()) == shown


def test_data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("ECGCLF_DATA", str(tmp_path / "environment"))
    assert get_data_home(tmp_path) == tmp_path
    assert get_data_home() == tmp_path / "environment"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get_data_home("~/ecg") == tmp_path / "ecg"
    monkeypatch.delenv("ECGCLF_DATA")
    assert get_data_home() == Path(pooch.os_cache("ecgclf"))
