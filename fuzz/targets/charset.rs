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
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let label = LABELS[usize::from(first >> 2) % LABELS.len()];
    let kind = if first & 1 == 0 { Kind::Xml } else { Kind::Json };
    if first & 2 == 0 {
        decode(bytes, label, kind);
    } else {
        read(bytes, label, None, kind);
    }
});
