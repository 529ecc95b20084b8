//! What the store remembers of copies of pictures.

use feedmill::model::image::{ImageCopy, ImageKind};
use feedmill::store::{Store, Tried};

use super::{Scratch, article, at, feed, poll, seq, wait};

fn copy(bytes: &[u8]) -> ImageCopy {
    ImageCopy::of(ImageKind::Png, bytes)
}

/// Follows `a`, and copies one picture of a hundred bytes for each of these articles.
fn stocked(articles: u64) -> Scratch {
    let store = Scratch::new();
    wait(store.store.copy_images_of(vec![feed("a")])).unwrap();
    for number in 0..articles {
        let name = number.to_string();
        store.record(poll("a", at(0), vec![article(&name, &name)]));
        list(&store.store, number, &[&format!("https://e.org/{number}")]);
    }
    for due in store.store.due_images(at(9), 100).unwrap() {
        let number = due.url.bytes().last().unwrap();
        let tried = Tried::Copied(copy(&[number; 100]));
        wait(
            store
                .store
                .tried_images(vec![(due.number, tried)], 1, at(9)),
        )
        .unwrap();
    }
    store
}

fn list(store: &Store, number: u64, urls: &[&str]) {
    let urls = urls.iter().map(|url| (*url).to_owned()).collect();
    let listed = vec![(seq(number), feed("a"), urls)];
    wait(store.list_images(listed, seq(number + 1), at(0))).unwrap();
}

fn due(store: &Store, secs: i64) -> Vec<(String, u32)> {
    let due = store.due_images(at(secs), 100).unwrap();
    due.into_iter().map(|due| (due.url, due.tries)).collect()
}

#[test]
fn articles_are_followed_from_the_order_on() {
    let store = Scratch::new();
    let numbers = || {
        let unlisted = store.store.unlisted_images(100).unwrap();
        unlisted.map(|unlisted| {
            let of: Vec<u64> = unlisted.articles.iter().map(|(seq, _)| seq.0).collect();
            (of, unlisted.next.0)
        })
    };
    store.record(poll("a", at(0), vec![article("0", "0")]));
    assert_eq!(numbers(), None, "nobody ordered anything");
    wait(store.store.copy_images_of(vec![feed("a"), feed("new")])).unwrap();
    assert_eq!(numbers(), None, "what was there before is left");
    store.record(poll("a", at(1), vec![article("1", "1")]));
    store.record(poll("b", at(1), vec![article("2", "2")]));
    store.record(poll("new", at(1), vec![article("3", "3")]));
    assert_eq!(numbers(), Some((vec![1, 3], 4)));
    wait(store.store.list_images(Vec::new(), seq(2), at(1))).unwrap();
    assert_eq!(numbers(), Some((vec![3], 4)));
    // Another feed is ordered while the first are followed, and one no more.
    wait(store.store.copy_images_of(vec![feed("b"), feed("new")])).unwrap();
    store.record(poll("b", at(2), vec![article("4", "4")]));
    store.record(poll("a", at(2), vec![article("5", "5")]));
    assert_eq!(numbers(), Some((vec![3, 4], 6)));
    assert_eq!(store.store.image_feeds().unwrap(), [feed("b"), feed("new")]);
    wait(store.store.copy_images_of(Vec::new())).unwrap();
    assert_eq!(numbers(), None);
}

#[test]
fn an_address_is_asked_until_it_is_copied_or_given_up() {
    let store = Scratch::new();
    wait(store.store.copy_images_of(vec![feed("a")])).unwrap();
    store.record(poll("a", at(0), vec![article("0", "0")]));
    let [one, two, three] = ["https://e.org/1", "https://e.org/2", "https://e.org/3"];
    list(&store.store, 0, &[one, two, three]);
    list(&store.store, 0, &[one]);
    let numbers: Vec<i64> = store
        .store
        .due_images(at(0), 9)
        .unwrap()
        .iter()
        .map(|due| due.number)
        .collect();
    let again = Tried::Again {
        why: "HTTP status 503".to_owned(),
        due: at(60),
        tries: 1,
    };
    let tried = vec![
        (numbers[0], Tried::Copied(copy(b"x"))),
        (numbers[1], Tried::Never("HTTP status 404".to_owned())),
        (numbers[2], again),
    ];
    wait(store.store.tried_images(tried, 3, at(1))).unwrap();
    assert_eq!(due(&store.store, 59), []);
    assert_eq!(due(&store.store, 60), [(three.to_owned(), 1)]);
    assert_eq!(store.store.next_image().unwrap(), Some(at(60)));
    // Shown again, none of the others is asked again.
    list(&store.store, 1, &[one, two]);
    assert_eq!(due(&store.store, 59), []);
    let copies = store.store.copies_of(&[seq(0), seq(1), seq(2)]).unwrap();
    let of = |number| copies.get(&seq(number)).cloned().unwrap_or_default();
    assert_eq!(of(0), [(one.to_owned(), copy(b"x"))]);
    assert_eq!((of(1), of(2)), (of(0), Vec::new()));
    // Requests are counted by the day.
    let day = 24 * 60 * 60;
    assert_eq!(store.store.images_asked(at(2)).unwrap(), 3);
    assert_eq!(store.store.images_asked(at(day)).unwrap(), 0);
    wait(store.store.tried_images(Vec::new(), 2, at(day))).unwrap();
    assert_eq!(store.store.images_asked(at(day)).unwrap(), 2);
    // What could not be asked for a week is given up.
    wait(store.store.list_images(Vec::new(), seq(9), at(6 * day))).unwrap();
    assert_eq!(due(&store.store, 6 * day).len(), 1);
    wait(store.store.list_images(Vec::new(), seq(9), at(8 * day))).unwrap();
    assert_eq!(due(&store.store, 8 * day), []);
}

#[test]
fn the_same_bytes_are_one_copy() {
    let store = Scratch::new();
    wait(store.store.copy_images_of(vec![feed("a")])).unwrap();
    store.record(poll("a", at(0), vec![article("0", "0")]));
    list(&store.store, 0, &["https://e.org/1", "https://e.org/2"]);
    for due in store.store.due_images(at(0), 9).unwrap() {
        let tried = vec![(due.number, Tried::Copied(copy(b"same")))];
        wait(store.store.tried_images(tried, 1, at(0))).unwrap();
    }
    let kept = store.store.images_kept().unwrap();
    assert_eq!((kept.files, kept.bytes), (1, 4));
    assert_eq!(store.store.all_images().unwrap(), [copy(b"same")]);
    assert_eq!(store.store.copies_of(&[seq(0)]).unwrap()[&seq(0)].len(), 2);
    // And one that is let go once, with both addresses.
    assert_eq!(
        wait(store.store.evict_images(vec![seq(0)], 3)).unwrap(),
        [copy(b"same")]
    );
    assert!(store.store.copies_of(&[seq(0)]).unwrap().is_empty());
}

#[test]
fn what_is_shown_goes_last_and_of_the_rest_the_oldest() {
    let store = stocked(5);
    let of = |number: u8| copy(&[b'0' + number; 100]);
    let evict = |most| wait(store.store.evict_images(vec![seq(0), seq(2)], most)).unwrap();
    assert_eq!(evict(500), []);
    assert_eq!(evict(499), [of(1)]);
    assert_eq!(evict(250), [of(3), of(4)]);
    assert_eq!(evict(100), [of(0)], "there is nothing else");
    let left = store
        .store
        .copies_of(&(0..5).map(seq).collect::<Vec<_>>())
        .unwrap();
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [seq(2)]);
    // An article that shows it again has it asked again.
    list(&store.store, 5, &["https://e.org/1"]);
    assert_eq!(due(&store.store, 9), [("https://e.org/1".to_owned(), 0)]);
}

#[test]
fn copies_belong_to_the_feeds_that_show_them() {
    let store = stocked(2);
    assert_eq!(store.store.images_of(&[feed("a")]).unwrap().len(), 2);
    assert_eq!(store.store.images_of(&[feed("b")]).unwrap(), []);
    assert_eq!(store.store.images_of(&[]).unwrap(), []);
}
