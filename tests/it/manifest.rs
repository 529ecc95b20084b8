//! The manifests of the archive, and the proof that goes by them: what every kind of tampering is called, what a run that
//! was cut off leaves, and that the same store always comes to the same bytes. All words are made up.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use feedmill::model::article::Article;
use feedmill::model::content::{Content, ContentHash, RawHash};
use feedmill::model::entry::EntryKey;
use feedmill::model::ids::{ArticleSeq, EntryId};
use feedmill::model::time::{Day, Timestamp};
use feedmill::model::urls::PageUrl;
use feedmill::output::archive::manifest::{self, Digest};
use feedmill::output::files::FileError;
use feedmill::service::export::export;
use feedmill::service::publish::{Press, PublishError, Published};
use feedmill::service::verify::{Asked, Kind, Proof, verify};
use feedmill::store::Store;
use proptest::prelude::*;
use proptest::test_runner::Config;
use tempfile::TempDir;

use crate::support::mill::{Mill, plain, rss, words};
use crate::support::origin::{Origin, Reply};
use crate::support::record;

/// Midnight of 2026-03-01.
const MARCH: i64 = 1_772_323_200;
const HOUR: i64 = 3600;

/// A store with an archive.
struct World {
    scratch: TempDir,
    store: Store,
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn article(words: &str) -> Article {
    let id = EntryId::new(words).unwrap();
    Article {
        key: EntryKey::Id(id.clone()),
        id: Some(id),
        link: PageUrl::parse("https://news.example/a").ok(),
        title: format!("题 {words}"),
        authors: Vec::new(),
        language: None,
        published: Some(Timestamp::from_secs(MARCH)),
        updated: None,
        cms_date: None,
        categories: Vec::new(),
        summary: None,
        body: Content::html(format!("<p>{words}</p>")),
        partial: false,
        note: None,
        thumbnail: None,
        enclosures: Vec::new(),
        origin: None,
        content: ContentHash::from_bytes(*blake3::hash(words.as_bytes()).as_bytes()),
        raw: RawHash::of([Some(words.as_bytes())]),
        teaser: None,
    }
}

impl World {
    fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        fs::create_dir(scratch.path().join("archive")).unwrap();
        let store = Store::open(&scratch.path().join("feedmill.db")).unwrap();
        Self { scratch, store }
    }

    /// Three days with files and one without: 2, 1, 0 and 2 of them.
    fn of_four_days() -> Self {
        let world = Self::new();
        for (hour, words) in [
            (9, &["甲", "乙"][..]),
            (30, &["丙"]),
            (80, &["丁"]),
            (81, &["戊"]),
        ] {
            world.poll(hour * HOUR, words);
            world.publish().unwrap();
        }
        world
    }

    fn archive(&self) -> PathBuf {
        self.scratch.path().join("archive")
    }

    /// Articles of these words, so many seconds into March.
    fn poll(&self, second: i64, words: &[&str]) {
        let at = Timestamp::from_secs(MARCH + second);
        let articles = words.iter().map(|words| article(words)).collect();
        let poll = record::read("mill".parse().unwrap(), at, articles);
        wait(self.store.record(poll)).unwrap();
    }

    fn publish(&self) -> Result<Published, PublishError> {
        let press = Press {
            sealed: None,
            share: feedmill::rules::share::Share::ALL,
            copies: feedmill::model::river::CopyPolicy::default(),
            store: self.store.clone(),
            archive: Some(self.archive()),
            feed: self.scratch.path().join("feed.atom"),
            entries: 20,
            masthead: record::masthead("https://news.example/"),
            subscriptions: HashMap::new(),
        };
        wait(press.publish())
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.archive())
    }

    fn verify(&self) -> Proof {
        verify(&self.store, &self.archive(), &Asked::default()).unwrap()
    }

    fn anchored(&self, anchor: Digest) -> Proof {
        let asked = Asked {
            anchor: Some(anchor),
            quick: true,
        };
        verify(&self.store, &self.archive(), &asked).unwrap()
    }

    /// What is wrong, by kind and name.
    fn wrong(&self) -> Vec<(Kind, String)> {
        let differences = self.verify().differences.into_iter();
        differences.map(|found| (found.kind, found.name)).collect()
    }

    /// Past the store, as somebody else would.
    fn sql(&self, sql: &str) {
        let raw = rusqlite::Connection::open(self.scratch.path().join("feedmill.db")).unwrap();
        raw.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"))
            .unwrap();
    }
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

fn day(number: i64) -> Day {
    Timestamp::from_secs(MARCH + number * 24 * HOUR).day()
}

/// The archive's files by the numbers of their articles, and its manifests by their days in March.
fn named(files: &BTreeMap<String, Vec<u8>>) -> (Vec<String>, Vec<String>) {
    files
        .keys()
        .cloned()
        .partition(|name| !name.starts_with("MANIFEST-"))
}

#[test]
fn each_day_with_files_has_a_manifest_that_names_the_one_before() {
    let world = World::of_four_days();
    let files = world.files();
    let (articles, manifests) = named(&files);
    assert_eq!(
        manifests,
        [
            "MANIFEST-2026-03-01",
            "MANIFEST-2026-03-02",
            "MANIFEST-2026-03-04"
        ]
    );
    let mut before = None;
    let mut told = Vec::new();
    for (number, name) in [0, 1, 3].into_iter().zip(&manifests) {
        let read = manifest::parse(&files[name]).unwrap();
        assert_eq!((read.day, read.before), (day(number), before));
        before = Some((read.day, blake3::hash(&files[name]).into()));
        for line in read.files {
            let bytes = &files[&line.name];
            assert_eq!(line.size, Some(bytes.len() as u64));
            assert_eq!(line.digest, *blake3::hash(bytes).as_bytes());
            told.push(line.name);
        }
    }
    assert_eq!(told, articles, "each file stands in one manifest");
    let proof = world.verify();
    assert_eq!((proof.proven, proof.manifests), (5, 3));
    assert_eq!(proof.differences, []);
    assert_eq!(proof.unfinished, []);
    assert_eq!(proof.newest, before);
}

#[test]
fn what_a_manifest_was_is_the_beginning_of_what_it_is() {
    let world = World::new();
    world.poll(0, &["甲"]);
    world.publish().unwrap();
    let first = world.files()["MANIFEST-2026-03-01"].clone();
    let untouched = world.publish().unwrap();
    assert_eq!((untouched.files, untouched.manifests), (0, 0));
    world.poll(23 * HOUR, &["乙"]);
    assert_eq!(world.publish().unwrap().manifests, 1);
    let second = world.files()["MANIFEST-2026-03-01"].clone();
    assert!(second.len() > first.len() && second.starts_with(&first));
    world.poll(24 * HOUR, &["丙"]);
    world.publish().unwrap();
    assert_eq!(
        world.files()["MANIFEST-2026-03-01"],
        second,
        "its day is over"
    );
    // A clock that was set back brings nothing into a day that is over.
    world.poll(2 * HOUR, &["丁"]);
    world.publish().unwrap();
    let files = world.files();
    assert_eq!(files["MANIFEST-2026-03-01"], second);
    assert_eq!(
        manifest::parse(&files["MANIFEST-2026-03-02"])
            .unwrap()
            .files
            .len(),
        2
    );

    // Each state of the last manifest can be proven by its digest, and no other.
    for (bytes, found) in [(&first, (day(0), 1)), (&second, (day(0), 2))] {
        let proof = world.anchored(blake3::hash(bytes).into());
        assert_eq!((proof.anchored, proof.differences), (Some(found), vec![]));
    }
    let proof = world.anchored([7; 32]);
    assert_eq!(proof.differences[0].kind, Kind::Anchor);
}

/// Who changes files, store and manifests alike is still found by a digest that was written down.
#[test]
fn another_history_has_no_digest_of_this_one() {
    let (one, other) = (World::of_four_days(), World::new());
    let digest = one.verify().newest.unwrap().1;
    for (hour, words) in [
        (9, &["甲", "乙!"][..]),
        (30, &["丙"]),
        (80, &["丁"]),
        (81, &["戊"]),
    ] {
        other.poll(hour * HOUR, words);
    }
    other.publish().unwrap();
    assert_eq!(other.wrong(), [], "by itself it is sound");
    assert_eq!(one.anchored(digest).anchored, Some((day(3), 2)));
    let proof = other.anchored(digest);
    assert_eq!(
        (proof.anchored, proof.differences[0].kind),
        (None, Kind::Anchor)
    );
}

/// Every kind of tampering is named as what it is, with the file it befell.
#[test]
fn every_kind_of_tampering_is_named() {
    type Tamper = fn(&Path, &[String], &[String]);
    type Case = (&'static str, Tamper, &'static [(Kind, &'static str)]);
    let cases: &[Case] = &[
        (
            "a flipped bit",
            |at, articles, _| edit(&at.join(&articles[1]), |bytes| bytes[9] ^= 1),
            &[(Kind::Changed, "001")],
        ),
        (
            "a longer file",
            |at, articles, _| edit(&at.join(&articles[1]), |bytes| bytes.push(b'\n')),
            &[(Kind::Size, "001")],
        ),
        (
            "a file deleted",
            |at, articles, _| fs::remove_file(at.join(&articles[2])).unwrap(),
            &[(Kind::Missing, "002")],
        ),
        (
            "a file added",
            |at, _, _| fs::write(at.join("002_0123456789abcdef.txt"), "x").unwrap(),
            &[(Kind::Unknown, "002_0123456789abcdef.txt")],
        ),
        (
            "a file renamed",
            |at, articles, _| {
                fs::rename(at.join(&articles[0]), at.join("000_0123456789abcdef.txt")).unwrap();
            },
            &[
                (Kind::Missing, "000"),
                (Kind::Unknown, "000_0123456789abcdef.txt"),
            ],
        ),
        (
            "two files swapped",
            |at, articles, _| swap(&at.join(&articles[0]), &at.join(&articles[1])),
            &[(Kind::Changed, "000"), (Kind::Changed, "001")],
        ),
        (
            "a link to the same bytes",
            |at, articles, _| {
                fs::rename(at.join(&articles[0]), at.join("elsewhere")).unwrap();
                symlink("elsewhere", at.join(&articles[0])).unwrap();
            },
            &[(Kind::Unreadable, "000")],
        ),
        (
            "another digest in a manifest",
            |at, articles, manifests| {
                zero_digest(&at.join(&manifests[0]), &format!("  {}", articles[1]));
            },
            &[(Kind::ManifestChanged, "MANIFEST-2026-03-01")],
        ),
        (
            "a file and its line changed alike",
            |at, articles, manifests| {
                let file = at.join(&articles[2]);
                let old = manifest::hex(blake3::hash(&fs::read(&file).unwrap()).as_bytes());
                edit(&file, |bytes| bytes[9] ^= 1);
                let new = manifest::hex(blake3::hash(&fs::read(&file).unwrap()).as_bytes());
                let list = at.join(&manifests[1]);
                fs::write(
                    &list,
                    fs::read_to_string(&list).unwrap().replace(&old, &new),
                )
                .unwrap();
            },
            &[
                (Kind::Changed, "002"),
                (Kind::ManifestChanged, "MANIFEST-2026-03-02"),
            ],
        ),
        (
            "another size in a manifest",
            |at, _, manifests| {
                let list = at.join(&manifests[1]);
                fs::write(
                    &list,
                    fs::read_to_string(&list)
                        .unwrap()
                        .replace("# size ", "# size 1"),
                )
                .unwrap();
            },
            &[(Kind::ManifestChanged, "MANIFEST-2026-03-02")],
        ),
        (
            "a line taken out",
            |at, _, manifests| {
                let list = at.join(&manifests[0]);
                let text = fs::read_to_string(&list).unwrap();
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                lines.drain(2..4);
                fs::write(&list, lines.concat()).unwrap();
            },
            // The second is where the first was, and the first is not in it.
            &[
                (Kind::ManifestChanged, "MANIFEST-2026-03-01"),
                (Kind::ManifestChanged, "MANIFEST-2026-03-01"),
            ],
        ),
        (
            "another manifest before",
            |at, _, manifests| {
                edit(&at.join(&manifests[2]), |bytes| {
                    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
                    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
                });
            },
            &[(Kind::Chain, "MANIFEST-2026-03-04")],
        ),
        (
            "two manifests swapped",
            |at, _, manifests| swap(&at.join(&manifests[0]), &at.join(&manifests[1])),
            &[
                (Kind::ManifestChanged, "MANIFEST-2026-03-01"),
                (Kind::Chain, "MANIFEST-2026-03-01"),
                (Kind::ManifestChanged, "MANIFEST-2026-03-02"),
                (Kind::Chain, "MANIFEST-2026-03-02"),
            ],
        ),
        (
            "the newest manifest dropped",
            |at, _, manifests| fs::remove_file(at.join(&manifests[2])).unwrap(),
            &[(Kind::ManifestMissing, "MANIFEST-2026-03-04")],
        ),
        (
            "an older manifest dropped",
            |at, _, manifests| fs::remove_file(at.join(&manifests[0])).unwrap(),
            &[(Kind::ManifestMissing, "MANIFEST-2026-03-01")],
        ),
        (
            "a manifest cut off",
            |at, _, manifests| {
                edit(&at.join(&manifests[0]), |bytes| {
                    bytes.truncate(bytes.len() - 9);
                });
            },
            &[(Kind::ManifestChanged, "MANIFEST-2026-03-01")],
        ),
        (
            "the newest manifest as it was before",
            |at, _, manifests| {
                let list = at.join(&manifests[2]);
                let text = fs::read_to_string(&list).unwrap();
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                fs::write(&list, lines[..4].concat()).unwrap();
            },
            &[(Kind::ManifestChanged, "MANIFEST-2026-03-04")],
        ),
        (
            "a manifest of another day",
            |at, _, manifests| {
                fs::copy(at.join(&manifests[0]), at.join("MANIFEST-2026-03-03")).unwrap();
            },
            &[(Kind::ManifestUnknown, "MANIFEST-2026-03-03")],
        ),
    ];
    let world = World::of_four_days();
    let whole = world.files();
    let (articles, manifests) = named(&whole);
    for (what, tamper, expected) in cases {
        tamper(&world.archive(), &articles, &manifests);
        let found = world.wrong();
        let same = |((kind, name), (wanted, begins)): (&(Kind, String), &(Kind, &str))| {
            kind == wanted && name.starts_with(begins)
        };
        let mut left: Vec<_> = found.iter().collect();
        for want in *expected {
            let at = left.iter().position(|one| same((one, want)));
            assert!(at.is_some(), "{what}: {want:?} is not in {found:?}");
            left.remove(at.unwrap());
        }
        let more_lines = |(kind, name): &&&(Kind, String)| {
            *kind == Kind::ManifestChanged
                && expected
                    .iter()
                    .any(|want| want.0 == *kind && name == want.1)
        };
        assert_eq!(
            left.iter().find(|one| !more_lines(one)),
            None,
            "{what}: {found:?}"
        );
        fs::remove_dir_all(world.archive()).unwrap();
        fs::create_dir(world.archive()).unwrap();
        for (name, bytes) in &whole {
            fs::write(world.archive().join(name), bytes).unwrap();
        }
        assert_eq!(world.wrong(), [], "after {what}");
    }

    // The store itself: its rows, what it noted, its articles.
    for (sql, kind, name) in [
        (
            "UPDATE archive_file SET digest = zeroblob(32) WHERE seq = 0",
            Kind::Changed,
            "000",
        ),
        (
            "UPDATE manifest SET digest = zeroblob(32)",
            Kind::Store,
            "MANIFEST-2026-03-01",
        ),
        (
            "UPDATE article SET title = 'other' WHERE seq = 4",
            Kind::Store,
            "004",
        ),
        (
            "DELETE FROM archive_file WHERE seq = 2",
            Kind::Unknown,
            "002",
        ),
    ] {
        let world = World::of_four_days();
        world.sql(sql);
        let found = world.wrong();
        let named = found
            .iter()
            .any(|found| found.0 == kind && found.1.starts_with(name));
        assert!(named, "{sql}: {found:?}");
    }
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Makes the digest of the line that ends like this one of zeros.
fn zero_digest(path: &Path, ends: &str) {
    edit(path, |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let at = text.find(ends).unwrap();
        bytes[at - 64..at].fill(b'0');
    });
}

fn swap(one: &Path, other: &Path) {
    let (a, b) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    fs::write(one, b).unwrap();
    fs::write(other, a).unwrap();
}

#[test]
fn a_manifest_that_somebody_changed_is_left_as_evidence() {
    let world = World::new();
    world.poll(0, &["甲"]);
    world.publish().unwrap();
    let list = world.archive().join("MANIFEST-2026-03-01");
    edit(&list, |bytes| *bytes.last_mut().unwrap() = b' ');
    let changed = fs::read(&list).unwrap();
    world.poll(HOUR, &["乙"]);
    let error = world.publish().unwrap_err();
    assert!(
        matches!(error, PublishError::File(FileError::Differs(_))),
        "{error}"
    );
    assert_eq!(fs::read(&list).unwrap(), changed);
    assert!(
        fs::read_to_string(world.scratch.path().join("feed.atom"))
            .unwrap()
            .contains("题 乙"),
        "readers have the news"
    );
    assert_eq!(named(&world.files()).0.len(), 2, "and the archive its file");
    fs::rename(&list, world.scratch.path().join("evidence")).unwrap();
    world.publish().unwrap();
    assert_eq!(world.wrong(), []);
    assert_eq!(world.verify().manifests, 1);
}

/// Wherever a run is cut off: what is there can be verified, and the next run comes to the same.
#[test]
fn a_run_that_is_cut_off_anywhere_is_made_up_for() {
    let whole = World::of_four_days();
    let expected = whole.files();
    let rows = whole.store.archived_files().unwrap();
    let started = || {
        let world = World::new();
        world.poll(9 * HOUR, &["甲", "乙"]);
        world.publish().unwrap();
        world.poll(30 * HOUR, &["丙"]);
        world
    };
    let finish = |world: &World, what: &str| {
        world.poll(80 * HOUR, &["丁"]);
        world.poll(81 * HOUR, &["戊"]);
        world.publish().unwrap();
        assert_eq!(world.files(), expected, "{what}");
        let proof = world.verify();
        assert_eq!(
            (proof.differences, proof.unfinished),
            (vec![], vec![]),
            "{what}"
        );
    };
    let file = rows[2].clone();
    let put =
        |world: &World, name: &str| fs::write(world.archive().join(name), &expected[name]).unwrap();

    let world = started();
    put(&world, &file.name);
    fs::write(world.archive().join(".feedmill-1-2.part"), "half").unwrap();
    let proof = world.verify();
    assert_eq!(
        (proof.differences, proof.unfinished.len()),
        (vec![], 2),
        "written and not noted"
    );
    finish(&world, "written and not noted");

    let world = started();
    put(&world, &file.name);
    wait(world.store.archived(vec![file.clone()], ArticleSeq(2))).unwrap();
    let proof = world.verify();
    assert_eq!(proof.differences, []);
    assert_eq!(
        proof.unfinished[0].0, "MANIFEST-2026-03-02",
        "noted, without a manifest"
    );
    finish(&world, "noted, without a manifest");

    let world = started();
    put(&world, &file.name);
    wait(world.store.archived(vec![file], ArticleSeq(2))).unwrap();
    put(&world, "MANIFEST-2026-03-02");
    assert_eq!(world.wrong(), []);
    finish(&world, "a manifest that is not noted");

    // A manifest that grew, and was not noted, and has to grow once more.
    let world = World::new();
    for (hour, words) in [(9, &["甲", "乙"][..]), (30, &["丙"]), (80, &["丁"])] {
        world.poll(hour * HOUR, words);
        world.publish().unwrap();
    }
    let one = world.files()["MANIFEST-2026-03-04"].clone();
    world.poll(81 * HOUR, &["戊"]);
    world.publish().unwrap();
    world.sql(&format!(
        "UPDATE manifest SET files = 1, digest = x'{}' WHERE day = {}",
        manifest::hex(blake3::hash(&one).as_bytes()),
        day(3).number()
    ));
    assert_eq!(world.wrong(), []);
    world.poll(82 * HOUR, &["己"]);
    world.publish().unwrap();
    assert_eq!(world.wrong(), []);
    let grown = world.files()["MANIFEST-2026-03-04"].clone();
    assert!(grown.starts_with(&expected["MANIFEST-2026-03-04"]));
}

#[test]
fn the_archive_comes_out_of_the_store_once_more() {
    let world = World::of_four_days();
    let out = world.scratch.path().join("out");
    fs::create_dir(&out).unwrap();
    for _ in 0..2 {
        let exported = export(&world.store, &out).unwrap();
        assert_eq!((exported.files, exported.manifests), (5, 3));
        assert_eq!(exported.lost, []);
        assert_eq!(files(&out), world.files());
    }
    // An article that is no longer kept: its file is proven by its digest, and cannot be written again.
    world.sql("DELETE FROM article WHERE seq = 2");
    let proof = world.verify();
    assert_eq!(
        (proof.differences, proof.proven, proof.by_digest),
        (vec![], 5, 1)
    );
    let again = world.scratch.path().join("again");
    fs::create_dir(&again).unwrap();
    let exported = export(&world.store, &again).unwrap();
    let lost: Vec<&str> = exported.lost.iter().map(|(name, _)| &name[..4]).collect();
    assert_eq!((exported.files, lost), (4, vec!["002_"]));
    let mut expected = world.files();
    expected.retain(|name, _| !name.starts_with("002_"));
    assert_eq!(
        files(&again),
        expected,
        "its manifest names it all the same"
    );
    // Other bytes in the way are not written over.
    edit(&again.join("MANIFEST-2026-03-01"), |bytes| {
        bytes.push(b'\n');
    });
    assert!(export(&world.store, &again).is_err());
}

/// A store that is older than manifests: its files are measured, on the disk or anew, and get the manifests of their days.
#[test]
fn files_of_an_older_store_get_manifests_as_if_they_always_had_them() {
    let world = World::of_four_days();
    let expected = world.files();
    let (articles, manifests) = named(&expected);
    let forget = || {
        world.sql("UPDATE archive_file SET size = NULL; DELETE FROM manifest");
        for name in &manifests {
            let _ = fs::remove_file(world.archive().join(name));
        }
    };
    forget();
    fs::remove_file(world.archive().join(&articles[0])).unwrap();
    assert!(
        export(&world.store, &world.archive()).is_err(),
        "there are no manifests to export"
    );
    world.publish().unwrap();
    for name in &manifests {
        assert_eq!(
            fs::read(world.archive().join(name)).unwrap(),
            expected[name],
            "{name}"
        );
    }
    assert_eq!(world.wrong(), [(Kind::Missing, articles[0].clone())]);

    // What nobody can know is not made up.
    forget();
    world.sql("DELETE FROM article WHERE seq = 0");
    world.publish().unwrap();
    let first = manifest::parse(&fs::read(world.archive().join(&manifests[0])).unwrap()).unwrap();
    let sizes: Vec<Option<u64>> = first.files.iter().map(|line| line.size).collect();
    assert_eq!(sizes, [None, Some(expected[&articles[1]].len() as u64)]);
    assert_eq!(world.wrong(), [(Kind::Missing, articles[0].clone())]);
}

proptest! {
    #![proptest_config(Config::with_cases(12))]

    /// However polls and publications take turns, files and manifests are those of one publication at the end.
    #[test]
    fn any_order_of_publications_comes_to_the_same(steps in prop::collection::vec((0_i64..5 * 24, 0_usize..3, any::<bool>()), 1..8)) {
        let (often, once) = (World::new(), World::new());
        for (step, (hour, words, publish)) in steps.iter().enumerate() {
            let words: Vec<String> = (0..*words).map(|n| format!("词 {step} {n}")).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            often.poll(hour * HOUR, &words);
            once.poll(hour * HOUR, &words);
            if *publish {
                often.publish().unwrap();
                prop_assert_eq!(often.wrong(), vec![]);
            }
        }
        often.publish().unwrap();
        once.publish().unwrap();
        prop_assert_eq!(often.files(), once.files());
        prop_assert_eq!(once.wrong(), vec![]);
    }
}

/// The commands, as a person and a program use them.
#[test]
fn the_archive_is_verified_and_exported_by_commands() {
    let page = |seed| Reply::ok("application/rss+xml", rss(&[("1", "一", &words(seed))]));
    let origin = Origin::start([("/a", page(1))]);
    let mill = Mill::new(&plain("a", &origin.url("/a")));
    mill.fetch(0);
    let (name, bytes) = mill.manifests().into_iter().next().unwrap();
    let digest = blake3::hash(&bytes).to_hex();
    let told = mill.run(&["archive", "verify"]);
    assert_eq!(told.status, 0, "{told:?}");
    assert!(
        told.out.contains(&format!("the last: {name} {digest}\n")),
        "{}",
        told.out
    );
    let json = |args: &[&str], status| -> serde_json::Value {
        let run = mill.run(&[&["archive", "verify", "--json"], args].concat());
        assert_eq!(run.status, status, "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    };
    let proof = json(&["--quick", "--anchor", &digest], 0);
    assert_eq!(proof["proven"], 1);
    assert_eq!(proof["newest"]["blake3"], digest.as_str());
    assert_eq!(proof["anchored"]["name"], name.as_str());
    assert_eq!(proof["anchored"]["files"], 1);
    let proof = json(&["--anchor", &"0".repeat(64)], 1);
    assert_eq!(proof["differences"][0]["kind"], "anchor-unknown");
    assert_eq!(mill.run(&["archive", "verify", "--anchor", "x"]).status, 2);

    let export = mill.run(&["archive", "export", "out"]);
    assert_eq!(
        (export.status, export.out.as_str()),
        (0, "1 files and 1 manifests, 0 not written\n")
    );
    assert_eq!(files(&mill.path("out")), files(&mill.path("data/archive")));
    fs::remove_file(
        mill.path("data/archive")
            .join(mill.archive().keys().next().unwrap()),
    )
    .unwrap();
    assert_eq!(json(&[], 1)["differences"][0]["kind"], "missing");
}

/// The page that describes the manifest shows a whole one.
#[test]
fn the_documented_manifest_is_what_it_says() {
    let page = include_str!("../../docs/archive-format.md");
    let start = page.find("\n    # feedmill manifest").unwrap() + 1;
    let lines = page[start..]
        .lines()
        .map_while(|line| line.strip_prefix("    "));
    let text = lines.map(|line| format!("{line}\n")).collect::<String>();
    let read = manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(read.day.to_string(), "2026-03-02");
    assert_eq!(read.before.unwrap().0.to_string(), "2026-03-01");
    let mut draft = manifest::Draft::new(read.day, read.before);
    for line in &read.files {
        draft.add(&line.name, line.size, &line.digest);
    }
    assert_eq!(draft.bytes(), text.as_bytes());
    assert_eq!(read.files.len(), 2);
}
