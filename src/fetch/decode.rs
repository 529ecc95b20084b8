//! Content codings, undone with limits on both sides.
//!
//! They are ours rather than the HTTP library's, so that size, end of stream and trailing bytes are under our control
//! (P-80): several gzip members are one body, bytes after the last are ignored, a stream without its end is an error,
//! and whatever grows beyond all measure is stopped while it grows.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::model::http::FetchError;

/// More stacked codings than this are an attack on our patience.
const MAX_CODINGS: usize = 4;
/// More gzip members or zstd frames than this are one on our allocator.
const MAX_MEMBERS: usize = 4096;
/// Windows over 8 MiB are refused (P-84; RFC 9659 says the same of zstd).
const WINDOW_LOG_MAX: u32 = 23;
/// Room made for output at least.
const STEP: usize = 16 * 1024;

/// A content coding (RFC 9110 §8.4.1, RFC 7932, RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip` and `x-gzip`.
    Gzip,
    /// `deflate`: zlib by the book, raw in the wild.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl Coding {
    /// The coding of this name, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let known: [(&[u8], Self); 5] = [
            (b"gzip", Self::Gzip),
            (b"x-gzip", Self::Gzip),
            (b"br", Self::Brotli),
            (b"zstd", Self::Zstd),
            (b"deflate", Self::Deflate),
        ];
        known
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, coding)| coding)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// What these bytes say they are.
    fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&GZIP_MAGIC) {
            Some(Self::Gzip)
        } else if is_zstd_frame(bytes) {
            Some(Self::Zstd)
        } else {
            None
        }
    }
}

const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How far a body may grow.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes at most.
    pub decoded: usize,
    /// Times its size on the wire at most...
    pub ratio: usize,
    /// ...once past this many bytes.
    pub ratio_from: usize,
}

/// Why a body could not be decoded.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// It ends before its coding does (P-53).
    #[error("its {0} stream breaks off")]
    Truncated(&'static str),
    /// It is not what it says, or the wire garbled it.
    #[error("its {0} stream is damaged")]
    Damaged(&'static str),
    /// It wants more memory for its history than we give.
    #[error("its {0} stream asks for a window over 8 MiB")]
    Window(&'static str),
    /// More codings on top of each other, or more parts of a stream, than any honest server makes.
    #[error("it has more than {limit} {what}")]
    TooMany {
        /// `content codings`, `parts`.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Over the limit for any body.
    #[error("decoded, it has more than {0} bytes")]
    TooLarge(usize),
    /// A bomb: over the limit for a body of its size (P-84).
    #[error("decoded, it grows beyond all measure, to more than {0} bytes")]
    Bomb(usize),
}

impl From<DecodeError> for FetchError {
    fn from(error: DecodeError) -> Self {
        let bytes = |limit: usize| u64::try_from(limit).unwrap_or(u64::MAX);
        match error {
            DecodeError::TooLarge(limit) => Self::TooLarge {
                what: "decoded answer",
                limit: bytes(limit),
            },
            DecodeError::Bomb(limit) => Self::TooLarge {
                what: "decoded answer, for its size on the wire,",
                limit: bytes(limit),
            },
            DecodeError::Truncated(_) | DecodeError::Damaged(_) => {
                Self::Incomplete(error.to_string())
            }
            DecodeError::Window(_) | DecodeError::TooMany { .. } => {
                Self::Malformed(error.to_string())
            }
        }
    }
}

/// Undoes the codings, the last applied first. A body that is plainly something else than it says is taken for what it
/// is (P-85). A body without any coding comes back as it is, not copied.
pub fn decode(body: Vec<u8>, codings: &[Coding], limits: Limits) -> Result<Vec<u8>, DecodeError> {
    if codings.len() > MAX_CODINGS {
        return Err(DecodeError::TooMany {
            what: "content codings",
            limit: MAX_CODINGS,
        });
    }
    let by_ratio = limits
        .ratio_from
        .max(body.len().saturating_mul(limits.ratio));
    let cap = Cap {
        bytes: limits.decoded.min(by_ratio),
        by_ratio: by_ratio < limits.decoded,
    };
    let mut body = body;
    for coding in codings.iter().rev() {
        body = undo(*coding, body, cap)?;
    }
    // One coding more than was said: a file that was compressed already, or a header that got lost.
    if let Some(coding) = Coding::sniff(&body) {
        tracing::debug!(coding = coding.name(), "a content coding nobody mentioned");
        body = undo(coding, body, cap)?;
    }
    // An uncoded body is bound by the limit too.
    cap.check(body.len())?;
    Ok(body)
}

/// Whether decoding may take long enough to matter to others on the same thread.
pub fn is_long(body: &[u8], codings: &[Coding]) -> bool {
    body.len() > 256 * 1024 && (!codings.is_empty() || Coding::sniff(body).is_some())
}

fn undo(said: Coding, body: Vec<u8>, cap: Cap) -> Result<Vec<u8>, DecodeError> {
    use DecodeError::{Damaged, Truncated, Window};
    let outcome = match said {
        // These two begin with a mark, so what has none is something else.
        Coding::Gzip | Coding::Zstd => Err(Damaged(said.name())),
        // These have none: whether it is one shows when it is read.
        Coding::Deflate => deflate(&body, cap),
        Coding::Brotli => brotli(&body, cap),
    };
    match (outcome, Coding::sniff(&body)) {
        (Err(Damaged(_) | Truncated(_) | Window(_)), Some(Coding::Zstd)) => zstd_frames(&body, cap),
        (Err(Damaged(_) | Truncated(_) | Window(_)), Some(_)) => gzip(&body, cap),
        (Err(Damaged(_) | Truncated(_) | Window(_)), None) if looks_plain(&body) => {
            tracing::debug!(
                coding = said.name(),
                "a body without the content coding it should have"
            );
            Ok(body)
        }
        (outcome, _) => outcome,
    }
}

/// Whether this begins like markup or JSON in a common charset: what feeds and pages begin with, and no coding does.
fn looks_plain(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
        return true;
    }
    let first = body.iter().find(|b| !b.is_ascii_whitespace() && **b != 0);
    first.is_some_and(|b| matches!(b, b'<' | b'{' | b'['))
}

/// Where growing ends, and whose limit that is.
#[derive(Clone, Copy, Debug)]
struct Cap {
    bytes: usize,
    by_ratio: bool,
}

impl Cap {
    fn check(self, len: usize) -> Result<(), DecodeError> {
        if len <= self.bytes {
            Ok(())
        } else if self.by_ratio {
            Err(DecodeError::Bomb(self.bytes))
        } else {
            Err(DecodeError::TooLarge(self.bytes))
        }
    }

    /// Room for what is likely to come. A stream may say how long it is; it is believed up to a point.
    fn room(self, wire: usize, said: Option<usize>) -> Vec<u8> {
        let likely = wire.saturating_mul(6);
        let most = wire.saturating_mul(30);
        let room = said.map_or(likely, |said| said.min(most));
        // One byte more, so that the end of the stream is seen without growing again.
        Vec::with_capacity(room.min(self.bytes).max(512) + 1)
    }

    /// Makes room to write on, or says that it was enough.
    fn grow(self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.check(out.len())?;
        if out.len() == out.capacity() {
            let room = out.len().max(STEP).min(self.bytes + 1 - out.len());
            out.reserve_exact(room.max(1));
        }
        Ok(())
    }
}

fn gzip(body: &[u8], cap: Cap) -> Result<Vec<u8>, DecodeError> {
    const NAME: &str = "gzip";
    // The last four bytes say how long it was (RFC 1952 §2.3.1), if nothing follows them.
    let said = body
        .last_chunk::<4>()
        .and_then(|tail| usize::try_from(u32::from_le_bytes(*tail)).ok());
    let mut out = cap.room(body.len(), said);
    let mut rest = body;
    for _ in 0..MAX_MEMBERS {
        rest = inflate(&mut Decompress::new_gzip(15), rest, &mut out, cap, NAME)?;
        if !rest.starts_with(&GZIP_MAGIC) {
            note_trailing(NAME, rest);
            return Ok(out);
        }
    }
    Err(DecodeError::TooMany {
        what: "parts",
        limit: MAX_MEMBERS,
    })
}

fn deflate(body: &[u8], cap: Cap) -> Result<Vec<u8>, DecodeError> {
    const NAME: &str = "deflate";
    // RFC 1950 §2.2: method 8, and the two bytes a multiple of 31. Anything else is taken for raw (P-83).
    let zlib = body
        .first_chunk::<2>()
        .is_some_and(|head| head[0] & 0x0f == 8 && u16::from_be_bytes(*head).is_multiple_of(31));
    let mut out = cap.room(body.len(), None);
    let rest = inflate(&mut Decompress::new(zlib), body, &mut out, cap, NAME)?;
    note_trailing(NAME, rest);
    Ok(out)
}

/// Runs one stream to its end and gives back what follows it.
fn inflate<'a>(
    stream: &mut Decompress,
    mut input: &'a [u8],
    out: &mut Vec<u8>,
    cap: Cap,
    name: &'static str,
) -> Result<&'a [u8], DecodeError> {
    loop {
        cap.grow(out)?;
        let (read, written) = (stream.total_in(), out.len());
        let status = stream
            .decompress_vec(input, out, FlushDecompress::None)
            .map_err(|_| DecodeError::Damaged(name))?;
        let read = usize::try_from(stream.total_in() - read).unwrap_or(usize::MAX);
        input = input.get(read..).unwrap_or_default();
        if status == Status::StreamEnd {
            cap.check(out.len())?;
            return Ok(input);
        }
        if read == 0 && out.len() == written && out.len() < out.capacity() {
            return Err(DecodeError::Truncated(name));
        }
    }
}

fn brotli(body: &[u8], cap: Cap) -> Result<Vec<u8>, DecodeError> {
    const NAME: &str = "br";
    // RFC 7932 §9.1: these four bits ask for the largest window, 16 MiB. (Larger ones are no brotli by the RFC, and the
    // strict decoder refuses them.)
    if body.first().is_some_and(|first| first & 0x0f == 0x0f) {
        return Err(DecodeError::Window(NAME));
    }
    let mut state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc> =
        BrotliState::new_strict(
            StandardAlloc::default(),
            StandardAlloc::default(),
            StandardAlloc::default(),
        );
    let mut out = cap.room(body.len(), None);
    let (mut left, mut read, mut total) = (body.len(), 0, 0);
    loop {
        cap.grow(&mut out)?;
        let mut written = out.len();
        // The decoder wants its room as initialised bytes; what it leaves is cut off again.
        out.resize(out.capacity(), 0);
        let mut room = out.len() - written;
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            body,
            &mut room,
            &mut written,
            &mut out,
            &mut total,
            &mut state,
        );
        out.truncate(written);
        match result {
            BrotliResult::ResultSuccess => break,
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(DecodeError::Truncated(NAME)),
            BrotliResult::ResultFailure => return Err(DecodeError::Damaged(NAME)),
        }
    }
    cap.check(out.len())?;
    note_trailing(NAME, body.get(read..).unwrap_or_default());
    Ok(out)
}

fn zstd_frames(body: &[u8], cap: Cap) -> Result<Vec<u8>, DecodeError> {
    const NAME: &str = "zstd";
    let failed = |_| DecodeError::Damaged(NAME);
    let mut decoder = Decoder::new().map_err(failed)?;
    decoder
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
        .map_err(failed)?;
    let said = zstd::zstd_safe::get_frame_content_size(body).ok().flatten();
    let said = said.and_then(|said| usize::try_from(said).ok());
    let mut out = cap.room(body.len(), said);
    let mut input = InBuffer::around(body);
    for _ in 0..MAX_MEMBERS {
        loop {
            cap.grow(&mut out)?;
            let (read, written) = (input.pos(), out.len());
            let more = {
                let mut output = OutBuffer::around_pos(&mut out, written);
                decoder.run(&mut input, &mut output)
            };
            match more {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.to_string().contains("too much memory") => {
                    return Err(DecodeError::Window(NAME));
                }
                Err(_) => return Err(DecodeError::Damaged(NAME)),
            }
            if input.pos() == read && out.len() == written && out.len() < out.capacity() {
                return Err(DecodeError::Truncated(NAME));
            }
        }
        let rest = body.get(input.pos()..).unwrap_or_default();
        if !is_zstd_frame(rest) {
            cap.check(out.len())?;
            note_trailing(NAME, rest);
            return Ok(out);
        }
        decoder.reinit().map_err(failed)?;
    }
    Err(DecodeError::TooMany {
        what: "parts",
        limit: MAX_MEMBERS,
    })
}

/// A frame, or one to be skipped (RFC 8878 §3.1.2).
fn is_zstd_frame(bytes: &[u8]) -> bool {
    match bytes.first_chunk::<4>() {
        Some(magic) => {
            *magic == ZSTD_MAGIC || u32::from_le_bytes(*magic) & 0xffff_fff0 == 0x184d_2a50
        }
        None => false,
    }
}

fn note_trailing(coding: &'static str, rest: &[u8]) {
    if !rest.is_empty() {
        tracing::debug!(
            coding,
            bytes = rest.len(),
            "bytes after the end of the stream are ignored"
        );
    }
}

#[cfg(test)]
mod tests;
