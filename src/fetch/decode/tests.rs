#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    decoded: 20 * 1024 * 1024,
    ratio: 200,
    ratio_from: 1024 * 1024,
};

fn gz(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn raw(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zst(plain: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(plain, 3).unwrap()
}

/// [`feed`], by Google's encoder (there is none among our crates).
const BR: &[u8] =
    b"\x1b\xdc\x02\x00\x04\x1c\x72\x88\x07\xf9\x32\x4b\x0b\x36\xe0\xc0\xbd\x30\xd2\x09\xf4\x0e\x28\
    \xcd\x83\x01\xc5\xb4\xc9\x57\xe1\x79\xac\xac\x0d";

/// 64 MiB of zeros, by the same.
const BR_BOMB: &[u8] = b"\xcb\xff\xff\x3f\x00\x24\x00\xe2\xb1\x40\x72\xef\xff\xf8\xff\xff\x07\x80\x04\x40\x1c\x16\x80\
    \xee\xfd\x1f\xff\xff\xff\x00\x90\x00\x88\xc3\x02\xd0\xbd\xff\xe3\xff\xff\x1f\x00\x12\x00\x71\x58\x00\xba\xf7\x7f\
    \xfc\xff\xff\x03\x40\x02\x20\x0e\x0b\x40\xf7\xfe\x8f\xff\xff\x7f\x00\x48\x00\xc4\x61\x01\xe8\xde\xff\xf1\xff\xff\
    \x0f\x00\x09\x80\x38\x2c\x00\xdd\xfb\x3f\xfe\xff\xff\x01\x20\x01\x10\x87\x05\xa0\x7b\xff\x37";

/// A made-up document of 733 bytes.
fn feed() -> Vec<u8> {
    format!("<feed>{}</feed>", "<entry>one</entry>".repeat(40)).into_bytes()
}

fn undone(body: &[u8], codings: &[Coding]) -> Result<Vec<u8>, DecodeError> {
    decode(body.to_vec(), codings, LIMITS)
}

/// Each coding with the feed in it.
fn all() -> [(Coding, Vec<u8>); 5] {
    [
        (Coding::Gzip, gz(&feed())),
        (Coding::Brotli, BR.to_vec()),
        (Coding::Zstd, zst(&feed())),
        (Coding::Deflate, zlib(&feed())),
        (Coding::Deflate, raw(&feed())),
    ]
}

#[test]
fn p_80_and_p_83_every_coding_is_undone() {
    for (coding, body) in all() {
        assert_eq!(undone(&body, &[coding]).unwrap(), feed(), "{coding:?}");
    }
    let stacked = zst(&gz(&feed()));
    assert_eq!(
        undone(&stacked, &[Coding::Gzip, Coding::Zstd]).unwrap(),
        feed()
    );
    let stacked = gz(BR);
    assert_eq!(
        undone(&stacked, &[Coding::Brotli, Coding::Gzip]).unwrap(),
        feed()
    );
    assert_eq!(undone(&feed(), &[]).unwrap(), feed());
    assert_eq!(Coding::from_name(b"X-Gzip"), Some(Coding::Gzip));
    assert_eq!(Coding::from_name(b"compress"), None);
}

#[test]
fn an_uncoded_body_is_not_copied() {
    let body = feed();
    let address = body.as_ptr();
    let same = decode(body, &[], LIMITS).unwrap();
    assert_eq!(same.as_ptr(), address);
    let body = feed();
    let address = body.as_ptr();
    let same = decode(body, &[Coding::Gzip], LIMITS).unwrap();
    assert_eq!(same.as_ptr(), address);
}

#[test]
fn p_81_all_parts_of_a_stream_count() {
    let feed = feed();
    let (first, second) = feed.split_at(300);
    let parts = [gz(first), gz(b""), gz(second)].concat();
    assert_eq!(undone(&parts, &[Coding::Gzip]).unwrap(), feed);
    let skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    let parts = [skipped.clone(), zst(first), skipped, zst(second)].concat();
    assert_eq!(undone(&parts, &[Coding::Zstd]).unwrap(), feed);
    let many = gz(b"").repeat(MAX_MEMBERS + 1);
    assert_eq!(
        undone(&many, &[Coding::Gzip]),
        Err(DecodeError::TooMany {
            what: "parts",
            limit: MAX_MEMBERS
        })
    );
}

#[test]
fn p_82_what_follows_the_last_part_is_ignored() {
    for (coding, body) in all() {
        for junk in [&b"\0\0\0"[..], b"\r\n", b"<!-- cached -->", b"\x1f\x8b"] {
            let body = [&body, junk].concat();
            assert_eq!(
                undone(&body, &[coding]).unwrap(),
                feed(),
                "{coding:?} {junk:?}"
            );
        }
    }
}

#[test]
fn p_53_a_stream_without_its_end_is_not_whole() {
    for (coding, body) in all() {
        for cut in 1..body.len() {
            let error = undone(&body[..cut], &[coding]).unwrap_err();
            let good = matches!(error, DecodeError::Truncated(_) | DecodeError::Damaged(_));
            assert!(good, "{coding:?} cut at {cut}: {error}");
        }
    }
    let two = [gz(&feed()), gz(&feed())].concat();
    assert_eq!(
        undone(&two[..two.len() - 5], &[Coding::Gzip]),
        Err(DecodeError::Truncated("gzip"))
    );
}

#[test]
fn a_garbled_stream_is_told_by_its_checksum() {
    let mut body = gz(&feed());
    let at = body.len() - 6;
    body[at] ^= 1;
    assert_eq!(
        undone(&body, &[Coding::Gzip]),
        Err(DecodeError::Damaged("gzip"))
    );
}

#[test]
fn p_85_a_body_is_what_it_is_not_what_it_says() {
    let utf16 = b"\xFF\xFE<\0f\0".to_vec();
    for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd, Coding::Deflate] {
        for plain in [
            feed(),
            utf16.clone(),
            b" \r\n{\"version\":1}".to_vec(),
            b"\xEF\xBB\xBF<rss>".to_vec(),
        ] {
            assert_eq!(
                undone(&plain, &[coding]).unwrap(),
                plain,
                "{coding:?} over plain text"
            );
        }
        for real in [gz(&feed()), zst(&feed())] {
            assert_eq!(
                undone(&real, &[coding]).unwrap(),
                feed(),
                "{coding:?} over another"
            );
        }
        assert!(undone(b"\x80\x81 neither", &[coding]).is_err());
    }
    assert_eq!(undone(&gz(&feed()), &[]).unwrap(), feed(), "nothing said");
    assert_eq!(
        undone(&gz(&gz(&feed())), &[Coding::Gzip]).unwrap(),
        feed(),
        "said once, done twice"
    );
}

/// Refused, and quickly.
fn check_bomb(body: &[u8], codings: &[Coding], error: DecodeError) {
    let limits = Limits {
        decoded: 2 * 1024 * 1024,
        ..LIMITS
    };
    let start = Instant::now();
    let outcome = decode(body.to_vec(), codings, limits);
    assert_eq!(outcome, Err(error), "{codings:?}");
    // Unoptimised and on a busy machine; not stopped, the first would take minutes.
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn p_84_bombs_are_stopped_while_they_grow() {
    let mib = 1024 * 1024;
    let zeros = vec![0; 4 * mib];
    // Gigabytes of zeros in what the wire limit lets through.
    let gigabytes = gz(&zeros).repeat(500);
    assert!(gigabytes.len() < 10 * mib);
    check_bomb(&gigabytes, &[Coding::Gzip], DecodeError::TooLarge(2 * mib));
    let twice = gz(&gigabytes);
    let bomb = DecodeError::Bomb((twice.len() * 200).max(mib));
    check_bomb(&twice, &[Coding::Gzip, Coding::Gzip], bomb.clone());
    check_bomb(&twice, &[Coding::Gzip], bomb);
    check_bomb(&zlib(&zeros), &[Coding::Deflate], DecodeError::Bomb(mib));
    check_bomb(BR_BOMB, &[Coding::Brotli], DecodeError::Bomb(mib));
    check_bomb(&zst(&zeros), &[Coding::Zstd], DecodeError::Bomb(mib));
    check_bomb(
        &gz(b""),
        &[Coding::Gzip; 5],
        DecodeError::TooMany {
            what: "content codings",
            limit: 4,
        },
    );
}

#[test]
fn p_84_windows_over_8_mib_are_refused() {
    let large = |log| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(&feed()).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(undone(&large(23), &[Coding::Zstd]).unwrap(), feed());
    assert_eq!(
        undone(&large(24), &[Coding::Zstd]),
        Err(DecodeError::Window("zstd"))
    );
    let mut br = BR.to_vec();
    br[0] = 0x1f;
    assert_eq!(
        undone(&br, &[Coding::Brotli]),
        Err(DecodeError::Window("br"))
    );
}

#[test]
fn limits_hold_to_the_byte() {
    for (coding, body) in all() {
        for (limit, good) in [(732, false), (733, true), (734, true)] {
            let limits = Limits {
                decoded: limit,
                ..LIMITS
            };
            let outcome = decode(body.clone(), &[coding], limits);
            assert_eq!(outcome.is_ok(), good, "{coding:?} at {limit}: {outcome:?}");
        }
        let ratio = |ratio| Limits {
            ratio_from: 100,
            ratio,
            ..LIMITS
        };
        let enough = feed().len().div_ceil(body.len());
        assert!(decode(body.clone(), &[coding], ratio(enough)).is_ok());
        assert!(matches!(
            decode(body, &[coding], ratio(enough - 1)),
            Err(DecodeError::Bomb(_))
        ));
    }
    let plain = Limits {
        decoded: 732,
        ..LIMITS
    };
    assert_eq!(decode(feed(), &[], plain), Err(DecodeError::TooLarge(732)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_coded_comes_back(plain in prop::collection::vec(any::<u8>(), 1..5000), times in 1..20_usize) {
        let plain = [&b"<"[..], &plain.repeat(times)].concat();
        for (coding, body) in [
            (Coding::Gzip, gz(&plain)),
            (Coding::Zstd, zst(&plain)),
            (Coding::Deflate, zlib(&plain)),
            (Coding::Deflate, raw(&plain)),
        ] {
            prop_assert_eq!(undone(&body, &[coding]).unwrap(), &plain[..]);
        }
    }

    #[test]
    fn any_bytes_end(
        seed in 0..5_usize,
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        junk in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut body = all()[seed].1.clone();
        for (at, byte) in noise {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body.extend(junk.iter());
        for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd, Coding::Deflate] {
            let _ = undone(&body, &[coding]);
            let _ = undone(&junk, &[coding]);
        }
    }
}
