#!/usr/bin/env python3
"""How long `feedmill run` takes to its first answer with a large store, and its peak memory then.

    cargo build --release
    benches/serve/startup.py [--articles 60000] [--feeds 60] [--times 5]

A made-up newsroom on loopback fills the store with `feedmill fetch --once`. The first start has archive documents to make
of all that; the later ones find them made. Nobody is due at any start.
"""
import argparse
import http.client
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from newsroom import Mill, Newsroom, Story, rss  # noqa: E402


def peak(process):
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1)) / 1024


def ask(address, path="/feed.atom"):
    asked = http.client.HTTPConnection(address, timeout=600)
    asked.request("GET", path)
    answer = asked.getresponse()
    return answer.status, answer.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=60_000)
    parser.add_argument("--feeds", type=int, default=60)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/feedmill")
    given = parser.parse_args()
    newsroom = Newsroom()
    each = given.articles // given.feeds
    blocks = []
    for feed in range(given.feeds):
        stories = [Story(feed * each + number) for number in range(each)]
        newsroom.set(f"/{feed}.rss", rss(f"第{feed}报", stories[::-1]))
        more = f'tags = ["t{feed % 10}"]\nlanguage = "zh-CN"\nschedule = "0 0 1 1 *"'
        blocks.append(newsroom.block(f"feed-{feed}", f"/{feed}.rss", more))
    with tempfile.TemporaryDirectory() as scratch:
        mill = Mill(given.binary, "\n".join(blocks), "http://127.0.0.1:8080/", '[serve]\nlisten = "127.0.0.1:0"\n', scratch)
        since = time.monotonic()
        subprocess.run([mill.binary, "fetch", "--once"], cwd=scratch, check=True, capture_output=True)
        stored = subprocess.run([mill.binary, "list", "--tsv"], cwd=scratch, check=True, capture_output=True).stdout.count(b"\n")
        print(f"{stored} articles of {given.feeds} feeds stored and archived in {time.monotonic() - since:.0f} s")
        times = []
        for turn in range(given.times + 1):
            since = time.monotonic()
            mill.start()
            address = mill.address()
            status, body = ask(address)
            took = time.monotonic() - since
            then = peak(mill.process)
            assert status == 200, status
            print(f"start {turn}: first answer after {took * 1000:.0f} ms, {body.count(b'<entry')} entries; "
                  f"peak memory {then:.0f} MiB", end="", flush=True)
            if turn == 0:
                by = time.monotonic() + 900
                pages, since = -1, time.monotonic()
                # Until no more archive documents come.
                while (found := len(list(pathlib.Path(scratch, "data/sealed").glob("*.atom")))) != pages and time.monotonic() < by:
                    pages = found
                    time.sleep(15)
                print(f"; {pages} archive documents after {time.monotonic() - since - 15:.0f} to {time.monotonic() - since:.0f} s, "
                      f"peak memory then {peak(mill.process):.0f} MiB", end="")
            else:
                times.append(took)
                time.sleep(3)
                print(f", {peak(mill.process):.0f} MiB after the first publication", end="")
            print(flush=True)
            mill.stop()
        if times:
            print(f"median of the later starts: {statistics.median(times) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
