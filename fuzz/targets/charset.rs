//! Any bytes under any label. Valid UTF-8 without a label or a mark that says otherwise comes back as it is.

#![no_main]

use feedmill::rules::charset::{Kind, decode, read};
use libfuzzer_sys::fuzz_target;

const LABELS: [Option<&str>; 10] = [
    None,
    Some("utf-8"),
    Some("gb2312"),
    Some("gb18030"),
    Some("big5"),
    Some("shift_jis"),
    Some("iso-2022-jp"),
    Some("utf-16"),
    Some("ebcdic-cp-us"),
    Some("nonsense"),
];

fuzz_target!(|data: &[u8]| {
    // The last byte chooses, so that a document as it is is a document here.
    let Some((last, bytes)) = data.split_last() else {
        return;
    };
    let label = LABELS[usize::from(last >> 2) % LABELS.len()];
    let kind = if last & 1 == 0 { Kind::Xml } else { Kind::Json };
    if last & 2 == 0 {
        decode(bytes, label, kind);
    } else {
        read(bytes, label, None, kind);
    }
});
