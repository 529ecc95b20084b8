#!/usr/bin/env python3
"""Real readers and checkers against a running server: what each sends, what it is answered, and what it makes of it.

    cargo build --example serve
    python3 -m venv V && V/bin/pip install feedparser reader sgmllib3k httplint redbot
    apt-get install newsboat            # optional
    V/bin/python scripts/clients.py target/debug/examples/serve

Each reader polls twice with nothing new, and a third time after one entry more. Between it and the server stands a relay
that notes requests and answers. Then httplint and REDbot judge every URL that is served. Exit status 1 where a reader was
not told 304 or 226, lost or doubled an entry, or a checker found something bad.
"""
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVER, RELAY, ENTRIES = 18441, 18442, 30
BASE = f"http://127.0.0.1:{SERVER}"
FEED = f"http://127.0.0.1:{RELAY}/feed.atom"
ATOM = "{http://www.w3.org/2005/Atom}"
log = []
bad = []


class Relay(BaseHTTPRequestHandler):
    """Passes everything on as it is."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = http.client.HTTPConnection("127.0.0.1", SERVER, timeout=10)
        asked.putrequest("GET", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "connection":
                asked.putheader(name, value)
        asked.endheaders()
        answer = asked.getresponse()
        body = answer.read()
        log.append((self.path, {name.lower() for name in self.headers}, answer.status, len(body)))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if answer.status != 304 and answer.getheader("content-length") is None:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def get(path, headers=None):
    with urllib.request.urlopen(urllib.request.Request(BASE + path, headers=headers or {}), timeout=10) as answer:
        return answer.headers, answer.read()


def grow():
    before = get("/feed.atom")[0]["ETag"]
    get("/grow")
    for _ in range(100):
        if get("/feed.atom")[0]["ETag"] != before:
            return
        time.sleep(0.05)
    raise SystemExit("the feed did not grow")


def served():
    document = ElementTree.fromstring(get("/feed.atom")[1])
    return {entry.findtext(ATOM + "id") for entry in document.iter(ATOM + "entry")}


def of_feedparser():
    import feedparser

    state, entries = {}, {}

    def poll():
        read = feedparser.parse(FEED, etag=state.get("etag"), modified=state.get("modified"))
        state.update({key: read[key] for key in ("etag", "modified") if key in read})
        entries.update((entry.id, entry) for entry in read.entries)
        return set(entries), read.get("bozo_exception")

    return poll


def of_reader():
    import reader

    shelf = reader.make_reader(":memory:")
    shelf.add_feed(FEED)

    def poll():
        # `update_feeds` waits for the next full hour.
        fault = None
        try:
            shelf.update_feed(FEED)
        except reader.ReaderError as error:
            fault = error
        return {entry.id for entry in shelf.get_entries()}, fault

    return poll


def of_newsboat(directory):
    (directory / "urls").write_text(FEED + "\n")
    (directory / "config").write_text("reload-threads 1\n")
    cache = directory / "cache.db"

    def poll():
        command = ["newsboat", "-u", directory / "urls", "-c", cache, "-C", directory / "config", "-x", "reload"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60,
                              env={"HOME": str(directory), "TERM": "dumb", "PATH": "/usr/bin:/bin"})
        import sqlite3

        with sqlite3.connect(cache) as store:
            found = {row[0] for row in store.execute("SELECT guid FROM rss_item")}
        return found, done.stderr.strip() or None

    return poll


def readers():
    directory = pathlib.Path(tempfile.mkdtemp())
    clients = [("feedparser", of_feedparser), ("lemon24/reader", of_reader)]
    if shutil.which("newsboat"):
        clients.append(("newsboat", lambda: of_newsboat(directory)))
    else:
        print("newsboat is not installed")
    print(f"{'reader':16}{'poll':8}{'status':>7}{'bytes':>8}  {'entries':>7}  conditions sent")
    for name, make in clients:
        poll = make()
        statuses = []
        for turn in ["first", "again", "once more", "grown"]:
            if turn == "grown":
                grow()
            log.clear()
            found, fault = poll()
            if not log:
                bad.append(f"{name}, {turn}: asked nothing")
                continue
            path, headers, status, size = log[-1]
            statuses.append(status)
            conditions = [key for key in ("If-None-Match", "If-Modified-Since", "A-IM") if key.lower() in headers]
            print(f"{name:16}{turn[:7]:8}{status:>7}{size:>8}  {len(found):>7}  {', '.join(conditions)}")
            if found != served():
                bad.append(f"{name}, {turn}: has {len(found)} entries, served are {len(served())}")
            if fault:
                bad.append(f"{name}, {turn}: {fault}")
        if len(statuses) < 4 or statuses[2] != 304 or statuses[3] not in (200, 226):
            bad.append(f"{name}: {statuses}")
        elif statuses[3] != 226:
            bad.append(f"{name}: no delta, {statuses}")
    shutil.rmtree(directory)


def urls():
    found = ["/", "/style.css", "/opml", "/.well-known/feeds"]
    for view in ["feed", "source/made-up", "tag/made", "tag/%E7%A7%91%E5%AD%A6"]:
        found += [f"/{view}.{ending}" for ending in ("atom", "rss", "json")]
    page = get("/feed.atom")[1].decode()
    while match := re.search(r'rel="prev-archive"[^>]* href="([^"]+)"', page):
        path = match.group(1).removeprefix(BASE)
        found.append(path)
        page = get(path)[1].decode()
    return found


def lint():
    """httplint over whole answers, in identity and in gzip."""
    from httplint import HttpResponseLinter

    print(f"\n{'httplint':44}{'status':>7}  notes of level bad or warning")
    asks = [(path, headers) for path in urls() for headers in ({}, {"Accept-Encoding": "gzip"})]
    asks += [("/nowhere", {}), ("/feed.atom", {"Accept-Encoding": "identity;q=0"})]
    for path, headers in asks:
        asked = http.client.HTTPConnection("127.0.0.1", SERVER, timeout=10)
        asked.request("GET", path, headers={"Accept-Encoding": "identity", **headers})
        answer = asked.getresponse()
        body = answer.read()
        linter = HttpResponseLinter(start_time=time.time())
        linter.process_response_topline(b"1.1", str(answer.status).encode(), answer.reason.encode())
        linter.process_headers([(a.encode(), b.encode()) for a, b in answer.getheaders()])
        linter.feed_content(body)
        linter.finish_content(True)
        told = [note for note in linter.notes if note.level.value in ("bad", "warning")]
        coding = headers.get("Accept-Encoding", "")
        print(f"{path + ' ' + coding:44}{answer.status:>7}  {'; '.join(note.summary for note in told)}")
        bad.extend(f"httplint {path} {coding}: {note.summary}" for note in told if note.level.value == "bad")


def redbot():
    tool = pathlib.Path(sys.executable).parent / "redbot"
    if not tool.exists():
        print("redbot is not installed")
        return
    print("\nREDbot")
    for path in urls():
        done = subprocess.run([tool, "-o", "har", BASE + path], capture_output=True, text=True, timeout=120)
        try:
            notes = json.loads(done.stdout)["log"]["entries"][0]["_red_messages"]
        except (ValueError, LookupError):
            bad.append(f"redbot {path}: said nothing: {done.stderr[-300:]}")
            continue
        told = {level: [note["summary"] for note in notes if note["level"] == level] for level in ("BAD", "WARN")}
        print(f"{path:44}{len(notes):>4} notes, {len(told['BAD'])} bad, {len(told['WARN'])} warnings "
              + "; ".join(told["BAD"] + told["WARN"]))
        bad.extend(f"redbot {path}: {note}" for note in told["BAD"])


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    relay = ThreadingHTTPServer(("127.0.0.1", RELAY), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    # Few entries for the readers; enough for archive documents where URLs are judged.
    for entries, checks in [(ENTRIES, [readers]), (220, [lint, redbot])]:
        server = subprocess.Popen([sys.argv[1], str(SERVER), str(entries)], stdout=subprocess.PIPE)
        try:
            server.stdout.readline()
            for check in checks:
                check()
        finally:
            server.terminate()
            server.wait(10)
    print("\n" + ("all is well" if not bad else "NOT WELL:\n  " + "\n  ".join(bad)))
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
