//! How an entry changes and whether it was taken back, in words and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::revision::{Held, Hold, How, Temper, Withdrawn};
use crate::model::time::Timestamp;
use crate::rules::revision::{A_DAY, QUIET};

/// That what comes is not stored, since when and why.
pub fn held(held: &Held) -> String {
    let why = match held.why {
        Hold::Spent => format!(
            "its publisher changed it {QUIET} times without dated new words, and no more than {QUIET} changes of that kind are \
             stored"
        ),
        Hold::Returned => {
            "old words come again, and not for the first time: its publisher has several editions"
                .to_owned()
        }
        Hold::Older => "what comes is older by its publisher's own date".to_owned(),
        Hold::Often => format!("it was revised {A_DAY} times within a day"),
    };
    format!(
        "frozen since {}: {why}; something else came last about {}",
        held.since.rfc3339(),
        held.last.rfc3339()
    )
}

/// The same for programs; null where nothing is held.
pub fn held_json(temper: &Temper) -> Value {
    json!(temper.held.map(|held| json!({
        "why": held.why.name(),
        "since": held.since.rfc3339(),
        "last": held.last.rfc3339(),
    })))
}

/// That the publisher took it back, and whether it came back.
pub fn withdrawn(gone: &Withdrawn) -> String {
    let how = match gone.how {
        How::Deleted => "its feed says it is deleted",
        How::Gone => "its page is gone (410)",
    };
    let mut words = format!("seen {}: {how}", gone.at.rfc3339());
    if let Some(said) = gone.said {
        let _ = write!(words, ", since {}", said.rfc3339());
    }
    if let Some(comment) = &gone.comment {
        let _ = write!(words, ": {comment}");
    }
    if gone.times > 1 {
        let _ = write!(words, "; {} times by now", gone.times);
    }
    if let Some(back) = gone.back {
        let _ = write!(words, "; it came back {}", back.rfc3339());
    }
    words
}

/// The same for programs; null where it was not.
pub fn withdrawn_json(gone: Option<&Withdrawn>) -> Value {
    json!(gone.map(|gone| json!({
        "at": gone.at.rfc3339(),
        "how": gone.how.name(),
        "said": gone.said.map(Timestamp::rfc3339),
        "comment": gone.comment,
        "times": gone.times,
        "back": gone.back.map(Timestamp::rfc3339),
    })))
}
