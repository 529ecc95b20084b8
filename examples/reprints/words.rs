//! Made-up news: articles of a vocabulary, in Chinese and in a Latin script. Nothing here was ever published.

/// Numbers that look like chance and are the same every time.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    pub fn one<'a>(&mut self, words: &'a str) -> &'a str {
        let words: Vec<&str> = words.split_whitespace().collect();
        words[self.below(words.len())]
    }
}

const PLACES: &str = "北港 南岭 东溪 西关 青石镇 白鹭湾 云台山 沙洲 古渡口 新城区 老码头 柳林 石桥 金沙滩 凤凰路 \
    中央广场 河西 湖滨 松原 海口湾 红枫谷 大坝 铁塔街 梅园 竹山 清水河 长堤 望江楼 月牙湖 盐田";
const NAMES: &str = "陈立新 王海燕 李国栋 赵晓峰 周文静 吴志远 郑秀兰 孙建业 马天宇 高雅琴 林浩然 何美玲 罗振华 \
    梁思齐 宋佳音 谢东明 韩雪梅 唐伯年 冯玉成 董小满 程万里 曹一鸣 袁静怡 邓长河 许开元";
const BODIES: &str = "市政府 交通局 水利厅 博物馆 图书馆 气象台 消防队 卫生院 环保局 大学城 科研组 志愿者 渔业协会 \
    商会 法院 检察院 出版社 剧团 合唱团 铁路局 电力公司 自来水厂 教育局 体育馆 植物园 动物园 天文馆 银行 交易所 机场";
const NOUNS: &str = "桥梁 隧道 渡轮 码头 铜钟 木船 灯塔 堤岸 粮仓 果园 茶田 渔网 候鸟 湿地 水库 雨水 台风 洪水 地震 \
    航线 列车 车票 班次 学生 老人 农民 工人 医生 教师 游客 居民 商贩 面包 米酒 瓷器 丝绸 剧本 乐谱 展品 手稿 地图 卫星 \
    望远镜 机器人 电池 芯片 油价 房租 税率 预算 账目 合同 专利 选票 议案 规划 图纸 证据 判决 疫苗 药品 口罩 样本 数据";
const VERBS: &str = "宣布 启动 修复 关闭 重建 调查 展出 搬迁 试行 推迟 取消 批准 否决 收购 出售 捐赠 救援 搜寻 检测 \
    发现 证实 否认 警告 呼吁 承诺 抗议 庆祝 纪念 研究 培育 种植 运送 登记 公布 修改 延长 缩短 增加 减少 改建";
const WORDS: &str = "清晨 傍晚 昨夜 今年 去年 周末 首次 再次 逐步 全面 暂时 正式 临时 意外 罕见 巨大 轻微 复杂 简单 \
    陈旧 崭新 干净 拥挤 安静 热闹 缓慢 迅速 公开 秘密 共同 单独 免费 昂贵 便宜 珍贵 普通 特殊 古老 现代 传统 本地 外地 \
    沿海 内陆 城市 乡村 国际 民间 专家 官方 现场 附近 对岸 上游 下游 背后 前方 同时 随后 此前 目前 未来 结果 原因 方案 \
    意见 计划 进展 损失 收入 成本 质量 安全 风险 机会 压力 兴趣 记忆 声音 颜色 味道 温度 速度 距离 高度 面积 数量";
const LINKS: &str = "因此 然而 另外 不过 尽管如此 据了解 值得一提的是 与此同时 在他看来 更重要的是 按照惯例 换句话说 据估计 \
    事实上 一方面 另一方面 接下来 到目前为止 相比之下 总的来说";

const LATIN_NOUNS: &str = "ferry harbour bridge council museum orchard library clockwork tram lantern valley quarry \
    fisherman teacher baker surgeon painter referee violin archive manuscript satellite turbine reservoir glacier vineyard \
    parliament verdict budget pension vaccine laboratory festival marathon stadium chimney granary lighthouse caravan \
    monastery postman orchestra shipyard pipeline railway tunnel airfield warehouse market village province";
const LATIN_VERBS: &str = "announced repaired closed rebuilt examined displayed moved postponed cancelled approved rejected \
    bought sold donated rescued searched measured discovered confirmed denied promised celebrated remembered planted carried \
    published amended extended shortened doubled halved converted";
const LATIN_WORDS: &str = "quiet crowded ancient modern sudden gentle foreign local northern southern narrow golden broken \
    careful cheap costly public secret yearly weekly early late entire partial hopeful doubtful famous forgotten rapid slow \
    muddy frozen wooden stone silver copper distant nearby upper lower";
const LATIN_LINKS: &str =
    "however meanwhile afterwards besides still instead nevertheless moreover finally elsewhere";
const LATIN_NAMES: &str = "Harrow Delmar Quist Okoye Brandt Silva Novak Tanaka Moreau Lindqvist Abara Castell Wren Ostrow";

/// What happens in an article: who, where, how many.
#[derive(Clone, Debug)]
pub struct Event {
    pub place: String,
    pub name: String,
    pub body: String,
    pub thing: String,
    pub number: usize,
}

/// An article.
#[derive(Clone, Debug)]
pub struct Story {
    pub latin: bool,
    pub event: Event,
    pub title: String,
    /// Paragraphs of sentences.
    pub text: Vec<Vec<String>>,
}

pub fn event(dice: &mut Dice, latin: bool) -> Event {
    if latin {
        return Event {
            place: format!(
                "{} {}",
                capital(dice.one(LATIN_WORDS)),
                capital(dice.one(LATIN_NOUNS))
            ),
            name: dice.one(LATIN_NAMES).to_owned(),
            body: dice.one(LATIN_NOUNS).to_owned(),
            thing: dice.one(LATIN_NOUNS).to_owned(),
            number: 10 + dice.below(9_000),
        };
    }
    Event {
        place: dice.one(PLACES).to_owned(),
        name: dice.one(NAMES).to_owned(),
        body: dice.one(BODIES).to_owned(),
        thing: dice.one(NOUNS).to_owned(),
        number: 10 + dice.below(9_000),
    }
}

pub fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

pub fn title(dice: &mut Dice, event: &Event, latin: bool) -> String {
    let Event {
        place, body, thing, ..
    } = event;
    if latin {
        let (word, verb, noun) = (
            dice.one(LATIN_WORDS),
            dice.one(LATIN_VERBS),
            dice.one(LATIN_NOUNS),
        );
        return format!("{place}: {word} {thing} {verb} by {noun} {body}");
    }
    let (verb, word, noun) = (dice.one(VERBS), dice.one(WORDS), dice.one(NOUNS));
    format!(
        "{place}{body}{verb}{thing}，{word}{noun}{}",
        dice.one(VERBS)
    )
}

fn clause(dice: &mut Dice, latin: bool) -> String {
    if latin {
        let (a, b) = (dice.one(LATIN_WORDS), dice.one(LATIN_NOUNS));
        let (verb, c, d) = (
            dice.one(LATIN_VERBS),
            dice.one(LATIN_WORDS),
            dice.one(LATIN_NOUNS),
        );
        return match dice.below(3) {
            0 => format!("the {a} {b} {verb} a {c} {d}"),
            1 => format!(
                "a {b} {verb} {} {d}s near the {c} {}",
                2 + dice.below(900),
                dice.one(LATIN_NOUNS)
            ),
            _ => format!("{a} {b}s were {verb} after the {d}"),
        };
    }
    let (noun, verb, word) = (dice.one(NOUNS), dice.one(VERBS), dice.one(WORDS));
    let (other, more) = (dice.one(NOUNS), dice.one(WORDS));
    match dice.below(6) {
        0 => format!("{word}{noun}{verb}{more}的{other}"),
        1 => format!("{noun}在{}{verb}了{other}", dice.one(PLACES)),
        2 => format!("{more}{}{verb}{word}{other}", dice.one(BODIES)),
        3 => format!("{}个{noun}{word}{verb}{other}", 2 + dice.below(5_000)),
        4 => format!("{word}、{more}与{noun}一起{verb}"),
        _ => format!("把{other}{verb}给{more}{noun}"),
    }
}

pub fn sentence(dice: &mut Dice, event: &Event, latin: bool) -> String {
    let mut clauses: Vec<String> = (0..2 + dice.below(2))
        .map(|_| clause(dice, latin))
        .collect();
    if dice.below(3) == 0 {
        let link = if latin {
            dice.one(LATIN_LINKS)
        } else {
            dice.one(LINKS)
        };
        clauses.insert(0, link.to_owned());
    }
    if dice.below(4) == 0 {
        clauses.push(match (latin, dice.below(3)) {
            (true, 0) => format!("said {} of the {}", event.name, event.body),
            (true, 1) => format!("{} of them in {}", event.number, event.place),
            (true, _) => format!("the {} of {} remained", event.thing, event.place),
            (false, 0) => format!("{}的{}说", event.body, event.name),
            (false, 1) => format!("{}共有{}处", event.place, event.number),
            (false, _) => format!("{}的{}也不例外", event.place, event.thing),
        });
    }
    if latin {
        format!("{}. ", capital(&clauses.join(", ")))
    } else {
        format!("{}。", clauses.join("，"))
    }
}

/// An article of about so many characters.
pub fn story(dice: &mut Dice, event: &Event, latin: bool, chars: usize) -> Story {
    let mut text = vec![Vec::new()];
    let mut len = 0;
    while len < chars {
        let next = sentence(dice, event, latin);
        len += next.chars().count();
        if let Some(paragraph) = text.last_mut() {
            paragraph.push(next);
        }
        if dice.below(3) == 0 {
            text.push(Vec::new());
        }
    }
    text.retain(|paragraph| !paragraph.is_empty());
    Story {
        latin,
        title: title(dice, event, latin),
        event: event.clone(),
        text,
    }
}

/// A quotation of the event that many articles have.
pub fn quotation(event: &Event, latin: bool) -> String {
    if latin {
        return format!(
            "\"We counted {} and did not expect the {} to end like this,\" {} told reporters. ",
            event.number, event.thing, event.name
        );
    }
    format!(
        "{}对记者说：“我们数了{}遍，没有想到{}会是这样。”",
        event.name, event.number, event.thing
    )
}

/// Traditional forms of the characters above, for copies in the other script.
const TRADITIONAL: &str = "东東 岭嶺 关關 湾灣 台臺 区區 码碼 头頭 桥橋 凤鳳 场場 滨濱 红紅 枫楓 坝壩 铁鐵 园園 长長 \
    楼樓 盐鹽 陈陳 国國 栋棟 赵趙 晓曉 静靜 吴吳 远遠 郑鄭 兰蘭 孙孫 业業 马馬 罗羅 华華 齐齊 谢謝 韩韓 冯馮 万萬 鸣鳴 \
    邓鄧 许許 开開 图圖 书書 馆館 气氣 队隊 卫衛 环環 学學 组組 愿願 渔漁 协協 会會 检檢 剧劇 团團 电電 银銀 机機 梁樑 \
    轮輪 铜銅 钟鐘 灯燈 仓倉 网網 鸟鳥 湿濕 库庫 风風 线線 车車 农農 医醫 师師 贩販 面麵 丝絲 绸綢 乐樂 谱譜 稿稿 \
    卫衛 镜鏡 价價 预預 账賬 选選 议議 规規 划劃 证證 据據 决決 药藥 样樣 数數 启啟 动動 复復 闭閉 调調 试試 迟遲 准準 \
    购購 赠贈 测測 发發 现現 实實 认認 诺諾 抗抗 庆慶 纪紀 种種 运運 记記 缩縮 减減 轻輕 杂雜 简簡 旧舊 干乾 净淨 拥擁 \
    挤擠 热熱 闹鬧 缓緩 贵貴 珍珍 传傳 统統 内內 乡鄉 际際 间間 专專 对對 岸岸 后後 时時 随隨 此此 来來 结結 见見 计計 \
    进進 损損 质質 险險 压壓 兴興 趣趣 忆憶 声聲 颜顏 温溫 离離 积積 了了 个個 给給 说說 没沒 么麼 这這 处處 与與 尽盡 \
    样樣 据據 值值 体體 边邊 办辦 刚剛 请請 阅閱 读讀 编編 辑輯 责責 转轉 载載 权權 图圖 扫掃 维維 关關 注注 微微 众眾";

/// The text in the other script.
pub fn traditional(text: &str) -> String {
    let form = |c: char| {
        let pair = TRADITIONAL
            .split_whitespace()
            .find(|pair| pair.starts_with(c));
        pair.and_then(|pair| pair.chars().nth(1)).unwrap_or(c)
    };
    text.chars().map(form).collect()
}
