"""A made-up newsroom on loopback, and `feedmill run` beside it: for the scripts that judge what the daemon serves.

Every word is made up, by a recipe: the same number is the same story.
"""
import email.utils
import hashlib
import html
import json
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WHO = ["市图书馆", "老渡口的船工", "山村小学", "气象台", "地铁公司", "天文爱好者", "夜市摊主", "古桥修缮队", "候鸟观测站", "合唱团"]
WHERE = ["江边", "北岸新区", "旧城南门", "高原小镇", "海湾大桥下", "中央车站", "湿地公园"]
WHAT = ["把沿用四十年的旧票换成了新票", "在雾里数到两千一百只候鸟", "为每一棵行道树编了号", "用一口铜钟给全城报时",
        "一年借出两万三千册书", "在第一场雪之前修好了木桥", "请市民给人工智能出题", "把末班车推迟到凌晨一点"]
SAID = ["当地人说，等这一天等了{n}年。", "负责人介绍，今年比去年多出{n}%，最受欢迎的是一本修理拖拉机的手册。",
        "记者在现场看到，队伍从门口一直排到{n}米外的桥头。", "统计显示，{n}人参与了投票，其中三人写的是情书。",
        "专家提醒，早到不一定是好事：昆虫还没有醒来。", "“我们只是把钟调准了，”馆长说，“时间自己会走。”",
        "下一次开放定在{n}天之后，预约已经排满。", "该项目编号 FM-{n}（Phase II），由志愿者维护，代码在 https://example.org/fm 公开。"]
ENGLISH = ["The town clock runs {n} minutes late, and since Sunday so does the town.", "Trains have asked for an exemption.",
           "The council voted {n} to two to follow the clock rather than repair it.", "A baker and a machine kneaded dough."]
MIDNIGHT = 1_772_323_200  # 2026-03-01, UTC


class Story:
    """The story of this number, in `zh-CN` or `en`."""

    def __init__(self, number, language="zh-CN"):
        dice = random.Random(number)
        fill = lambda line: line.format(n=dice.randrange(3, 990))
        self.number = number
        if language == "en":
            self.title = f"Town clock keeps its own time, day {number}"
            lines = [fill(dice.choice(ENGLISH)) for _ in range(6)]
        else:
            self.title = f"{dice.choice(WHERE)}：{dice.choice(WHO)}{dice.choice(WHAT)}（{number}）"
            lines = [self.title + "。"] + [fill(dice.choice(SAID)) for _ in range(6)]
        joint = " " if language == "en" else ""
        self.body = "".join(f"<p>{joint.join(lines[at:at + 3])}</p>" for at in range(0, len(lines), 3))
        self.time = MIDNIGHT + 600 * number
        self.id = f"tag:news.example.org,2026:{number}"
        self.link = f"https://news.example.org/{number}.html"


def rss(title, stories, words=""):
    day = lambda story: email.utils.formatdate(story.time, usegmt=True)
    items = "".join(
        f'<item><guid isPermaLink="false">{story.id}</guid><title>{html.escape(story.title)}</title><link>{story.link}</link>'
        f"<pubDate>{day(story)}</pubDate><category>made up</category>"
        f"<description>{html.escape(story.body + words)}</description></item>" for story in stories)
    return (f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{title}</title>'
            f"<link>https://news.example.org/</link><description>made up</description>{items}</channel></rss>").encode()


def atom(title, stories):
    day = lambda story: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(story.time))
    entries = "".join(
        f"<entry><id>{story.id}:en</id><title>{html.escape(story.title)}</title><link href='{story.link}?en'/>"
        f"<updated>{day(story)}</updated><content type='html'>{html.escape(story.body)}</content></entry>" for story in stories)
    return (f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><id>urn:x:clock</id>'
            f"<title>{title}</title><updated>2026-03-01T00:00:00Z</updated><author><name>A. Clerk</name></author>{entries}</feed>").encode()


def json_feed(title, stories):
    day = lambda story: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(story.time))
    items = [{"id": story.id + ":json", "url": story.link + "?json", "title": story.title, "content_html": story.body,
              "date_published": day(story)} for story in stories]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": title, "items": items}).encode()


class Newsroom:
    """Serves pages with entity tags; a page is bytes, or a status."""

    def __init__(self):
        self.pages = {}
        newsroom = self

        class Desk(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                kind, page = newsroom.pages.get(self.path, ("text/plain", 404))
                if isinstance(page, int):
                    self.send_response(page)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                tag = f'"{hashlib.sha256(page).hexdigest()[:16]}"'
                same = self.headers.get("If-None-Match") == tag
                self.send_response(304 if same else 200)
                self.send_header("ETag", tag)
                if not same:
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                if not same:
                    self.wfile.write(page)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def set(self, path, page, kind="application/rss+xml"):
        self.pages[path] = (kind, page)

    def block(self, name, path, more=""):
        """A block of feeds.toml."""
        return f'[[feed]]\nid = "{name}"\nurl = "{self.url(path)}"\nallow_hosts = ["127.0.0.1"]\n{more}\n'


class Mill:
    """`feedmill run` in a directory of its own; every feed is asked every few seconds."""

    def __init__(self, binary, feeds, public_url, settings="", directory=None):
        self.binary = pathlib.Path(binary).resolve()
        self.scratch = directory is None and tempfile.TemporaryDirectory()
        self.directory = pathlib.Path(directory or self.scratch.name)
        (self.directory / "feeds.toml").write_text(feeds)
        (self.directory / "feedmill.toml").write_text(
            '[fetch]\nhost_delay = "0s"\nuser_refresh = "0s"\nper_host = 8\nper_address = 8\n'
            '[schedule]\nfloor = "1s"\nhinted_floor = "1s"\ncold_floor = "1s"\nstarts_per_second = 100\n'
            f'[feed]\nbacklog = 1000000\ntitle = "编造的河流"\nsubtitle = "每一条新闻只出现一次"\nlanguage = "zh-CN"\npublic_url = "{public_url}"\n'
            f"{settings}")
        self.process = None

    def __enter__(self):
        return self.start()

    def start(self):
        self.log = open(self.directory / "daemon.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([self.binary, "run"], cwd=self.directory, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log)
        return self

    def address(self):
        """Where it serves."""
        for _ in range(6000):
            found = re.search(r"serving address=(\S+)", (self.directory / "daemon.log").read_text())
            if found:
                return found.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise SystemExit("it does not serve:\n" + (self.directory / "daemon.log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(40) != 0:
            raise SystemExit("it did not end well:\n" + (self.directory / "daemon.log").read_text())
        self.log.close()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        if self.scratch:
            self.scratch.cleanup()
