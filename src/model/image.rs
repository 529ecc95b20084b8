//! Pictures that are kept as copies of our own.

use std::collections::BTreeMap;

/// Of the pictures of an entry those that there are copies of: the publisher's address (without its fragment), and ours.
pub type Copies = BTreeMap<String, String>;

/// The kinds of pictures that are kept. No kind that is a document (SVG), and none that browsers do not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ImageKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// AVIF.
    Avif,
}

impl ImageKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::Gif, Self::Webp, Self::Avif];

    /// Its name in the store, and the ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }

    /// What it is served as.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A copy, known by its bytes: the same ones are kept once, however many addresses they had.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageCopy {
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
    /// What they are.
    pub kind: ImageKind,
    /// How many.
    pub bytes: u64,
}

impl ImageCopy {
    /// Of these bytes.
    pub fn of(kind: ImageKind, bytes: &[u8]) -> Self {
        Self {
            digest: *blake3::hash(bytes).as_bytes(),
            kind,
            bytes: bytes.len() as u64,
        }
    }

    /// 64 hex digits and the ending of its kind: the last part of its address.
    pub fn file_name(&self) -> String {
        let digest = blake3::Hash::from_bytes(self.digest).to_hex();
        format!("{digest}.{}", self.kind.name())
    }
}

/// The digest and the kind in a name that [`ImageCopy::file_name`] gives; `None` of every other.
pub fn read_name(name: &str) -> Option<([u8; 32], ImageKind)> {
    let (digits, ending) = name.split_once('.')?;
    let kind = ImageKind::named(ending)?;
    let lower = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let digest = blake3::Hash::from_hex(digits).ok().filter(|_| lower)?;
    Some((*digest.as_bytes(), kind))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_are_read_back_and_no_others() {
        for kind in ImageKind::ALL {
            let copy = ImageCopy::of(kind, b"x");
            assert_eq!(read_name(&copy.file_name()), Some((copy.digest, kind)));
        }
        let name = ImageCopy::of(ImageKind::Png, b"x").file_name();
        for bad in [
            name.to_uppercase(),
            name.replace("png", "svg"),
            name.replace(".png", ""),
            format!("{name}.gz"),
            format!("../{name}"),
            name[1..].to_owned(),
            format!("0{name}"),
            String::new(),
        ] {
            assert_eq!(read_name(&bad), None, "{bad}");
        }
    }
}
