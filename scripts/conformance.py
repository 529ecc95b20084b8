#!/usr/bin/env python3
"""How much of feedparser's own test suite feedmill reads as feedparser does, beside the feed-rs crate alone.

    scripts/conformance.py                    # the table
    scripts/conformance.py --floor 97         # and exit 1 where feedmill reads less than 97 % of the documents whole
    scripts/conformance.py --why 10           # and the commonest differences, with documents to look at

feedparser is the oracle: both the suite (its source distribution) and the program that reads it (a virtual
environment) are fetched by name into `target/conformance` the first time. The suite is read from disk; nothing else
is asked of any network.

What is compared, and how:

1. Documents: every .xml of the suite but those about HTTP itself (`http/`), with the headers its comment asks for and
   the address the suite's own server would give it. Left out is a document of which the oracle reads neither an entry
   nor a feed title nor a feed link: there is nothing to compare.
2. White space: runs are one blank, the ends are trimmed. An empty text is no text.
3. HTML is compared by its words: tags, comments, scripts and styles out, references resolved once. So what a sanitiser
   takes out does not count. Which texts are HTML each reader says itself; only a reader's title may be taken either
   way, for RSS does not say what its titles are.
4. Words of an entry are a set: its summary and its contents, wherever a reader puts them (feedparser gives one text
   two names). Where the oracle has more than two, the reader's two must be among them.
5. Dates of an entry are a set of instants in whole seconds, `published` and `updated` (or `created`), for readers
   disagree which of them `dc:date` is.
6. Links are compared as addresses: host lower case, an empty path is `/`, what must be escaped is. What is not http or
   https is no link. feedparser also takes the id of an Atom feed or entry without a link for one; RFC 4287 §4.2.6
   does not, so there no link is right too.
7. Read whole is a document of which feed title, feed link, the number of entries, and each entry's title, link, dates
   and words are the oracle's. Ids, people and languages are not compared yet.
"""

import argparse
import calendar
import collections
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import urllib.parse
import venv

ORACLE = "feedparser==6.0.14"
# Seconds: a registry that answers nothing must not hold up whoever waits for the table.
FETCHING, READING = 120, 300
ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER = "http://127.0.0.1:8097/tests/"  # where the suite's own server has its documents
READERS = ["feedmill", "feed-rs"]


# The oracle, run by itself in its virtual environment: `conformance.py --oracle < documents > answers`.


def oracle():
    import feedparser

    for asked in map(json.loads, sys.stdin):
        headers = {"content-type": asked["content_type"], "content-location": asked["base"]}
        data = pathlib.Path(asked["path"]).read_bytes()
        try:
            read = feedparser.parse(data, response_headers=headers)
        except Exception as error:  # the oracle fails too
            print(json.dumps({"ok": False, "error": repr(error)}))
            continue
        entries = [
            {
                "title": construct(entry.get("title_detail")),
                "link": entry.get("link"),
                "lent": lent(read, entry),
                "dates": dates(entry),
                "words": [construct(entry.get("summary_detail"))] + [construct(c) for c in entry.get("content", [])],
            }
            for entry in read.entries
        ]
        feed = {"title": construct(read.feed.get("title_detail")), "link": read.feed.get("link")}
        feed["lent"] = lent(read, read.feed)
        print(json.dumps({"ok": True, "feed": feed, "entries": entries}))


def lent(read, of):
    """Whether a link is only the id of an Atom feed or entry."""
    return read.version.startswith("atom") and of.get("link") == of.get("id") and not of.get("links")


def construct(detail):
    if not detail or not detail.get("value"):
        return None
    kind = "html" if "html" in (detail.get("type") or "") else "plain"
    return {"kind": kind, "text": detail["value"]}


def dates(entry):
    # dict.get: feedparser's own lends an absent `updated` from `published`.
    has = [dict.get(entry, f"{name}_parsed") for name in ("published", "updated")]
    if not any(has):
        has = [dict.get(entry, "created_parsed")]
    return [time.strftime("%Y-%m-%dT%H:%M:%SZ", date) for date in has if date]


# Comparing.


class Words(html.parser.HTMLParser):
    """The words of some HTML."""

    SILENT = {"script", "style", "applet"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.said, self.silent = [], 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in self.SILENT

    def handle_endtag(self, tag):
        self.silent -= tag in self.SILENT and self.silent > 0

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        if not self.silent:
            self.said.append(data)


def one_line(text):
    return " ".join(text.split())


def words_of_html(text):
    parser = Words()
    parser.feed(text)
    parser.close()
    return one_line("".join(parser.said))


def reading(text):
    """A text by the kind its reader gave it."""
    if text is None:
        return ""
    return words_of_html(text["text"]) if text["kind"] == "html" else one_line(text["text"])


def same_title(theirs, ours):
    wanted = reading(theirs)
    return wanted in [reading(ours), words_of_html(ours["text"]) if ours else ""]


def same_words(theirs, ours):
    theirs, ours = ({reading(text) for text in texts} - {""} for texts in (theirs, ours))
    return ours == theirs if len(theirs) <= 2 else len(ours) > 0 and ours <= theirs


def link(address):
    parts = urllib.parse.urlsplit((address or "").strip())
    if parts.scheme.lower() not in ("http", "https"):
        return ""
    escaped = [urllib.parse.quote(part, safe="/%:=&?~#+!$,;'@()*[]|") for part in (parts.path or "/", parts.query)]
    return urllib.parse.urlunsplit((parts.scheme.lower(), parts.netloc.lower(), *escaped, parts.fragment))


def same_link(theirs, ours):
    return link(ours["link"]) == link(theirs["link"]) or (theirs["lent"] and not ours["link"])


def instant(date):
    date = re.sub(r"\.\d+", "", date).replace("Z", "+00:00")
    naive, sign, hours, minutes = re.fullmatch(r"(.{19})([+-])(\d\d):(\d\d)", date).groups()
    offset = (int(hours) * 60 + int(minutes)) * 60 * (1 if sign == "+" else -1)
    return calendar.timegm(time.strptime(naive, "%Y-%m-%dT%H:%M:%S")) - offset


def differences(oracle, reader):
    """What a reader has otherwise, as short reasons; none where it read the document whole."""
    if not reader["ok"]:
        return ["refused: " + re.sub(r"\d+", "#", reader["error"])[:90]]
    found = []
    if not same_title(oracle["feed"]["title"], reader["feed"]["title"]):
        found.append("feed title")
    if not same_link(oracle["feed"], reader["feed"]):
        found.append("feed link")
    if len(oracle["entries"]) != len(reader["entries"]):
        return found + ["number of entries"]
    for theirs, ours in zip(oracle["entries"], reader["entries"]):
        read = [ours[name] for name in ("published", "updated") if ours[name]]
        checks = {
            "title": same_title(theirs["title"], ours["title"]),
            "link": same_link(theirs, ours),
            "dates": set(map(instant, theirs["dates"])) == set(map(instant, read)),
            "words": same_words(theirs["words"], [ours["summary"], ours["content"]]),
        }
        found += [name for name, same in checks.items() if not same]
    return found


# Fetching and running.


def fetch(work):
    """The suite's folder and the oracle's Python."""
    python, suite = work / "oracle" / "bin" / "python", work / "suite"
    if not (work / "ready").exists():
        work.mkdir(parents=True, exist_ok=True)
        venv.create(work / "oracle", with_pip=True, clear=True)
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", ORACLE], check=True, timeout=FETCHING)
        download = ["download", "--no-deps", "--no-binary", ":all:", ORACLE, "--dest", work]
        subprocess.run([*pip, *download], check=True, timeout=FETCHING)
        [archive] = work.glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            # The filter came with Python 3.11.4; the archive is the pinned one either way.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            tar.extractall(suite, **safe)
        (work / "ready").touch()
    [tests] = suite.glob("*/tests")
    return tests, python


def documents(tests):
    for path in sorted(tests.rglob("*.xml")):
        name = path.relative_to(tests).as_posix()
        if name.startswith("http/"):
            continue
        asked = re.findall(rb"^Header:\s+([^:]+):(.*)$", path.read_bytes(), re.MULTILINE)
        headers = {key.decode().lower(): value.decode().strip() for key, value in asked}
        base = urllib.parse.urljoin(SERVER + name, headers.get("content-location", ""))
        yield {
            "name": name,
            "path": str(path),
            "base": base if link(base) else SERVER + name,
            "content_type": headers.get("content-type", "application/xml"),
        }


def ask(command, asked):
    lines = "".join(json.dumps(document) + "\n" for document in asked)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, cwd=ROOT, timeout=READING)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr[-2000:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(asked), (command, len(answers), len(asked))
    return answers


def percent(part, whole):
    return f"{part:5} {100 * part / whole:5.1f} %"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--floor", type=float, help="exit 1 where fewer of a hundred documents are read whole")
    arguments.add_argument("--why", type=int, default=0, metavar="N", help="the N commonest differences")
    arguments.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "conformance")
    arguments.add_argument("--differences", type=pathlib.Path, help="write every document's differences as JSON")
    arguments.add_argument("--oracle", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.oracle:
        return oracle()

    tests, python = fetch(options.work)
    asked = list(documents(tests))
    subprocess.run(["cargo", "build", "--locked", "--quiet", "--example", "conformance"], check=True, cwd=ROOT)
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    target = json.loads(subprocess.run(metadata, check=True, cwd=ROOT, capture_output=True).stdout)["target_directory"]
    example = f"{target}/debug/examples/conformance"
    truth = ask([python, __file__, "--oracle"], asked)
    answers = {reader: ask([example, "--reader", reader], asked) for reader in READERS}

    rows = collections.defaultdict(collections.Counter)
    reasons = {reader: collections.defaultdict(list) for reader in READERS}
    found = {}
    for place, (document, wanted) in enumerate(zip(asked, truth)):
        readable = wanted["ok"] and (wanted["entries"] or reading(wanted["feed"]["title"]) or link(wanted["feed"]["link"]))
        if not readable:
            continue
        folder = "/".join(document["name"].split("/")[:-1])
        for row in (folder, "overall"):
            rows[row]["documents"] += 1
        for reader in READERS:
            read = answers[reader][place]
            wrong = differences(wanted, read)
            found.setdefault(document["name"], {})[reader] = wrong
            counted = read["ok"] and len(read["entries"]) == len(wanted["entries"])
            for row in (folder, "overall"):
                rows[row][reader] += not wrong
                rows[row][reader + " count"] += bool(wrong) and counted
            for reason in set(wrong):
                reasons[reader][reason].append(document["name"])

    print(f"{len(asked)} documents, of which the oracle ({ORACLE}) reads {rows['overall']['documents']}")
    print(f"{'':22}{'':>6}  {'feedmill':>13}{'count':>6}  {'feed-rs':>13}{'count':>6}")
    for row in sorted(rows, key=lambda row: (row == "overall", row)):
        counts = rows[row]
        cells = "".join(
            f"  {percent(counts[reader], counts['documents'])}{counts[reader + ' count']:6}" for reader in READERS
        )
        print(f"{row:22}{counts['documents']:6}{cells}")
    print("whole: as the oracle has it; count: only the number of entries is right")
    both = [(not wrong["feedmill"], not wrong["feed-rs"]) for wrong in found.values()]
    print(f"whole with feed-rs and not with feedmill: {both.count((False, True))}, the reverse: {both.count((True, False))}")
    refused = [name for name, wrong in found.items() if wrong["feedmill"][:1] and wrong["feedmill"][0].startswith("refused")]
    rescued = [name for name in refused if not found[name]["feed-rs"]]
    print(f"refused by feedmill: {len(refused)}; of these feed-rs reads whole: {len(rescued)} {rescued}")
    for reader in READERS if options.why else []:
        print(f"\nwhere {reader} differs:")
        for reason, names in sorted(reasons[reader].items(), key=lambda pair: -len(pair[1]))[: options.why]:
            print(f"{len(names):5}  {reason}: {', '.join(names[:3])}")
    if options.differences:
        options.differences.write_text(json.dumps({name: wrong for name, wrong in found.items()}, indent=1))

    whole = 100 * rows["overall"]["feedmill"] / rows["overall"]["documents"]
    if options.floor is not None and whole < options.floor:
        sys.exit(f"feedmill reads {whole:.1f} % whole, and the floor is {options.floor:g} %")


if __name__ == "__main__":
    main()
