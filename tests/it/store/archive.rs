//! The archive's cursor and files, and what is taken in from other programs.

use feedmill::model::content::ContentId;
use feedmill::model::poll::Verdict;
use feedmill::store::{ArchivedFile, ImportedArticle};

use super::{Scratch, article, at, feed, poll, seq, wait};

fn file(number: u64, name: &str) -> ArchivedFile {
    ArchivedFile {
        seq: seq(number),
        name: name.to_owned(),
        format: "hugo".to_owned(),
        language: "zh-CN".to_owned(),
        zone: "Asia/Shanghai".to_owned(),
        digest: [u8::try_from(number).unwrap(); 32],
        size: Some(number * 10),
        foreign: None,
    }
}

fn imported(id: &str, words: &str, keep: Option<u64>) -> ImportedArticle {
    ImportedArticle {
        article: article(id, words),
        keep_seq: keep.map(seq),
        foreign_id: ContentId::parse("f34decf1df41149b"),
        file_name: format!("{id}_f34decf1df41149b.txt"),
        format: "text".to_owned(),
        digest: [9; 32],
    }
}

#[test]
fn one_file_for_the_same_words() {
    let scratch = Scratch::new();
    let waiting = |after: Option<u64>| -> Vec<u64> {
        let articles = scratch.store.to_archive(after.map(seq), 100).unwrap();
        articles.iter().map(|(_, a)| a.seq.0).collect()
    };
    scratch.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    scratch.record(poll(
        "b",
        at(1),
        vec![article("1", "one"), article("3", "three")],
    ));
    scratch.record(poll(
        "a",
        at(2),
        vec![article("1", "one!"), article("2", "deux")],
    ));
    assert_eq!(waiting(None), [0, 1, 3, 5]);
    assert_eq!(waiting(Some(1)), [3, 5]);
    assert_eq!(scratch.store.to_archive(None, 2).unwrap().len(), 2);

    assert_eq!(scratch.store.archive_cursor().unwrap(), None);
    wait(
        scratch
            .store
            .archived(vec![file(0, "000_a.txt"), file(1, "001_b.txt")], seq(1)),
    )
    .unwrap();
    assert_eq!(scratch.store.archive_cursor().unwrap(), Some(seq(1)));
    assert_eq!(waiting(Some(1)), [3, 5]);

    // The same again, as after a crash; and the cursor never moves back.
    wait(scratch.store.archived(vec![file(1, "001_b.txt")], seq(0))).unwrap();
    assert_eq!(scratch.store.archive_cursor().unwrap(), Some(seq(1)));
    assert_eq!(
        scratch.store.archived_files().unwrap(),
        [file(0, "000_a.txt"), file(1, "001_b.txt")]
    );
}

/// One that cannot be noted keeps the others from being noted, and the cursor from moving.
#[test]
fn files_are_noted_together_or_not_at_all() {
    let scratch = Scratch::new();
    scratch.record(poll(
        "a",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    for bad in [file(7, "007_c.txt"), file(1, "000_a.txt")] {
        let noted = wait(
            scratch
                .store
                .archived(vec![file(0, "000_a.txt"), bad], seq(1)),
        );
        assert!(noted.is_err());
        assert_eq!(scratch.store.archived_files().unwrap(), []);
        assert_eq!(scratch.store.archive_cursor().unwrap(), None);
    }
}

#[test]
fn an_import_keeps_numbers_and_happens_once() {
    let scratch = Scratch::new();
    let files = vec![
        imported("d", "four", Some(4)),
        imported("a", "one", Some(0)),
        imported("b", "two", Some(1)),
        imported("x", "none", None),
        imported("b2", "two", Some(2)),
    ];
    let import = |files: &[ImportedArticle]| {
        wait(scratch.store.import(&feed("seeds"), at(0), files.to_vec())).unwrap()
    };
    assert_eq!(
        import(&files),
        [
            (seq(4), Verdict::New),
            (seq(0), Verdict::New),
            (seq(1), Verdict::New),
            (seq(5), Verdict::New),
            (seq(1), Verdict::Known(seq(1))),
        ]
    );
    let before = (
        scratch.all(),
        scratch.store.archived_files().unwrap(),
        scratch.store.counts().unwrap(),
    );
    let again: Vec<_> = import(&files)
        .into_iter()
        .map(|(_, verdict)| verdict)
        .collect();
    assert!(
        again.iter().all(|v| matches!(v, Verdict::Known(_))),
        "{again:?}"
    );
    assert_eq!(
        (
            scratch.all(),
            scratch.store.archived_files().unwrap(),
            scratch.store.counts().unwrap()
        ),
        before
    );
    // They get files of ours, which are noted when they are written; what they were imported from is not forgotten.
    assert_eq!(before.1, []);
    let waiting = scratch.store.to_archive(Some(seq(1)), 9).unwrap();
    assert_eq!(waiting[0].1.seq, seq(4));
    wait(scratch.store.archived(vec![file(4, "ours.txt")], seq(4))).unwrap();
    let kept = scratch.store.archived_files().unwrap();
    assert_eq!(kept[0].foreign, ContentId::parse("f34decf1df41149b"));
    assert_eq!(kept[0].name, "ours.txt");

    // A number that was passed over is not given any more, whoever wants it; a huge one would use up all there are.
    assert_eq!(
        import(&[imported("e", "five", Some(3))]),
        [(seq(6), Verdict::New)]
    );
    let huge = import(&[
        imported("f", "six", Some(u64::MAX)),
        imported("g", "seven", Some(1 << 40)),
    ]);
    assert_eq!(huge, [(seq(8), Verdict::New), (seq(7), Verdict::New)]);
    let next = scratch.record(poll("a", at(1), vec![article("1", "new words")]));
    assert_eq!(next.articles[0].1, seq(9));
}

#[test]
fn an_import_and_polls_know_each_other() {
    let scratch = Scratch::new();
    scratch.record(poll(
        "qq",
        at(0),
        vec![article("1", "one"), article("2", "two")],
    ));
    let answers = wait(scratch.store.import(
        &feed("qq"),
        at(1),
        vec![
            imported("z", "one", Some(7)),
            imported("2", "zwei", Some(8)),
        ],
    ))
    .unwrap();
    assert_eq!(
        answers,
        [
            (seq(0), Verdict::Known(seq(0))),
            (seq(8), Verdict::Revised(seq(1)))
        ]
    );
    let reprint = scratch.record(poll("b", at(2), vec![article("b", "zwei")]));
    assert_eq!(reprint.articles[0].2, Verdict::Reprint(seq(8)));
}

/// All of an import or nothing of it, numbers included.
#[test]
fn an_import_that_fails_leaves_no_trace() {
    let scratch = Scratch::new();
    // A name no file can have: the second row is refused.
    let spoilt = vec![
        imported("a", "one", Some(10)),
        ImportedArticle {
            file_name: String::new(),
            ..imported("b", "two", Some(11))
        },
    ];
    wait(scratch.store.import(&feed("seeds"), at(0), spoilt)).unwrap_err();
    assert_eq!(scratch.all(), []);
    assert_eq!(scratch.store.counts().unwrap().next_seq, 0);
    assert_eq!(scratch.store.feed_states().unwrap(), []);
}
