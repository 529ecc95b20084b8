//! What the bytes of a picture are, by how they begin. Labels are a stranger's: an HTML page may be called `image/png`.

use crate::model::image::ImageKind;

/// Brands of AVIF files (AV1 Image File Format §6).
const AVIF: [&[u8]; 2] = [b"avif", b"avis"];

/// The kind of picture these bytes are; `None` of everything else, SVG and HTML among it.
pub fn kind(bytes: &[u8]) -> Option<ImageKind> {
    let has = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
    if has(0, b"\xFF\xD8\xFF") {
        Some(ImageKind::Jpeg)
    } else if has(0, b"\x89PNG\r\n\x1A\n") && has(12, b"IHDR") {
        Some(ImageKind::Png)
    } else if has(0, b"GIF87a") || has(0, b"GIF89a") {
        Some(ImageKind::Gif)
    } else if has(0, b"RIFF") && has(8, b"WEBP") {
        Some(ImageKind::Webp)
    } else if has(4, b"ftyp") && is_avif(bytes) {
        Some(ImageKind::Avif)
    } else {
        None
    }
}

/// Whether one of the brands in the first box is AVIF's (ISO/IEC 14496-12 §4.3): the major one, or one behind its version.
fn is_avif(bytes: &[u8]) -> bool {
    let size = bytes
        .first_chunk::<4>()
        .map(|size| u32::from_be_bytes(*size));
    let size = size
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(0);
    let file_type = bytes.get(..size.min(256)).unwrap_or(bytes);
    let brands = file_type.get(8..).unwrap_or_default().chunks_exact(4);
    brands
        .enumerate()
        .any(|(place, brand)| place != 1 && AVIF.contains(&brand))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_known_by_their_beginning() {
        let avif =
            |size: u8, brands: &[u8]| [&[0, 0, 0, size], b"ftyp".as_slice(), brands].concat();
        for (bytes, expected) in [
            (
                b"\xFF\xD8\xFF\xE0\0\x10JFIF".to_vec(),
                Some(ImageKind::Jpeg),
            ),
            (
                b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0".to_vec(),
                Some(ImageKind::Png),
            ),
            (b"GIF87a\x01\0".to_vec(), Some(ImageKind::Gif)),
            (b"GIF89a\x01\0".to_vec(), Some(ImageKind::Gif)),
            (b"RIFF\x1A\0\0\0WEBPVP8L".to_vec(), Some(ImageKind::Webp)),
            (avif(16, b"avif\0\0\0\0"), Some(ImageKind::Avif)),
            (avif(24, b"mif1\0\0\0\0miafavif"), Some(ImageKind::Avif)),
            (avif(20, b"avis\0\0\0\0msf1"), Some(ImageKind::Avif)),
            // A version that looks like a brand, a brand behind the box, other brands.
            (avif(16, b"mif1avif"), None),
            (avif(16, b"mif1\0\0\0\0avif"), None),
            (avif(20, b"heic\0\0\0\0mif1"), None),
            (avif(20, b"isom\0\0\0\0mp41"), None),
            (b"RIFF\x1A\0\0\0WAVEfmt ".to_vec(), None),
            (b"\x89PNG\r\n\x1A\n<script>alert(1)".to_vec(), None),
            (b"<!doctype html><script>".to_vec(), None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>".to_vec(), None),
            (b"<?xml version='1.0'?><svg>".to_vec(), None),
            (b" GIF89a".to_vec(), None),
            (b"GIF90a".to_vec(), None),
            (b"BM\x1E\0\0\0".to_vec(), None),
            (b"\xFF\xD8".to_vec(), None),
            (b"\0\0\0\x10ftyp".to_vec(), None),
            (Vec::new(), None),
        ] {
            let shown = String::from_utf8_lossy(&bytes);
            assert_eq!(kind(&bytes), expected, "{shown:?}");
        }
    }
}
