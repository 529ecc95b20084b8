//! Why a request failed, in words an operator understands: looked up in the chain of causes, said once.

use std::error::Error;
use std::io;
use std::iter::successors;

use rustls::CertificateError;

use crate::model::http::FetchError;

/// How far a request had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looking up the name.
    Name,
    /// Connecting, TLS included.
    Connection,
    /// Between the request and the end of the answer's head.
    Head,
    /// In the body.
    Body,
}

/// What happened, by the chain of causes below `error`.
pub fn explain(error: &(dyn Error + 'static), stage: Stage, host: &str) -> FetchError {
    let host = || host.to_owned();
    if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return FetchError::Tls {
            host: host(),
            why: tls_words(tls),
        };
    }
    let root = root(error);
    match stage {
        Stage::Name => FetchError::Dns {
            host: host(),
            why: root
                .strip_prefix("failed to lookup address information: ")
                .unwrap_or(&root)
                .to_owned(),
        },
        Stage::Connection if root.contains("tls handshake") => FetchError::Tls {
            host: host(),
            why: "the connection was closed during the handshake".to_owned(),
        },
        Stage::Connection => FetchError::Connect {
            host: host(),
            why: io_words(error).unwrap_or(root),
        },
        Stage::Head | Stage::Body => match io_cause(error) {
            // What the HTTP library calls bad data is the answer's fault; the rest is the connection's.
            Some(io)
                if matches!(
                    io.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
                ) =>
            {
                FetchError::Malformed(io.to_string())
            }
            Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => {
                FetchError::Incomplete("the connection was closed in the middle of it".to_owned())
            }
            Some(_) => FetchError::Incomplete(io_words(error).unwrap_or(root)),
            None if root.contains("closed before message completed") => {
                FetchError::Incomplete("the connection was closed before there was any".to_owned())
            }
            None if stage == Stage::Body => FetchError::Incomplete(root),
            None => FetchError::Malformed(root),
        },
    }
}

/// An error and everything below it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // A chain of causes has an end; a bug in somebody's `source` must not make it ours.
    successors(Some(error), |error| below(*error)).take(32)
}

/// The next cause. An IO error made of another error gives that one's cause as its own, so the other has to be asked for.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Whether a connection was closed before it gave any answer.
pub fn was_closed(error: &(dyn Error + 'static)) -> bool {
    let by_library = causes(error)
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .any(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed());
    let by_system = io_cause(error).is_some_and(|io| {
        matches!(
            io.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
        )
    });
    by_library || by_system
}

/// The words of the last cause, which the others only repeat.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .map(ToString::to_string)
        .filter(|words| !words.is_empty())
        .last()
        .unwrap_or_default()
}

fn io_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .last()
}

/// What the system said, without its number where there is a name for it.
fn io_words(error: &(dyn Error + 'static)) -> Option<String> {
    let io = io_cause(error)?;
    io.raw_os_error()?;
    Some(match io.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::TimedOut => "the system gave up waiting for it".to_owned(),
        io::ErrorKind::HostUnreachable => "no way to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "no way to its network".to_owned(),
        _ => io.to_string(),
    })
}

fn tls_words(error: &rustls::Error) -> String {
    let words = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired (or the clock here is wrong)"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet (or the clock here is wrong)"
            }
            CertificateError::UnknownIssuer => {
                "its certificate is from no authority this machine trusts"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Revoked => "its certificate was revoked",
            other => return format!("its certificate is not right: {other}"),
        },
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS",
        other => return other.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error ({0})")]
    struct Wrapped(&'static str, #[source] Box<dyn Error + Send + Sync>);

    fn wrapped(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Wrapped {
        Wrapped("Connect", Box::new(Wrapped("inner", cause.into())))
    }

    #[test]
    fn causes_are_found_at_any_depth_and_said_once() {
        let check = |cause: Box<dyn Error + Send + Sync>, stage, words: &str| {
            assert_eq!(
                explain(&wrapped(cause), stage, "a.example").to_string(),
                words
            );
        };
        check(
            io::Error::from_raw_os_error(111).into(),
            Stage::Connection,
            "no connection to `a.example`: connection refused",
        );
        check(
            io::Error::other("failed to lookup address information: Name or service not known")
                .into(),
            Stage::Name,
            "the name `a.example` does not resolve: Name or service not known",
        );
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        check(
            io::Error::new(io::ErrorKind::InvalidData, tls).into(),
            Stage::Connection,
            "no secure connection to `a.example`: its certificate is from no authority this machine trusts",
        );
        check(
            io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof").into(),
            Stage::Connection,
            "no secure connection to `a.example`: the connection was closed during the handshake",
        );
        check(
            io::Error::from_raw_os_error(104).into(),
            Stage::Body,
            "the answer is not whole: connection reset",
        );
        check(
            "invalid HTTP header parsed".into(),
            Stage::Head,
            "malformed answer: invalid HTTP header parsed",
        );
    }
}
