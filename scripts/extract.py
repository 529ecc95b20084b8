#!/usr/bin/env python3
"""How well feedmill finds the article on a page, beside trafilatura and the dom_smoothie crate.

    scripts/extract.py                  # the table; exit 1 below 0.98 (long) or 0.90 (short)
    scripts/extract.py --why 5          # and the worst pages, with what was lost and what came in
    scripts/extract.py --seed 7         # other pages

The pages are made here from a fixed seed: made-up words in Simplified and Traditional Chinese and in a Latin script,
long and under 400 characters, in fourteen layouts with what stands around articles on real sites: menus, bylines, share
bars, columns of stories with summaries, comments that are prose, advertisements, disclaimers, cookie notices. The class
names are those of real sites; in the layouts whose name begins with `plain` nothing tells by its name.

The measure is the F1 of character 4-grams, white space taken out, against the words that were put in (paragraphs,
subheads, lists, captions; the title is not counted). trafilatura is fetched by name into `target/extract` the first time;
its version is printed. dom_smoothie is a development dependency, read with `char_threshold` 150.
"""

import argparse
import collections
import html
import json
import pathlib
import random
import re
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "extract"
FETCHING = 300  # seconds; then PyPI is taken to be out of reach
FLOORS = {"long": 0.98, "short": 0.90}
BASE = "https://news.example.org/2025/1101/8812345.html"

HANS = "的一是在了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指"
HANT = "的一是在了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子說產種面而方後多定行學法所民得經十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當使點從業本去把性好應開它合還因由其些然前外天政四日那社義事平形相全表間樣與關各重新線內數正心反你明看原又麼利比或但質氣第向道命此變條只沒結解問意建月公無系軍很情者最立代想已通並提直題黨程展五果料象員革位入常文總次品式活設及管特件長求老頭基資邊流路級少圖山統接知較將組見計別她手角期根論運農指"
SYLLABLES = "ba be bo da de di do fa fe ga go ka ke la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se si so ta te ti to va ve vi".split()

WORDS = {
    "hans": dict(
        home="首页", menu="新闻 国际 财经 体育 科技 娱乐 军事 教育 视频 图片 专题 论坛".split(), related="相关阅读", hot="热门推荐",
        comments="网友评论", reply="回复", share="分享到：微信 微博 QQ空间", editor="责任编辑：{}", source="来源：{}网", original="原标题：{}",
        ad="广告", rights="版权所有 {} 未经授权不得转载", scan="扫码关注公众号，获取更多资讯", next="下一篇：{}", ago="{}小时前", follow="关注我们",
        law="本网站转载的内容仅代表作者观点，与本网站立场无关，如有侵权，请及时与我们联系。", author="作者：{}", tags="标签：{}", size="字号：大 中 小",
        cookie="我们使用缓存文件来改善您的浏览体验，继续浏览本网站，即表示您同意我们的使用条款和隐私政策。", more="查看更多", site="某某网", about="关于我们",
    ),
    "hant": dict(
        home="首頁", menu="新聞 國際 財經 體育 科技 娛樂 軍事 教育 影片 圖片 專題 論壇".split(), related="延伸閱讀", hot="熱門新聞",
        comments="網友留言", reply="回覆", share="分享到 Facebook LINE", editor="責任編輯：{}", source="來源：{}報", original="原標題：{}",
        ad="廣告", rights="版權所有 {} 不得轉載", scan="掃碼關注我們，掌握更多消息", next="下一篇：{}", ago="{}小時前", follow="關注我們",
        law="本網站轉載的內容僅代表作者觀點，與本網站立場無關，如有侵權，請及時與我們聯繫。", author="記者 {}", tags="標籤：{}", size="字體：大 中 小",
        cookie="我們使用緩存文件來改善您的瀏覽體驗，繼續瀏覽本網站，即表示您同意我們的使用條款和私隱政策。", more="查看更多", site="某某報", about="關於我們",
    ),
    "latin": dict(
        home="Home", menu="World Politics Business Sport Science Arts Opinion Travel Video Photos Weather Jobs".split(), related="Related stories",
        hot="Most read", comments="Comments", reply="Reply", share="Share this article", editor="Edited by {}", source="Source: {} News",
        original="By {}", ad="Advertisement", rights="Copyright © 2025 {}. All rights reserved.", scan="Sign up for our newsletter, and never miss a story.",
        next="Next article: {}", ago="{} hours ago", follow="Follow us",
        law="The views expressed here are those of their authors, and do not reflect the position of this site. Please contact us with any concern.",
        author="By {}", tags="Tags: {}", size="Print Email Save",
        cookie="We use cookies to improve your experience on this site. By continuing, you agree to our terms of use and our privacy policy.",
        more="Show more", site="The Example Post", about="About us",
    ),
}


class Maker:
    """Makes the words of one page, and keeps what belongs to the article."""

    def __init__(self, seed, script, long):
        self.random, self.script, self.long = random.Random(seed), script, long
        self.say = WORDS[script]
        self.gold = []

    def word(self):
        if self.script == "latin":
            return "".join(self.random.choice(SYLLABLES) for _ in range(self.random.randint(1, 4)))
        signs = HANS if self.script == "hans" else HANT
        return "".join(self.random.choice(signs) for _ in range(self.random.randint(1, 3)))

    def words(self, count):
        return ("" if self.script != "latin" else " ").join(self.word() for _ in range(count))

    def clause(self):
        return self.words(self.random.randint(4, 9))

    def sentence(self):
        comma, stop = (", ", ".") if self.script == "latin" else ("，", "。")
        text = comma.join(self.clause() for _ in range(self.random.randint(1, 4)))
        if self.random.random() < 0.2:
            quote = '"{}"' if self.script == "latin" else "“{}”" if self.script == "hans" else "「{}」"
            text += comma + quote.format(self.clause())
        return text[:1].upper() + text[1:] + stop

    def prose(self, sentences):
        return (" " if self.script == "latin" else "").join(self.sentence() for _ in range(sentences))

    def headline(self):
        text = self.words(self.random.randint(5, 9))
        return text[:1].upper() + text[1:]

    def name(self):
        if self.script == "latin":
            return " ".join(self.word().capitalize() for _ in range(2))
        return self.words(1) + self.random.choice("明华强伟芳")

    def date(self):
        h, m = self.random.randint(0, 23), self.random.randint(10, 59)
        return f"November 1, 2025, {h:02}:{m}" if self.script == "latin" else f"2025年11月01日 {h:02}:{m}"

    # What belongs to the article.

    def body(self):
        """Its paragraphs as (kind, text): under 400 characters in all where it is short."""
        parts = []
        if self.long:
            for n in range(self.random.randint(7, 16)):
                parts.append(("p", self.prose(self.random.randint(2, 5))))
                if n % 5 == 3 and self.random.random() < 0.5:
                    parts.append(("h2", self.headline()))
                if n == 4 and self.random.random() < 0.5:
                    parts.append(("ul", [self.clause() for _ in range(4)]))
                if n == 2 and self.random.random() < 0.6:
                    parts.append(("quote", self.prose(2)))
            if parts[-1][0] == "h2":
                parts.pop()
        else:
            limit = self.random.randint(60, 380)
            while True:
                paragraph = self.prose(self.random.randint(1, 2))
                so_far = sum(len(text) for _, text in parts)
                if parts and so_far + len(paragraph) > limit or len(parts) == 4:
                    break
                parts.append(("p", paragraph[:390]))
        for _, text in parts:
            self.gold.extend(text if isinstance(text, list) else [text])
        return parts

    def caption(self):
        text = self.clause() + self.clause()
        self.gold.append(text)
        return text

    def inline(self, text):
        """Some of it bold or linked, as people do."""
        text = html.escape(text, quote=False)
        if len(text) > 60 and self.random.random() < 0.35:
            start = self.random.randint(5, 20)
            end = start + self.random.randint(4, 14)
            if "&" not in text[start - 5 : end + 5] and ";" not in text[start:end]:
                tag = self.random.choice(['<strong>{}</strong>', '<a href="/topic/7">{}</a>', "<b>{}</b>"])
                text = text[:start] + tag.format(text[start:end]) + text[end:]
        return text

    def html(self, parts, p="<p>{}</p>", h="<h2>{}</h2>"):
        out = []
        for kind, text in parts:
            if kind == "ul":
                out.append("<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in text) + "</ul>")
            elif kind == "quote":
                out.append(f"<blockquote><p>{self.inline(text)}</p></blockquote>")
            elif kind == "h2":
                out.append(h.format(html.escape(text)))
            else:
                out.append(p.format(self.inline(text)))
        return out

    # What stands around it.

    def links(self, count, item='<li><a href="/a/{}">{}</a></li>'):
        return "".join(item.format(self.random.randint(1000, 9999), self.headline()) for _ in range(count))

    def menu(self, item='<li><a href="/c/{}">{}</a></li>'):
        return item.format(0, self.say["home"]) + "".join(item.format(n, word) for n, word in enumerate(self.say["menu"]))

    def summaries(self, count, item):
        return "".join(
            item.format(self.random.randint(1000, 9999), self.headline(), self.prose(1), self.say["ago"].format(n + 2))
            for n in range(count)
        )

    def remarks(self, count, item):
        return "".join(
            item.format(self.name(), self.say["ago"].format(n + 1), self.prose(self.random.randint(1, 3)), self.say["reply"])
            for n in range(count)
        )


def page(title, head, body, m):
    site = m.say["site"]
    name = f"{title}_{site}" if m.script != "latin" else f"{title} | {site}"
    return f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{name}</title>{head}</head><body>{body}</body></html>"


def qq(m):
    """A Chinese portal of today: p in a content div, editors and originals in it, a column of stories."""
    t, say = m.headline(), m.say
    parts = m.html(m.body(), p='<p class="one-p">{}</p>')
    if m.long:
        picture = f'<p class="one-p" align="center"><img class="content-picture" src="//inews.example.com/newsapp_bt/0/1"></p><p style="text-align:center">{m.caption()}</p>'
        parts.insert(2, picture)
        m.gold.insert(2, m.gold.pop())
    return page(t, f'<meta property="og:title" content="{t}">', f"""
<div class="qq_nav"><ul class="nav-list">{m.menu()}</ul></div>
<div class="qq_conent clearfix"><div class="LEFT"><h1>{t}</h1>
<div class="content clearfix"><div class="content-article"><p class="one-p">{say['original'].format(t)}</p>{''.join(parts)}
<p class="one-p">{say['editor'].format(m.name())}</p></div></div>
<div class="share-bar">{say['share']}</div>
<div class="recommend"><h3>{say['related']}</h3><ul>{m.links(8)}</ul></div></div>
<div class="RIGHT"><div class="hot-news"><h2>{say['hot']}</h2><ul>{m.summaries(6, '<li><a href="/rain/a/{}">{}</a><p>{}</p><span>{}</span></li>')}</ul></div></div></div>
<div class="footer"><p>{say['about']} | {say['rights'].format('1998')}</p></div>""", m)


def article_tag(m):
    """A site with elements that say what they are: article, header, figure, aside, footer."""
    t, say = m.headline(), m.say
    figure = f'<figure><img src="/img/1.jpg" alt="x"><figcaption>{m.caption()}</figcaption></figure>' if m.random.random() < 0.7 else ""
    parts = m.html(m.body())
    cut = len(parts) // 2
    inside = f'<aside class="read-more"><h4>{say["related"]}</h4><ul>{m.links(3)}</ul></aside>' if m.long else ""
    return page(t, "", f"""
<header><a href="/"><img src="/logo.png" alt="logo"></a><nav><ul>{m.menu()}</ul></nav></header>
<main><article><header><h1>{t}</h1><p class="byline">{say['author'].format(m.name())}</p><time datetime="2025-11-01T10:00:00+08:00">{m.date()}</time></header>
{figure}{''.join(parts[:cut])}{inside}{''.join(parts[cut:])}
<footer><p>{say['tags'].format(m.word())}</p><p>{say['scan']}</p></footer></article>
<section class="comments" id="comments"><h2>{say['comments']}</h2><ol>{m.remarks(8, '<li><b>{}</b> <time>{}</time><p>{}</p><a href="#r">{}</a></li>')}</ol></section></main>
<aside><h3>{say['hot']}</h3><ul>{m.links(10)}</ul></aside><footer><p>{say['rights'].format('2025')}</p></footer>""", m)


def breaks(m):
    """Paragraphs by two breaks and an indent, in one div: an old portal."""
    t, say = m.headline(), m.say
    indent = "" if m.script == "latin" else "　　"
    parts = [indent + part for part in m.html(m.body(), p="{}", h="<strong>{}</strong>")]
    return page(t, "", f"""
<div id="topnav">{m.menu('<a href="/c/{}">{}</a> | ')}</div>
<div class="crumbs"><a href="/">{say['home']}</a> &gt; <a href="/n">{say['menu'][0]}</a></div>
<div id="main"><div id="left"><h1 class="title">{t}</h1><div class="info">{m.date()} {say['source'].format(m.word())} {say['size']}</div>
<div id="artibody">{'<br><br>'.join(parts)}<br><br>{say['editor'].format(m.name())}</div>
<div class="prevnext"><a href="/a/1">{say['next'].format(m.headline())}</a></div></div>
<div id="right"><h3>{say['hot']}</h3><ul>{m.links(12)}</ul></div></div>
<div id="foot">{m.menu('<a href="/f/{}">{}</a> ')}<br>{say['rights'].format('2003')}</div>""", m)


def table(m):
    """A portal laid out in tables, font elements, full-width blanks."""
    t, say = m.headline(), m.say
    indent = "" if m.script == "latin" else "　　"
    parts = m.html(m.body(), p=f"<p><font size=3>{indent}{{}}</font></p>", h="<p><b>{}</b></p>")
    links = "".join(f"<tr><td>·<a href=/a/{n}>{m.headline()}</a></td></tr>" for n in range(12))
    return page(t, "", f"""
<table width=960><tr><td>{m.menu('<a href=/c/{}>{}</a>　')}</td></tr></table>
<table width=960><tr><td width=660 valign=top>
<table width=100%><tr><td align=center><font size=5><b>{t}</b></font></td></tr><tr><td align=center>{m.date()}　{say['source'].format(m.word())}</td></tr>
<tr><td><div>{''.join(parts)}</div></td></tr><tr><td align=right>{say['editor'].format(m.name())}</td></tr></table>
<table width=100%><tr><td><b>{say['related']}</b></td></tr>{links}</table></td>
<td width=300 valign=top><table>{links}</table></td></tr></table>
<table width=960><tr><td align=center>{say['about']} {say['rights'].format('2001')}</td></tr></table>""", m)


def plain_divs(m):
    """Divs and nothing else: paragraphs, menus and comments alike."""
    t, say = m.headline(), m.say
    parts = m.html(m.body(), p="<div>{}</div>", h="<div><b>{}</b></div>")
    return page(t, "", f"""
<div><div>{m.menu('<div><a href="/c/{}">{}</a></div>')}</div></div>
<div><div><div><h1>{t}</h1><div>{m.date()} {say['source'].format(m.word())}</div><div>{''.join(parts)}</div>
<div><div>{say['related']}</div>{m.links(6, '<div><a href="/a/{}">{}</a></div>')}</div></div>
<div>{m.summaries(5, '<div><div><a href="/a/{}">{}</a></div><div>{}</div><div>{}</div></div>')}</div></div></div>
<div><div>{say['rights'].format('2019')}</div></div>""", m)


def plain_spans(m):
    """Sections and spans, made by a page builder; class names are hashes."""
    t, say = m.headline(), m.say
    rnd = lambda: "css-" + "".join(m.random.choice("abcdefghijk0123456789") for _ in range(6))
    p, c = rnd(), rnd()
    parts = m.html(m.body(), p=f'<section class="{p}"><span style="font-size:16px">{{}}</span></section>', h=f'<section class="{rnd()}"><strong>{{}}</strong></section>')
    return page(t, "", f"""
<div id="root"><div class="{rnd()}"><ul class="{rnd()}">{m.menu()}</ul></div>
<div class="{rnd()}"><div class="{rnd()}"><h1 class="{rnd()}">{t}</h1><div class="{rnd()}"><span>{m.name()}</span><span>{m.date()}</span></div>
<div class="{rnd()}">{''.join(parts)}</div></div>
<div class="{rnd()}"><h3>{say['comments']}</h3>{m.remarks(7, f'<div class="{c}"><div><span>{{}}</span><span>{{}}</span></div><div>{{}}</div><a href="#">{{}}</a></div>')}</div>
<div class="{rnd()}">{m.summaries(6, f'<a class="{rnd()}" href="/a/{{}}"><h4>{{}}</h4><p>{{}}</p><span>{{}}</span></a>')}</div></div>
<div class="{rnd()}"><p>{say['cookie']}</p><button>OK</button></div></div>""", m)


def plain_columns(m):
    """Three columns without names, the first two before the article in the document; no h1."""
    t, say = m.headline(), m.say
    parts = m.html(m.body())
    cut = len(parts) // 2
    ad = f"<div><span>{say['ad']}</span><a href='//ads.example.net/1'><img src='//ads.example.net/1.gif'></a></div>"
    return page(t, "", f"""
<table><tr>{m.menu('<td><a href="/c/{}">{}</a></td>')}</tr></table>
<div style="float:left"><ul>{m.links(10)}</ul></div>
<div style="float:right"><b>{say['hot']}</b><ul>{m.summaries(6, '<li><a href="/a/{}">{}</a><br>{}<br><small>{}</small></li>')}</ul><p>{say['scan']}</p></div>
<div><h2>{t}</h2><p>{m.date()}　{m.name()}</p>{''.join(parts[:cut])}{ad}{''.join(parts[cut:])}<p>{say['share']}</p></div>
<div><p>{say['law']}</p><p>{say['rights'].format('2012')}</p></div>""", m)


def split(m):
    """The body in several wrappers with advertisements and a list of stories between."""
    t, say = m.headline(), m.say
    parts = m.html(m.body())
    step = max(1, len(parts) // 3)
    groups = [parts[n : n + step] for n in range(0, len(parts), step)]
    ad = f'<div class="ad-slot" data-ad="1"><span>{say["ad"]}</span></div>'
    box = f'<div class="inline-related"><strong>{say["related"]}</strong><ul>{m.links(3)}</ul></div>'
    wrapped = [f'<div class="article-section">{"".join(group)}</div>' for group in groups]
    joined = (ad + box).join(wrapped[:2]) + "".join(ad + part for part in wrapped[2:])
    return page(t, f'<meta property="og:title" content="{t}"><meta property="og:image" content="/i.jpg">', f"""
<div class="site-header"><div class="logo"><a href="/">{say['site']}</a></div><div class="main-nav">{m.menu('<a href="/c/{}">{}</a>')}</div></div>
<div class="layout"><div class="article-main"><h1 class="headline">{t}</h1><div class="article-meta"><span>{say['author'].format(m.name())}</span> <span>{m.date()}</span></div>
{joined}<div class="tag-list">{say['tags'].format(m.word())}</div></div>
<div class="sidebar"><h3>{say['hot']}</h3>{m.summaries(5, '<div class="card"><a href="/a/{}">{}</a><p>{}</p><em>{}</em></div>')}</div></div>
<div class="site-footer">{say['follow']} {say['rights'].format('2020')}</div>""", m)


def menus(m):
    """More menu than article: three levels of it above, a site map below."""
    t, say = m.headline(), m.say
    deep = "".join(f'<li class="menu-item"><a href="/c/{n}">{word}</a><ul class="sub-menu">{m.links(6)}</ul></li>' for n, word in enumerate(say["menu"]))
    return page(t, "", f"""
<div class="header"><ul class="menu">{deep}</ul></div><div class="breadcrumb"><a href="/">{say['home']}</a> / <a href="/n">{say['menu'][1]}</a></div>
<div class="container"><div class="row"><div class="col-md-8"><div class="post"><h1 class="entry-title">{t}</h1>
<div class="entry-meta">{m.date()} · {m.name()}</div><div class="entry-content">{''.join(m.html(m.body()))}</div>
<div class="sharedaddy">{say['share']}</div></div></div><div class="col-md-4 widget-area"><div class="widget"><h3>{say['hot']}</h3><ul>{m.links(15)}</ul></div></div></div></div>
<div class="sitemap">{''.join(f'<dl><dt>{word}</dt>' + m.links(5, '<dd><a href="/s/{}">{}</a></dd>') + '</dl>' for word in say['menu'])}</div>
<p class="copy">{say['rights'].format('2024')}</p>""", m)


def amp(m):
    """An AMP page: amp-img, amp-ad, amp-sidebar."""
    t, say = m.headline(), m.say
    caption = m.caption()
    parts = m.html(m.body())
    parts.insert(1, f'<amp-ad width=300 height=250 type="doubleclick"></amp-ad>')
    return page(t, '<link rel="canonical" href="/a.html"><script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2025-11-01T02:00:00Z"}</script>', f"""
<amp-sidebar id="menu" layout="nodisplay"><ul>{m.menu()}</ul></amp-sidebar><header class="amp-header"><button>≡</button><a href="/">{say['site']}</a></header>
<article class="amp-article"><h1 class="amp-title">{t}</h1><div class="amp-meta">{say['author'].format(m.name())} <time>{m.date()}</time></div>
<figure><amp-img src="/i/1.jpg" width=600 height=400></amp-img><figcaption>{caption}</figcaption></figure>{''.join(parts)}</article>
<amp-social-share type="twitter"></amp-social-share><section class="amp-related"><h2>{say['related']}</h2>{m.summaries(4, '<a href="/a/{}"><h3>{}</h3><p>{}</p><span>{}</span></a>')}</section>
<footer class="amp-footer"><p>{say['rights'].format('2025')}</p></footer>""", m)


def forum(m):
    """A flash with comments that are longer than it, all of them prose."""
    t, say = m.headline(), m.say
    return page(t, "", f"""
<div class="top"><div class="nav">{m.menu('<a href="/c/{}">{}</a>')}</div></div>
<div class="wrap"><div class="flash"><h1>{t}</h1><span class="time">{m.date()}</span><div class="flash-text">{''.join(m.html(m.body()))}</div></div>
<div class="comment-list"><h3>{say['comments']}</h3>{m.remarks(14, '<div class="comment-item"><div class="user">{}</div><div class="date">{}</div><div class="txt">{}</div><div class="op"><a href="#">{}</a></div></div>')}</div></div>
<div class="foot"><p>{say['law']}</p></div>""", m)


def wechat(m):
    """An article of a messenger's: spans in sections, styles everywhere, a code to scan at its end."""
    t, say = m.headline(), m.say
    parts = m.html(m.body(), p='<section style="margin:0 8px"><p style="letter-spacing:.5px"><span style="font-size:15px">{}</span></p></section>', h='<section><p><strong>{}</strong></p></section>')
    return page(t, f'<meta property="og:title" content="{t}">', f"""
<div id="js_article" class="rich_media"><div class="rich_media_inner"><div id="page-content" class="rich_media_area_primary"><div id="img-content" class="rich_media_wrp">
<h1 class="rich_media_title" id="activity-name">{t}</h1><div id="meta_content" class="rich_media_meta_list"><span class="rich_media_meta">{m.name()}</span> <em>{m.date()}</em></div>
<div class="rich_media_content" id="js_content">{''.join(parts)}<section><p style="text-align:center"><span>{say['scan']}</span></p><p><img data-src="/qr.png"></p></section></div></div></div>
<div class="rich_media_tool">{say['more']}</div></div></div>""", m)


def plain_bare(m):
    """Paragraphs straight in the body, between menus of the same sort; nothing has a class."""
    t, say = m.headline(), m.say
    return page(t, "", f"""
<p>{m.menu('<a href="/c/{}">{}</a> ')}</p><h1>{t}</h1><p><i>{say['author'].format(m.name())}, {m.date()}</i></p>
{''.join(m.html(m.body()))}<hr><p>{say['related']}</p><ul>{m.links(7)}</ul>
<p>{m.menu('<a href="/f/{}">{}</a> ')}</p><p>{say['rights'].format('1999')}</p>""", m)


def live(m):
    """A portal with everything: breadcrumbs, tools, hot list by numbers, disclaimer, app banner, cookie notice first."""
    t, say = m.headline(), m.say
    figure = f'<div class="img-container"><img data-original="/p/1.jpg"><div class="img-desc">{m.caption()}</div></div>' if m.long else ""
    ranks = "".join(f'<li><em>{n}</em><a href="/a/{n}">{m.headline()}</a></li>' for n in range(1, 11))
    return page(t, "", f"""
<div class="cookie-banner"><p>{say['cookie']}</p></div><div class="g-header"><div class="g-nav">{m.menu('<a href="/c/{}">{}</a>')}</div></div>
<div class="bread">{say['home']} &gt; {say['menu'][2]} &gt; {say['menu'][3]}</div>
<div class="g-main"><div class="m-left"><h1>{t}</h1><div class="toolbar"><span>{m.date()}</span><span>{say['source'].format(m.word())}</span><span>{say['size']}</span></div>
<div class="article" id="article">{figure}{''.join(m.html(m.body()))}<p class="editor">（{say['editor'].format(m.name())}）</p></div>
<div class="statement"><p>{say['law']}</p></div><div class="page-next">{say['next'].format(f'<a href="/a/2">{m.headline()}</a>')}</div>
<div class="m-list"><h3>{say['hot']}</h3>{m.summaries(6, '<div class="item"><div class="pic"><img src="/t.jpg"></div><h4><a href="/a/{}">{}</a></h4><p>{}</p><span>{}</span></div>')}</div></div>
<div class="m-right"><h3>{say['hot']}</h3><ol>{ranks}</ol><div class="app">{say['scan']}</div></div></div>
<div class="g-footer">{m.menu('<a href="/f/{}">{}</a>')}<p>{say['rights'].format('2006')}</p></div>""", m)


LAYOUTS = [qq, article_tag, breaks, table, split, menus, amp, forum, wechat, live, plain_divs, plain_spans, plain_columns, plain_bare]


def pages(seed, each):
    folder = WORK / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for layout in LAYOUTS:
        for script in WORDS:
            for length in FLOORS:
                for number in range(each):
                    m = Maker(f"{seed} {layout.__name__} {script} {length} {number}", script, length == "long")
                    text = layout(m)
                    path = folder / f"{layout.__name__}-{script}-{length}-{number}.html"
                    path.write_text(text, encoding="utf-8")
                    made.append(dict(path=str(path), base=BASE, layout=layout.__name__, script=script, length=length, gold="\n".join(m.gold)))
    return made


def grams(text):
    text = re.sub(r"\s+", "", text)
    return collections.Counter(text[n : n + 4] for n in range(len(text) - 3))


def f1(gold, found):
    gold, found = grams(gold), grams(found)
    both = (gold & found).total()
    if not both:
        return 0.0
    return 2 * both / (gold.total() + found.total())


TRAFILATURA = """
import json, sys, trafilatura
for line in sys.stdin:
    text = open(json.loads(line)["path"], encoding="utf-8").read()
    print(json.dumps({"text": trafilatura.extract(text, include_comments=False) or ""}))
"""


def python():
    """A virtual environment with trafilatura in it."""
    home = WORK / "venv"
    program = home / "bin" / "python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([program, "-m", "pip", "install", "--quiet", "trafilatura", "lxml_html_clean"], check=True, timeout=FETCHING)
        (home / "ready").touch()
    version = subprocess.run([program, "-c", "import trafilatura; print(trafilatura.__version__)"], check=True, capture_output=True, text=True)
    return program, version.stdout.strip()


def ask(command, made):
    lines = "".join(json.dumps({"path": page["path"], "base": page["base"]}) + "\n" for page in made)
    answers = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return [json.loads(line) for line in answers.splitlines()]


def mean(scores):
    return sum(scores) / len(scores) if scores else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--each", type=int, default=4, help="pages of each layout, script and length")
    parser.add_argument("--why", type=int, default=0, metavar="N", help="the N worst pages")
    parser.add_argument("--alone", action="store_true", help="without the others")
    options = parser.parse_args()
    made = pages(options.seed, options.each)
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--example", "extract"], check=True, cwd=ROOT)
    program = ROOT / "target" / "debug" / "examples" / "extract"
    readers = {"feedmill": [program]}
    if not options.alone:
        readers["dom_smoothie"] = [program, "--reader", "dom_smoothie"]
        interpreter, version = python()
        readers[f"trafilatura {version}"] = [interpreter, "-c", TRAFILATURA]
    scores = {}
    for reader, command in readers.items():
        answers = ask(command, made)
        assert len(answers) == len(made), f"{reader}: {len(answers)} answers to {len(made)} pages"
        scores[reader] = [f1(page["gold"], answer.get("text", "")) for page, answer in zip(made, answers)]
        if reader == "feedmill":
            ours = answers
    print(f"{len(made)} pages, character 4-gram F1\n")
    print(f"{'':24}" + "".join(f"{reader:>26}" for reader in readers))
    print(f"{'layout':24}" + f"{'long':>17}{'short':>9}" * len(readers))
    rows = [(layout.__name__, lambda page, name=layout.__name__: page["layout"] == name) for layout in LAYOUTS]
    rows += [(script, lambda page, name=script: page["script"] == name) for script in WORDS]
    rows += [("all", lambda page: True)]
    for name, belongs in rows:
        line = f"{name:24}"
        for values in scores.values():
            for length in FLOORS:
                part = [value for page, value in zip(made, values) if belongs(page) and page["length"] == length]
                line += f"{mean(part):>{17 if length == 'long' else 9}.3f}"
        print(line)
    worst = sorted(zip(scores["feedmill"], range(len(made))))[: options.why]
    for score, place in worst:
        page, answer = made[place], ours[place]
        text = answer.get("text", answer.get("error", ""))
        gold, found = set(page["gold"].splitlines()), set(text.splitlines())
        print(f"\n{score:.3f} {page['path']} ({answer.get('how')}, next {answer.get('next')})")
        print("  lost:   ", [line[:60] for line in gold - found][:6])
        print("  came in:", [line[:60] for line in found - gold][:6])
    status = 0
    for length, floor in FLOORS.items():
        value = mean([value for page, value in zip(made, scores["feedmill"]) if page["length"] == length])
        if value < floor:
            print(f"\nfeedmill reads {value:.3f} of the {length} pages, and the floor is {floor}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
