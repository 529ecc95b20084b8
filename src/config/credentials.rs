//! What a `[[feed]]` block says of who asks: in the block itself, or in a file of its own.

use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use toml::de::DeValue;
use url::Url;

use crate::config::raw::{Block, TomlFile};
use crate::config::values;
use crate::model::credentials::{Credentials, Scheme};
use crate::model::feed::Options;

/// A file with a secret has no more than this many bytes.
const LONGEST: u64 = 4096;

/// Reads `credentials`, or what the feed's own address carries; `None` where there are none, or something is wrong with
/// them.
pub(super) fn scheme<'a>(file: &'a TomlFile, block: &mut Block<'a>) -> Option<Scheme> {
    let carried = block.glance("url").and_then(split);
    let carried = carried.map(|(_, scheme)| scheme);
    let Some(value) = block.value("credentials") else {
        return carried;
    };
    if carried.is_some() {
        block.report("credentials", "stands beside those in `url`: one is enough");
    }
    let Some(table) = value.get_ref().as_table() else {
        let why = "wants a user and a password, such as { user = \"reader\", password_file = \"/etc/feedmill/a\" }";
        block.report("credentials", why);
        return None;
    };
    let label = block.label_of("credentials");
    let mut block = Block::new(file, table, label, value.span().start);
    let scheme = read(&mut block);
    block.finish(str::to_owned);
    scheme
}

/// Reads `user` with `password` or `password_file`, or `token` or `token_file`.
fn read(block: &mut Block<'_>) -> Option<Scheme> {
    let user = block.get("user", user);
    let password = secret(block, "password", "password_file", password);
    let token = secret(block, "token", "token_file", token);
    let either = |key, file_key| block.has(key) || block.has(file_key);
    let (passwords, tokens) = (
        either("password", "password_file"),
        either("token", "token_file"),
    );
    match (block.has("user"), passwords, tokens) {
        (true, true, false) => Some(Scheme::Basic {
            user: user?,
            password: password?,
        }),
        (false, false, true) => Some(Scheme::Bearer { token: token? }),
        _ => {
            block.report_whole(
                "wants a `user` and a `password` or `password_file`, or a `token` or `token_file`",
            );
            None
        }
    }
}

/// Credentials are for the origin of the feed's own address, so there has to be one.
pub(super) fn bound(
    block: &mut Block<'_>,
    scheme: Option<Scheme>,
    options: &Options,
) -> Option<Credentials> {
    let scheme = scheme?;
    let url = options.url("url");
    if url.is_none() && !block.has("url") {
        block.report_whole("has credentials and no `url` whose server they are for");
    }
    Some(Credentials::new(&url?, scheme))
}

/// A secret that stands in the block or in a file; `None` where it does in neither, or is wrong.
fn secret<'a>(
    block: &mut Block<'a>,
    key: &'a str,
    file_key: &'a str,
    read: fn(&str) -> Result<String, String>,
) -> Option<String> {
    // What is wrong with a secret is said without repeating it.
    let here = block.get(key, |value| {
        let text = value.as_str().ok_or("wants a text in quotes")?;
        read(text)
    });
    let there = block.get(file_key, |value| {
        let path = place(value)?;
        read(&contents(&path)?).map_err(|why| format!("the secret in {} {why}", path.display()))
    });
    if block.has(key) && block.has(file_key) {
        block.report(file_key, &format!("stands beside `{key}`: one is enough"));
    }
    here.or(there)
}

/// A name without a slash is one of systemd's credentials, where there are any.
fn place(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = values::path(value)?;
    let given = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    match given.filter(|_| path.components().count() == 1) {
        Some(given) => Ok(given.join(path)),
        None if path.is_absolute() => Ok(path),
        None => Err(format!(
            "`{}` is neither a whole path, from its first slash, nor the name of a credential of the service",
            path.display()
        )),
    }
}

fn contents(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let size = fs::metadata(path).map_err(cannot)?.len();
    if size > LONGEST {
        return Err(format!(
            "{} is no secret: it has {size} bytes",
            path.display()
        ));
    }
    fs::read_to_string(path).map_err(cannot)
}

/// An address that carries a user name and password, without them, and they (P-169).
pub(super) fn split(address: &str) -> Option<(String, Scheme)> {
    let mut url = Url::parse(address.trim()).ok()?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username());
    let password = decoded(url.password().unwrap_or_default());
    if user.is_empty() && password.is_empty() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some((url.into(), Scheme::Basic { user, password }))
}

/// RFC 7617 §2: a colon ends the name.
fn user(value: &DeValue<'_>) -> Result<String, String> {
    let user = values::words(value)?;
    if user.contains(':') {
        return Err("has a colon, which no user name may have (RFC 7617)".to_owned());
    }
    Ok(user)
}

fn password(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.chars().any(char::is_control) {
        return Err("has a line break or another control character in it".to_owned());
    }
    Ok(text.to_owned())
}

/// RFC 6750 §2.1: `b64token`.
fn token(text: &str) -> Result<String, String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if text.is_empty() || !text.chars().all(plain) {
        return Err(
            "is no bearer token (RFC 6750): letters, digits and - . _ ~ + / = alone".to_owned(),
        );
    }
    Ok(text.to_owned())
}
