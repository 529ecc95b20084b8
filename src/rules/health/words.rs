//! The states in words for people: their titles, and what to do.

use crate::model::health::State;

impl State {
    /// In Chinese, in a word or two.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Fine => "正常",
            Self::Late => "迟到",
            Self::Silent => "失联",
            Self::Empty => "空白",
            Self::Thin => "内容变少",
            Self::Blocked => "被拒绝",
            Self::Moved => "已搬家",
            Self::Redesigned => "已改版",
            Self::Failing => "故障",
            Self::Gone => "已关闭",
        }
    }

    /// What whoever looks after the feeds may do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Fine => "Nothing is to be done.",
            Self::Late => "Nothing yet: most feeds that are late come back by themselves.",
            Self::Silent => {
                "Look whether the site still publishes. If it does, its feed has stopped or is somewhere else: put the new \
                 address into feeds.toml. If it does not, the subscription can go."
            }
            Self::Empty => {
                "Open the feed's address in a browser. If the site has news and the feed has none, tell the publisher or \
                 look for another feed of the site."
            }
            Self::Thin => {
                "Open one of its newest articles. The publisher may have shortened the feed or put the articles behind a \
                 wall, or feedmill no longer finds the words on the pages: `feedmill why` with the feed's name says what \
                 was left out."
            }
            Self::Blocked => {
                "Set `contact` in feedmill.toml and `schedule` to something slower, and ask the publisher whether feed \
                 readers are welcome. Polling more often makes it worse."
            }
            Self::Moved => {
                "Put the new address into feeds.toml; until then every poll costs a request more."
            }
            Self::Redesigned => {
                "Look for a new release of feedmill that knows the new pages, or report it. Nothing that is stored is lost."
            }
            Self::Failing => {
                "Open the address in a browser. If it works there, look at the reason and at this machine's network; if it \
                 does not, the publisher has to mend it. feedmill goes on asking, ever more rarely."
            }
            Self::Gone => {
                "Take the feed out of feeds.toml, or put its new address there. It is not asked any more by the clock; \
                 `feedmill fetch --once` with its name asks it."
            }
        }
    }
}
