//! Where redirects lead, and what of the request goes along.

use std::fmt::Write;

use crate::model::http::{FetchError, Method};
use crate::model::urls::PageUrl;

/// The way from the address asked to the one that answers.
#[derive(Debug)]
pub struct Trail {
    /// What is asked now, without a fragment.
    url: PageUrl,
    /// How.
    method: Method,
    /// Every step so far: a POST may lead to a GET of the same address, so the method counts.
    seen: Vec<(bool, PageUrl)>,
    /// The end of the leading run of permanent redirects.
    moved_to: Option<PageUrl>,
    /// Whether only permanent redirects were met so far.
    permanent: bool,
    /// False from the first change of origin on.
    home: bool,
}

impl Trail {
    /// Stands at the beginning.
    pub fn new(url: &PageUrl, method: Method) -> Self {
        Self {
            url: url.without_fragment(),
            method,
            seen: Vec::new(),
            moved_to: None,
            permanent: true,
            home: true,
        }
    }

    /// What is to be asked now.
    pub fn url(&self) -> &PageUrl {
        &self.url
    }

    /// How it is to be asked.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Whether all of it stayed with the origin first asked. The source's own headers are for that one only (P-76).
    pub fn is_home(&self) -> bool {
        self.home
    }

    /// The address asked, and where the leading run of permanent redirects led (P-71).
    pub fn end(self) -> (PageUrl, Option<PageUrl>) {
        (self.url, self.moved_to)
    }

    /// Takes a redirect, or says why not: no or an unreadable target, a loop, too many, encryption given up (P-75, P-76).
    pub fn follow(
        &mut self,
        status: u16,
        location: Option<&[u8]>,
        max_hops: usize,
    ) -> Result<(), FetchError> {
        let location = location.filter(|bytes| !bytes.trim_ascii().is_empty());
        let Some(location) = location else {
            return refuse(format!("status {status} names no target"));
        };
        if self.seen.len() >= max_hops {
            return refuse(format!("more than {max_hops} in a row"));
        }
        let target = match self.url.join(&ascii(location)) {
            Ok(target) => target.without_fragment(),
            Err(error) => return refuse(error.to_string()),
        };
        if self.url.as_url().scheme() == "https" && target.as_url().scheme() == "http" {
            return refuse(format!("{target} gives up encryption"));
        }

        let was_post = matches!(self.method, Method::PostJson(_));
        // RFC 9110 §15.4.2–4: after a POST these three become a GET everywhere; 307 and 308 keep the method.
        if was_post && matches!(status, 301..=303) {
            self.method = Method::Get;
        }
        let is_post = matches!(self.method, Method::PostJson(_));
        self.seen.push((was_post, self.url.clone()));
        if self
            .seen
            .iter()
            .any(|(post, url)| *post == is_post && *url == target)
        {
            return refuse(format!("it leads in a circle, back to {target}"));
        }

        self.permanent &= matches!(status, 301 | 308);
        if self.permanent {
            self.moved_to = Some(target.clone());
        }
        self.home &= self.url.origin() == target.origin();
        self.url = target;
        Ok(())
    }
}

fn refuse<T>(why: String) -> Result<T, FetchError> {
    Err(FetchError::Redirect(why))
}

/// A header's bytes as the text of an address: what is not ASCII is meant as UTF-8 and percent-encoded, as browsers do.
fn ascii(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn page(address: &str) -> PageUrl {
        PageUrl::parse(address).unwrap()
    }

    /// Follows `hops` from `start` and gives the end, or the reason why not.
    fn walk(start: &str, hops: &[(u16, &str)]) -> Result<(String, Option<String>), String> {
        let mut trail = Trail::new(&page(start), Method::Get);
        for (status, location) in hops {
            trail
                .follow(*status, Some(location.as_bytes()), 5)
                .map_err(|error| error.to_string())?;
        }
        let (url, moved) = trail.end();
        Ok((url.to_string(), moved.map(|url| url.to_string())))
    }

    #[test]
    fn p_71_only_the_leading_run_of_permanent_redirects_is_a_move() {
        let check = |hops: &[(u16, &str)], moved: Option<&str>| {
            assert_eq!(
                walk("http://a.example/f", hops).unwrap().1.as_deref(),
                moved
            );
        };
        check(&[], None);
        check(&[(301, "/b")], Some("http://a.example/b"));
        check(&[(308, "/b"), (301, "/c")], Some("http://a.example/c"));
        check(&[(301, "/b"), (302, "/c")], Some("http://a.example/b"));
        check(&[(302, "/b"), (301, "/c")], None);
        check(
            &[(301, "/b"), (307, "/c"), (301, "/d")],
            Some("http://a.example/b"),
        );
    }

    #[test]
    fn p_75_targets_are_resolved_or_refused() {
        let end = |location| walk("http://a.example/x/y/feed?q#z", &[(302, location)]);
        assert_eq!(end("../f").unwrap().0, "http://a.example/x/f");
        assert_eq!(end("//b.example/f#top").unwrap().0, "http://b.example/f");
        assert_eq!(end("/人").unwrap().0, "http://a.example/%E4%BA%BA");
        assert_eq!(
            end("http://例え.jp/").unwrap().0,
            "http://xn--r8jz45g.jp/",
            "a host in UTF-8 is mapped, not percent-encoded"
        );
        for bad in [
            "",
            "  ",
            "file:///etc/passwd",
            "data:text/plain,x",
            "http://",
            "http://u:p@b.example/",
        ] {
            let error = end(bad).unwrap_err();
            assert!(error.starts_with("redirect not followed: "), "{error}");
        }
        assert!(
            walk("http://a.example/1", &[(302, "/2"), (302, "/1")])
                .unwrap_err()
                .contains("circle")
        );
        assert!(
            walk("http://a.example/1", &[(302, "/1#here")])
                .unwrap_err()
                .contains("circle")
        );
        let hops: Vec<_> = ["/1", "/2", "/3", "/4", "/5", "/6"]
            .map(|to| (302, to))
            .to_vec();
        assert!(walk("http://a.example/", &hops[..5]).is_ok());
        assert_eq!(
            walk("http://a.example/", &hops).unwrap_err(),
            "redirect not followed: more than 5 in a row"
        );
        let mut trail = Trail::new(&page("http://a.example/"), Method::Get);
        assert!(trail.follow(302, None, 5).is_err());
    }

    #[test]
    fn p_76_encryption_is_not_given_up_and_headers_stay_home() {
        assert!(walk("https://a.example/", &[(301, "http://a.example/")]).is_err());
        assert!(walk("http://a.example/", &[(301, "https://a.example/")]).is_ok());

        let mut trail = Trail::new(&page("http://a.example/"), Method::Get);
        trail.follow(302, Some(b"/b"), 5).unwrap();
        assert!(trail.is_home());
        trail
            .follow(302, Some(b"http://a.example:8080/b"), 5)
            .unwrap();
        assert!(!trail.is_home());
        trail.follow(302, Some(b"/elsewhere"), 5).unwrap();
        assert!(!trail.is_home(), "at home with a stranger");
        trail.follow(302, Some(b"http://a.example/c"), 5).unwrap();
        assert!(!trail.is_home(), "what came back is not trusted again");
    }

    #[test]
    fn a_post_becomes_a_get_unless_told_to_stay_one() {
        let method_after = |status| {
            let mut trail = Trail::new(&page("http://a.example/"), Method::PostJson("{}".into()));
            trail.follow(status, Some(b"/b"), 5).unwrap();
            trail.method().clone()
        };
        for status in [301, 302, 303] {
            assert_eq!(method_after(status), Method::Get);
        }
        for status in [307, 308] {
            assert_eq!(method_after(status), Method::PostJson("{}".into()));
        }
        let mut trail = Trail::new(&page("http://a.example/"), Method::PostJson("{}".into()));
        assert!(
            trail.follow(303, Some(b"/"), 5).is_ok(),
            "a GET of the same address"
        );
    }
}
