//! A loopback newsroom: made-up stories served in the shapes of all publishers. For the demo and for tests of the whole
//! program. Every word here is made up.

#![allow(dead_code, clippy::format_collect)]

use serde_json::json;

use super::origin::{Origin, Reply};

/// A made-up story: id, title, paragraphs.
type Story = (&'static str, &'static str, &'static [&'static str]);

const QQ: [Story; 3] = [
    (
        "20260301A01AAA00",
        "江边新桥今天通车，老渡口停航",
        &[
            "连接南北两岸的新桥今天上午八点正式通车。第一辆过桥的是一辆送报纸的三轮车，骑车人说他等这一天等了十二年。",
            "老渡口同一天停航。摆渡四十年的船工把最后一张船票送给了一名小学生，票面上印着“一帆风顺”四个字。",
            "当地交通部门说，新桥每天可以通过三万辆车，从南岸到北岸的时间由四十分钟缩短为五分钟。",
        ],
    ),
    (
        "20260301A02BBB00",
        "山村图书馆一年借出两万册书",
        &[
            "只有六百人的山村去年借出两万零三百册书，平均每人三十多册。图书馆由旧粮仓改建，木梁上还留着当年的编号。",
            "馆员介绍，借得最多的不是小说，而是修理拖拉机的手册；第二名是一本讲星座的图画书。",
        ],
    ),
    (
        "20260301A03CCC00",
        "候鸟提前十天飞回湿地",
        &[
            "第一批候鸟三月一日飞抵湿地，比去年早了十天。观鸟员在清晨的雾里数到两千一百只，其中有七只戴着去年的脚环。",
            "研究人员说，早到并不一定是好事：昆虫还没有醒来，鸟群可能要靠农田里剩下的谷粒度过最初几天。",
        ],
    ),
];

const DW: [Story; 3] = [
    (
        "70000001",
        "小城为何给每棵树编号？",
        &[
            "（编造的通讯社）小城给全部四千棵行道树编了号，市民可以给任何一棵树写信。",
            "市政府说，一年里收到一万一千封信，其中三封是求婚。",
        ],
    ),
    (
        "70000002",
        "火车晚点，乘客合唱两小时",
        &["（编造的通讯社）一列晚点的夜车上，乘客合唱了两个小时，列车长最后也加入了第二声部。"],
    ),
    (
        "70000003",
        "面包师与人工智能比赛揉面",
        &[
            "（编造的通讯社）比赛在市场举行，机器揉得更快，评委却认出了手揉的面包。",
            "面包师说，他会买一台机器，用来洗碗。",
        ],
    ),
];

const TKP: [Story; 2] = [
    (
        "0123456789abcdef01234567",
        "渡輪博物館開幕 市民重溫碼頭歲月",
        &[
            "【編造報訊】渡輪博物館昨日開幕，展出一百二十件舊物，包括一口仍可敲響的銅鐘。",
            "館長表示，每逢整點會請一位市民敲鐘，預約已排到明年。",
        ],
    ),
    (
        "0123456789abcdef01234568",
        "夜市攤檔改用可洗餐具",
        &["【編造報訊】夜市四十家攤檔由本月起改用可洗餐具，垃圾量首週減少六成。"],
    ),
];

/// What the plain feed carries: an English story, and the first of the qq stories again, in Traditional script and with
/// other punctuation: the same words.
const PLAIN: [(&str, &str, &str); 2] = [
    (
        "tag:news.example.org,2026:bridge",
        "江邊新橋通車（轉載）",
        "<p>連接南北兩岸的新橋今天上午八點正式通車。第一輛過橋的是一輛送報紙的三輪車，騎車人說他等這一天等了十二年。</p>\
      <p>（圖片由編造社提供）</p><h3>記者現場</h3>\
      <p>老渡口同一天停航。擺渡四十年的船工把最後一張船票送給了一名小學生，票面上印著「一帆風順」四個字。</p>\
      <p>當地交通部門說，新橋每天可以通過三萬輛車，從南岸到北岸的時間由四十分鐘縮短為五分鐘。</p>",
    ),
    (
        "tag:news.example.org,2026:clock",
        "Town clock keeps its own time",
        "<p>The town clock runs eleven minutes late, and since Sunday so does the town: \
      the council voted to follow it rather than repair it.</p><p>Trains have asked for an exemption.</p>",
    ),
];

/// Opens the newsroom.
pub fn open() -> Origin {
    let origin = Origin::start(Vec::<(String, Reply)>::new());
    let page = |media: &str, body: String| Reply::ok(media, body).validated().gzipped();
    let (json, html) = (
        "application/json; charset=utf-8",
        "text/html; charset=utf-8",
    );

    origin.set(
        "/gw/event/hot_ranking_list?page_size=50",
        page(json, qq_list()),
    );
    for (id, title, paragraphs) in QQ {
        origin.set(
            format!("/rain/a/{id}"),
            page(html, qq_article(id, title, paragraphs)),
        );
    }
    origin.set("/rdf/rss-chi-all", page("application/rdf+xml", dw_list()));
    for (id, title, paragraphs) in DW {
        origin.set(
            format!("/api/detail/article/{id}"),
            page(json, dw_article(id, title, paragraphs)),
        );
    }
    origin.set("/stories.json", page(json, tkp_list(&origin.base_url())));
    for (id, _, paragraphs) in TKP {
        let content = json!({"data": {"content": html_of(paragraphs)}});
        origin.set(
            format!("/a/202603/01/AP{id}.json"),
            page(json, content.to_string()),
        );
    }
    origin.set("/plain.rss", page("application/rss+xml", plain()));
    origin
}

/// Subscriptions to all of it.
pub fn feeds_toml(origin: &Origin) -> String {
    let base = origin.base_url();
    format!(
        "[[feed]]\nid = \"qq\"\nsource = \"qq\"\nlist_base = \"{base}\"\narticle_base = \"{base}\"\nview_base = \"{base}\"\nsimple_base = \"{base}\"\nallow_hosts = [\"127.0.0.1\"]\n\n\
         [[feed]]\nid = \"dw\"\nsource = \"dw\"\nurl = \"{base}/rdf/rss-chi-all\"\napi = \"{base}\"\nallow_hosts = [\"127.0.0.1\"]\n\n\
         [[feed]]\nid = \"takungpao\"\nsource = \"takungpao\"\nurl = \"{base}/stories.json\"\nbase = \"{base}\"\nallow_hosts = [\"127.0.0.1\"]\n\n\
         [[feed]]\nid = \"plain\"\nsource = \"feed\"\nurl = \"{base}/plain.rss\"\ntitle = \"Plain Example News\"\nallow_hosts = [\"127.0.0.1\"]\n"
    )
}

fn html_of(paragraphs: &[&str]) -> String {
    paragraphs
        .iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect()
}

fn qq_list() -> String {
    let mut items =
        vec![json!({"id": "TIP2026030100000", "articletype": "560", "title": "热榜每十分钟更新"})];
    items.extend(QQ.iter().enumerate().map(|(place, (id, title, paragraphs))| {
        json!({
            "id": id, "articletype": "0", "title": title, "url": format!("https://view.inews.qq.com/a/{id}"),
            "time": format!("2026-03-01 1{place}:09:10"), "timestamp": 1_772_330_950 + 3600 * place,
            "abstract": format!("{}...", paragraphs[0].chars().take(40).collect::<String>()), "source": "编造日报",
            "thumbnails_qqnews": ["https://inews.gtimg.com/newsapp_ls/0/1_640360/0"],
        })
    }));
    json!({"ret": 0, "idlist": [{"ids_hash": "x", "has_more": 0, "newslist": items}]}).to_string()
}

fn qq_article(id: &str, title: &str, paragraphs: &[&str]) -> String {
    let [first, rest @ ..] = paragraphs else {
        return String::new();
    };
    let text = format!(
        "<div class=\"rich_media_content\"><p>{first}<!--AIPOS_0--></p><p class=\"img-center-box\"><!--IMG_0--></p>\
         <p class=\"text-img-note\" label=\"图片备注\">图片由编造社提供</p><p class=\"text-big-title\"><strong>记者现场</strong></p>{}\
         <div powered-by=\"ex-editor\"></div><style>.rich_media_content{{--a: #333}}</style></div>",
        html_of(rest)
    );
    let data = json!({
        "url": format!("https://news.qq.com/rain/a/{id}"), "article_id": id, "title": title, "media": "编造日报",
        "pubtime": "2026-03-01 10:09:10", "atype": "0", "originContent": {"text": text, "version": 1},
        "originAttribute": {"IMG_0": {"imgurl1000": "https://inews.gtimg.com/om_bt/OAAA/1000", "width": 1000, "desc": ""}},
    });
    format!(
        "<!DOCTYPE html><html><head><title>{title}_made up</title></head><body><script>window.DATA = {data};</script></body></html>"
    )
}

fn dw_list() -> String {
    let items: String = DW
        .iter()
        .enumerate()
        .map(|(place, (id, title, _))| {
            format!(
                "<item rdf:about=\"https://www.dw.com/zh/x/a-{id}\"><title>{title}</title>\
                 <link>https://www.dw.com/zh/{title}/a-{id}?maca=made-up</link><description/>\
                 <dc:date>2026-03-01T0{place}:09:00Z</dc:date><dwsyn:contentID>{id}</dwsyn:contentID></item>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:dwsyn=\"http://rss.dw.com/syndication/dwsyn/\"><channel rdf:about=\"https://rss.dw.com/made-up.rdf\">\
         <title>德国之声（编造）</title><link>https://www.dw.com/zh/</link><description>made up</description></channel>{items}</rdf:RDF>"
    )
}

fn dw_article(id: &str, title: &str, paragraphs: &[&str]) -> String {
    let paragraph = |text: &&str| json!({"content": {"type": "Paragraph", "text": text}});
    json!({
        "type": "Article", "id": id.parse::<u64>().unwrap_or_default(), "name": title, "teaser": "",
        "permaLink": "https://p.dw.com/p/made-up", "displayDate": "2026-03-01T00:02:43.389Z", "author": "编造者",
        "mainContent": {
            "id": 70_000_030, "type": "Image", "name": "", "description": "资料照",
            "sizes": [{"width": 700, "height": 394, "url": "https://static.dw.com/image/70000030_303.jpg"}],
        },
        "body": paragraphs.iter().map(paragraph).collect::<Vec<_>>(),
    })
    .to_string()
}

fn tkp_list(base: &str) -> String {
    let stories: Vec<_> = TKP
        .iter()
        .enumerate()
        .map(|(place, (id, title, _))| {
            json!({
                "title": title, "url": format!("{base}/a/202603/01/AP{id}.html"), "jsonUrl": format!("/a/202603/01/AP{id}.json"),
                "summary": "", "publishTime": format!("2026-03-01 0{place}:09:10"), "tags": ["港聞"],
            })
        })
        .collect();
    json!({"data": {"stories": stories}}).to_string()
}

fn plain() -> String {
    let items: String = PLAIN
        .iter()
        .map(|(id, title, body)| {
            format!(
                "<item><guid isPermaLink=\"false\">{id}</guid><title>{title}</title><link>https://news.example.org/{}</link>\
                 <pubDate>Sun, 01 Mar 2026 12:00:00 GMT</pubDate><description><![CDATA[{body}]]></description></item>",
                id.rsplit(':').next().unwrap_or_default()
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\"><channel><title>Example News</title>\
         <link>https://news.example.org/</link><description>made up</description>{items}</channel></rss>"
    )
}
