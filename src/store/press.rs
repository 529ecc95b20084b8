//! Bodies on the disk: long ones as a zstd frame (a BLOB), short ones as they are (TEXT). Half the store is bodies.

use std::io;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

use crate::model::visit::Frame;

/// Bytes from which pressing is worth its time: what is shorter gives little and is most of the calls.
const LONG: usize = 1_024;

/// The fastest of the levels that look for more than repeated words. On 60,000 bodies of 1.4 KB: 0.25 s for 30 % of
/// the file; the levels below 0 save little time and most of that room is lost again.
const LEVEL: i32 = 1;

/// Pages are kept by their size, so a little more time buys more of them: zstd's own default.
const PAGE_LEVEL: i32 = 3;

/// More than any body we take from a stranger: a damaged frame cannot ask for more memory.
const LARGEST: u64 = 64 << 20;

/// Presses texts, one after the other with the same tables.
pub(super) struct Press(Compressor<'static>);

impl Press {
    pub(super) fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        // Four bytes that tell of a flipped bit.
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self(compressor))
    }

    /// The text as it is to be stored.
    pub(super) fn press<'t>(&mut self, text: &'t str) -> Pressed<'t> {
        if text.len() >= LONG
            && let Ok(frame) = self.0.compress(text.as_bytes())
            && frame.len() < text.len()
        {
            return Pressed::Frame(frame);
        }
        Pressed::Plain(text)
    }
}

/// A text on its way to the disk.
#[derive(Debug, PartialEq)]
pub(super) enum Pressed<'t> {
    Plain(&'t str),
    Frame(Vec<u8>),
}

impl ToSql for Pressed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Plain(text) => ValueRef::Text(text.as_bytes()),
            Self::Frame(frame) => ValueRef::Blob(frame),
        }))
    }
}

/// A text from the disk.
pub(super) struct Unpressed(pub String);

impl FromSql for Unpressed {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let ValueRef::Blob(frame) = value else {
            return String::column_result(value).map(Self);
        };
        unpress(frame)
            .map(Self)
            .map_err(|why| FromSqlError::Other(why.into()))
    }
}

/// Reads texts from the disk, one after the other with the same tables: to make them costs more than a short text.
pub(super) struct Unpress(Decompressor<'static>);

impl Unpress {
    pub(super) fn new() -> io::Result<Self> {
        Decompressor::new().map(Self)
    }

    /// The text in a column of a row.
    pub(super) fn text(&mut self, value: ValueRef<'_>) -> Result<String, String> {
        match value {
            ValueRef::Blob(frame) => text_of(unpress_with(&mut self.0, frame)?),
            other => String::column_result(other).map_err(|error| error.to_string()),
        }
    }
}

fn unpress(frame: &[u8]) -> Result<String, String> {
    text_of(unpress_bytes(frame)?)
}

fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn unpress_bytes(frame: &[u8]) -> Result<Vec<u8>, String> {
    let mut decompressor = Decompressor::new().map_err(|error| error.to_string())?;
    unpress_with(&mut decompressor, frame)
}

fn unpress_with(decompressor: &mut Decompressor<'_>, frame: &[u8]) -> Result<Vec<u8>, String> {
    let size = match get_frame_content_size(frame) {
        Ok(Some(size)) if size <= LARGEST => usize::try_from(size).map_err(|e| e.to_string())?,
        _ => return Err("not a zstd frame of ours".to_owned()),
    };
    decompressor
        .decompress(frame, size)
        .map_err(|error| error.to_string())
}

/// Presses a page's body for visits. It costs CPU, and is done before the store is asked.
pub fn press_page(body: &[u8]) -> io::Result<Frame> {
    Ok(Frame {
        digest: *blake3::hash(body).as_bytes(),
        bytes: zstd::bulk::compress(body, PAGE_LEVEL)?,
    })
}

/// The body as it came. A damaged frame is an error, never another body.
pub fn unpress_page(frame: &Frame) -> Result<Vec<u8>, String> {
    let body = unpress_bytes(&frame.bytes)?;
    if blake3::hash(&body).as_bytes() != &frame.digest {
        return Err("not the bytes that were kept".to_owned());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

    use super::*;

    #[test]
    fn texts_survive_and_only_long_ones_are_pressed() {
        let mut press = Press::new().unwrap();
        let long = "晨间新闻与天气。".repeat(400);
        for text in ["", "short", &"a".repeat(LONG - 1), &long] {
            match press.press(text) {
                Pressed::Plain(plain) => assert!(plain == text && text.len() < LONG),
                Pressed::Frame(frame) => {
                    assert!(text.len() >= LONG && frame.len() < text.len() / 10);
                    assert_eq!(unpress(&frame).unwrap(), text);
                    let mut unpress = Unpress::new().unwrap();
                    for _ in 0..2 {
                        assert_eq!(unpress.text(ValueRef::Blob(&frame)).unwrap(), text);
                        assert!(unpress.text(ValueRef::Blob(&frame[1..])).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn a_damaged_frame_is_an_error() {
        let text: String = (0..2_000_u32)
            .map(|n| n.wrapping_mul(77_773).to_string())
            .collect();
        let Pressed::Frame(frame) = Press::new().unwrap().press(&text) else {
            panic!("not pressed");
        };
        let mut found = 0;
        for place in 0..frame.len() {
            let mut damaged = frame.clone();
            damaged[place] ^= 0x10;
            // A bit of the frame's header has no meaning here; whatever is read is what was written.
            let read = unpress(&damaged);
            assert!(
                read.as_ref().is_err() || read.as_ref() == Ok(&text),
                "byte {place}"
            );
            found += usize::from(read.is_err());
            assert!(unpress(&frame[..place]).is_err(), "cut at {place}");
        }
        assert!(found >= frame.len() - 8, "{found} of {}", frame.len());
    }

    #[test]
    fn a_page_is_kept_byte_for_byte_or_told_to_be_damaged() {
        for body in [&b""[..], b"\xff\x00<p>", &b"<p>words".repeat(1_000)] {
            let mut frame = press_page(body).unwrap();
            assert_eq!(unpress_page(&frame).unwrap(), body);
            frame.digest[0] ^= 1;
            assert!(unpress_page(&frame).is_err());
        }
    }
}
