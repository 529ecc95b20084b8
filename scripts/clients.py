#!/usr/bin/env python3
"""Real readers and checkers against `feedmill run`: what each sends, what it is answered, and what it makes of it.

    cargo build
    python3 -m venv V && V/bin/pip install feedparser reader sgmllib3k httplint redbot prometheus_client
    apt-get install newsboat prometheus          # optional; of prometheus, promtool is used
    V/bin/python scripts/clients.py target/debug/feedmill

The daemon polls a made-up newsroom on loopback. Each reader polls three times with nothing new, and once more after the
newsroom had one story more. Between it and the daemon stands a relay that notes requests and answers, and makes every
checker's request a client of its own, since the daemon lets nobody ask too often. Then httplint and REDbot judge every URL
that is served, and promtool the numbers. Exit status 1 where a reader was not told 304 or 226, lost or doubled an entry,
or a checker found something bad.
"""
import http.client
import itertools
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

from newsroom import Mill, Newsroom, Story, atom, json_feed, rss

ENTRIES = 30
ATOM = "{http://www.w3.org/2005/Atom}"
server = None
base = ""
log = []
bad = []
strangers = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in itertools.count(1))


class Relay(BaseHTTPRequestHandler):
    """Passes everything on as it is."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = http.client.HTTPConnection(server, timeout=10)
        asked.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "connection":
                asked.putheader(name, value)
        asked.putheader("X-Forwarded-For", next(strangers))
        asked.endheaders()
        answer = asked.getresponse()
        body = answer.read()
        log.append((self.path, {name.lower() for name in self.headers}, answer.status, len(body)))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if answer.status not in (204, 304) and answer.getheader("content-length") is None:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *_):
        pass


def get(path, headers=None):
    with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers or {}), timeout=10) as answer:
        return answer.headers, answer.read()


def until(what, holds):
    by = time.monotonic() + 90
    while not (found := holds()):
        if time.monotonic() > by:
            raise SystemExit(f"never: {what}")
        time.sleep(0.1)
    return found


def served():
    document = ElementTree.fromstring(get("/feed.atom")[1])
    return {entry.findtext(ATOM + "id") for entry in document.iter(ATOM + "entry")}


def feed():
    return base + "/feed.atom"


def of_feedparser():
    import feedparser

    state, entries = {}, {}

    def poll():
        read = feedparser.parse(feed(), etag=state.get("etag"), modified=state.get("modified"))
        state.update({key: read[key] for key in ("etag", "modified") if key in read})
        entries.update((entry.id, entry) for entry in read.entries)
        return set(entries), read.get("bozo_exception")

    return poll


def of_reader():
    import reader

    shelf = reader.make_reader(":memory:")
    shelf.add_feed(feed())

    def poll():
        # `update_feeds` waits for the next full hour.
        fault = None
        try:
            shelf.update_feed(feed())
        except reader.ReaderError as error:
            fault = error
        return {entry.id for entry in shelf.get_entries()}, fault

    return poll


def of_newsboat(directory):
    (directory / "urls").write_text(feed() + "\n")
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


def readers(grow):
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
        for turn in ["first", "again", "once more", "grown", "again"]:
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
        # newsboat sends its second request without conditions.
        if len(statuses) < 5 or statuses[2:] != [304, 226, 304]:
            bad.append(f"{name}: {statuses}")
    shutil.rmtree(directory)


def urls():
    """Everything that is served: what the page leads to, the archive, and what looks after the daemon."""
    found = ["/", "/health.atom", "/healthz", "/metrics", "/.well-known/feeds"]
    for path in re.findall(r'href="([^"]+)"', get("/")[1].decode()):
        path = path.removeprefix(base)
        if path.startswith("/") and path not in found:
            found.append(path)
    page = get("/feed.atom")[1].decode()
    while match := re.search(r'rel="prev-archive"[^>]* href="([^"]+)"', page):
        path = match.group(1).removeprefix(base)
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
        asked = http.client.HTTPConnection(server, timeout=10)
        asked.request("GET", path, headers={"Accept-Encoding": "identity", "X-Forwarded-For": next(strangers), **headers})
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
        done = subprocess.run([tool, "-o", "har", base + path], capture_output=True, text=True, timeout=120)
        try:
            notes = json.loads(done.stdout)["log"]["entries"][0]["_red_messages"]
        except (ValueError, LookupError):
            bad.append(f"redbot {path}: said nothing: {done.stderr[-300:]}")
            continue
        told = {level: [note["summary"] for note in notes if note["level"] == level] for level in ("BAD", "WARN")}
        print(f"{path:44}{len(notes):>4} notes, {len(told['BAD'])} bad, {len(told['WARN'])} warnings "
              + "; ".join(told["BAD"] + told["WARN"]))
        bad.extend(f"redbot {path}: {note}" for note in told["BAD"])


def numbers():
    """What Prometheus makes of /metrics."""
    from prometheus_client.parser import text_string_to_metric_families

    text = get("/metrics")[1].decode()
    families = list(text_string_to_metric_families(text))
    print(f"\n/metrics: {len(families)} families, {sum(len(family.samples) for family in families)} samples")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        print(f"promtool check metrics: exit status {done.returncode} {done.stdout}{done.stderr}")
        if done.returncode or done.stdout or done.stderr:
            bad.append("promtool: " + done.stdout + done.stderr)
    else:
        print("promtool is not installed")


class Room(Newsroom):
    """Three feeds in three formats, one that is private, and one that is away."""

    def __init__(self, count):
        super().__init__()
        self.count = count
        self.ticks = range(0, count, 10)
        self.echoes = range(0, count, 5)
        self.say()
        self.set("/secret.rss", rss("私人", [Story(9000)]))
        self.set("/away.rss", 503)

    def say(self):
        chinese = [Story(number) for number in range(self.count)]
        self.set("/river.rss", rss("江边日报", chinese[::-1]))
        self.set("/clock.atom", atom("The Clock", [Story(number, "en") for number in self.ticks]),
                 "application/atom+xml")
        # Every fifth story is a reprint.
        self.set("/echo.json", json_feed("回声网", [Story(number) for number in self.echoes]), "application/feed+json")

    def subscriptions(self):
        return "\n".join([
            self.block("river", "/river.rss", 'tags = ["made", "科学"]\nlanguage = "zh-CN"\nschedule = "*/2 * * * * *"'),
            self.block("clock", "/clock.atom", 'tags = ["made"]\nlanguage = "en"'),
            self.block("echo", "/echo.json", 'language = "zh-CN"'),
            self.block("secret", "/secret.rss", "private = true"),
            self.block("away", "/away.rss"),
        ])

    def expected(self):
        return self.count + len(self.ticks)

    def grow(self):
        self.count += 1
        self.say()
        until("the new story is served", lambda: len(served()) == self.expected())


def judge(binary, entries, checks):
    global server
    room = Room(entries)
    settings = '[serve]\nlisten = "127.0.0.1:0"\nproxies = ["127.0.0.1"]\n'
    with Mill(binary, room.subscriptions(), base + "/", settings) as mill:
        server = mill.address()
        # Beyond the window they are in the archive.
        until("all is served", lambda: len(served()) >= min(room.expected(), 200))
        until("what is away is noticed", lambda: b"away" in get("/metrics")[1])
        for check in checks(room):
            check()


def main():
    global base
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    base = f"http://127.0.0.1:{relay.server_port}"
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    # Few entries for the readers; enough for archive documents where URLs are judged.
    judge(sys.argv[1], ENTRIES, lambda room: [lambda: readers(room.grow)])
    judge(sys.argv[1], 320, lambda room: [lint, redbot, numbers])
    print("\n" + ("all is well" if not bad else "NOT WELL:\n  " + "\n  ".join(bad)))
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
