#!/usr/bin/env python3
"""Requests a second of our server and of nginx, with the same bytes, in pairs, in one run.

    cargo build --release --example serve
    apt-get install nginx-light wrk
    benches/serve/run.py [--entries 1000] [--pairs 5] [--seconds 3]

One thread serves on either side, wrk drives 64 connections from another. Absolute numbers belong to the machine and the
minute; what is compared is the ratio within a pair, and its median over the pairs.
"""
import argparse
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


def get(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers, answer.read()


def wait(url):
    for _ in range(300):
        try:
            return get(url)
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


def wrk(url, seconds, headers):
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", url]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    errors = re.search(r"Socket errors:.*", said)
    if errors:
        print("   ", errors.group(0))
    return float(re.search(r"Requests/sec:\s*([\d.]+)", said).group(1))


def nginx(directory, port, workers):
    conf = directory / "nginx.conf"
    conf.write_text(f"""
daemon off; worker_processes {workers}; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; open_file_cache max=100;
  types {{ application/atom+xml atom; }}
  server {{ listen 127.0.0.1:{port} reuseport; root {directory}/www; gzip_static on; gzip_vary on;
            add_header Cache-Control "public, max-age=300"; }}
}}
""")
    return subprocess.Popen(["nginx", "-p", str(directory), "-c", str(conf)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="of nginx")
    parser.add_argument("--port", type=int, default=18431)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/examples/serve")
    given = parser.parse_args()
    for tool in ["nginx", "wrk"]:
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is not installed")
    ours_at, theirs_at = given.port, given.port + 1
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch)
        directory.chmod(0o755)
        ours = subprocess.Popen([given.binary, str(ours_at), str(given.entries)], stdout=subprocess.DEVNULL)
        peer = None
        try:
            ours_url = f"http://127.0.0.1:{ours_at}/feed.atom"
            headers, plain = wait(ours_url)
            packed_headers, packed = get(ours_url, {"Accept-Encoding": "gzip"})
            assert packed_headers["Content-Encoding"] == "gzip"
            www = directory / "www"
            www.mkdir()
            (www / "feed.atom").write_bytes(plain)
            (www / "feed.atom.gz").write_bytes(packed)
            peer = nginx(directory, theirs_at, given.workers)
            theirs_url = f"http://127.0.0.1:{theirs_at}/feed.atom"
            their_headers, same = wait(theirs_url)
            assert same == plain and get(theirs_url, {"Accept-Encoding": "gzip"})[1] == packed
            print(f"{plain.count(b'<entry')} entries, {len(plain)} bytes, {len(packed)} as gzip; "
                  f"nginx with {given.workers} worker(s), ours with one thread")
            cases = {
                "304": ({"If-None-Match": headers["ETag"]}, {"If-None-Match": their_headers["ETag"]}),
                "200 gzip": ({"Accept-Encoding": "gzip"},) * 2,
                "200 identity": ({},) * 2,
            }
            print(f"{'':14}{'ours/s':>10}{'nginx/s':>10}{'ratio':>8}   ratios of the pairs")
            for name, (to_us, to_them) in cases.items():
                pairs = []
                for turn in range(given.pairs):
                    one = lambda: wrk(ours_url, given.seconds, to_us)
                    two = lambda: wrk(theirs_url, given.seconds, to_them)
                    pairs.append((one(), two()) if turn % 2 == 0 else tuple(reversed((two(), one()))))
                ratios = [a / b for a, b in pairs]
                middle = [statistics.median(column) for column in zip(*pairs)]
                print(f"{name:14}{middle[0]:>10.0f}{middle[1]:>10.0f}{statistics.median(ratios):>8.2f}   "
                      + " ".join(f"{ratio:.2f}" for ratio in ratios))
            peak = re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{ours.pid}/status").read_text())
            print(f"peak memory of ours: {int(peak.group(1)) / 1024:.0f} MiB")
        finally:
            for process in [ours, peer]:
                if process:
                    process.terminate()
                    process.wait(10)


if __name__ == "__main__":
    main()
