//! What shows a publisher who asks (RFC 9110 §11). Known to the configuration and to the wire, and printed by nobody
//! (POLLING P-169).

use std::fmt;
use std::sync::Arc;

use crate::model::urls::PageUrl;

/// Credentials for one origin. No other ever sees them, whatever redirects or links lead there.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Arc<(String, Scheme)>);

/// How they are shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617, in UTF-8.
    Basic {
        /// Who asks. Has no colon.
        user: String,
        /// Their password; may be empty.
        password: String,
    },
    /// RFC 6750 §2.1.
    Bearer {
        /// What was given to who asks.
        token: String,
    },
}

impl Credentials {
    /// For the origin of this address.
    pub fn new(url: &PageUrl, scheme: Scheme) -> Self {
        Self(Arc::new((url.origin(), scheme)))
    }

    /// How they are shown at this address; `None` where they are not.
    pub fn at(&self, url: &PageUrl) -> Option<&Scheme> {
        let (origin, scheme) = &*self.0;
        (*origin == url.origin()).then_some(scheme)
    }

    /// A number that is another when they change: for the store, which learns whether they were refused and not what they
    /// are. Of so many passwords one number stands for, none can be told from it.
    pub fn mark(&self) -> u32 {
        let (origin, scheme) = &*self.0;
        let mut hasher = blake3::Hasher::new_derive_key("feedmill credentials mark");
        let (kind, parts): (&[u8], [&str; 2]) = match scheme {
            Scheme::Basic { user, password } => (b"basic", [user, password]),
            Scheme::Bearer { token } => (b"bearer", [token, ""]),
        };
        hasher.update(kind);
        for part in [origin.as_str()].iter().chain(&parts) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut mark = [0; 4];
        hasher.finalize_xof().fill(&mut mark);
        u32::from_le_bytes(mark)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(for {})", self.0.0)
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::Bearer { .. } => "Bearer",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn basic(url: &str, user: &str, password: &str) -> Credentials {
        let scheme = Scheme::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        };
        Credentials::new(&PageUrl::parse(url).unwrap(), scheme)
    }

    #[test]
    fn p_169_one_origin_sees_them_and_nobody_prints_them() {
        let ours = basic("https://a.example/feed", "me", "secret");
        let at = |url: &str| ours.at(&PageUrl::parse(url).unwrap()).is_some();
        assert!(at("https://a.example/other"));
        for other in [
            "http://a.example/feed",
            "https://a.example:8443/feed",
            "https://b.example/feed",
            "https://feed.a.example/feed",
        ] {
            assert!(!at(other), "{other}");
        }
        assert_eq!(format!("{ours:?}"), "Credentials(for https://a.example)");
    }

    #[test]
    fn p_46_a_change_shows_and_what_they_are_does_not() {
        let mark = |user: &str, password: &str| basic("https://a.example/", user, password).mark();
        assert_eq!(mark("a", "b"), mark("a", "b"));
        assert_ne!(mark("a", "b"), mark("a", "c"));
        assert_ne!(mark("ab", "c"), mark("a", "bc"));
        let token = Scheme::Bearer {
            token: "a".to_owned(),
        };
        let token = Credentials::new(&PageUrl::parse("https://a.example/").unwrap(), token);
        assert_ne!(token.mark(), mark("a", ""));
    }
}
