//! Store to everything that is served: the merged feed, each source's, each tag's, the subscriptions, the page for people
//! and the archive documents. What did not change is not rendered again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use url::Host;

use crate::model::article::StoredArticle;
use crate::model::feed::{FeedState, Subscription};
use crate::model::ids::{ArticleSeq, FeedId};
use crate::model::image::{Copies, ImageCopy};
use crate::model::river::{Collapse, CopyPolicy, River};
use crate::model::ruling::Marks;
use crate::model::time::Timestamp;
use crate::model::urls::PageUrl;
use crate::output::atom::Atom;
use crate::output::edition::{Edition, History};
use crate::output::gallery;
use crate::output::opml::{self, Outline};
use crate::output::page::{self, View};
use crate::output::sealed::{self, Sealed};
use crate::output::{Laid, OUTPUTS, Output};
use crate::rules::query::Query;
use crate::rules::river::{self, CopyOf, Feeds, Head, Known, OtherCopy};
use crate::service::publish::{Press, PublishError};
use crate::store::{Beyond, CarrierRow, Choice, Lineup, Seek, StoreError, Tagged};

/// Entries of an archive document, except where so many do not fit into one.
pub const SEALED: usize = 100;

/// Bytes of bodies that are sealed before there are so many entries: what is not sealed has to fit into the window.
const SEALED_BYTES: usize = 384 * 1024;

/// Archive documents written in one go. A store that was never sealed takes its turns, since each costs as much as a feed.
const SEALS: usize = 8;

/// How long a document that never changes is fresh (F-49).
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// How long the page's style and the subscriptions are fresh.
const AN_HOUR: Duration = Duration::from_hours(1);

/// Hits of a search at most.
const HITS: usize = 50;

/// Articles a search looks at, at most: what matches seldom and has no term is not worth a walk over everything.
const LOOKED_AT: usize = 5_000;

/// A feed that is rendered when it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// What it is served as.
    pub media_type: &'static str,
    /// The document.
    pub bytes: Vec<u8>,
}

/// Something that can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// Begins with a slash; percent-encoded.
    pub path: String,
    /// Documents of one view are dated together (F-27).
    pub view: String,
    /// What it is served as.
    pub media_type: &'static str,
    /// What there is.
    pub matter: Matter,
    /// When it became what it is, as far as the store knows.
    pub changed: Timestamp,
    /// How long an answer is fresh (F-35).
    pub max_age: Duration,
}

/// What there is at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Matter {
    /// A document. The same one as last time is the same allocation.
    Made(Arc<Made>),
    /// A document that never changes, in this file, and in gzip in its [`Sealed::twin`].
    Kept(PathBuf),
    /// It is about to be made: what is served before everything is.
    Coming,
    /// It was there, and is not coming back (F-68).
    Gone,
}

/// How much a [`Shelf`] is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The merged feed, and where everything else will be.
    Front,
    Whole,
}

/// A document as it was rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// The bytes, and where entries stand in them.
    pub laid: Laid,
    /// Whether there are older entries than it shows: one that is missing from the end may have been pushed out.
    pub full: bool,
}

/// What a [`Shelf`] was filled with.
#[derive(Clone, Debug)]
pub struct Filled {
    /// Everything that can be asked for.
    pub publications: Vec<Publication>,
    /// True where there is more to seal: it should be filled again soon. Until then the merged feed may lack what is too
    /// old for it and not sealed yet, so this may be shown to those who have seen nothing, and to nobody else (F-48).
    pub unfinished: bool,
    /// Views that had to be rendered.
    pub rendered: usize,
    /// Copies of pictures that may be asked for: those that public feeds show, now or before.
    pub images: Vec<ImageCopy>,
}

/// Everything that is served, and what it was made from.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Where archive documents are kept; `None` makes none.
    sealed: Option<PathBuf>,
    views: HashMap<String, Cached>,
}

#[derive(Debug)]
struct Cached {
    print: blake3::Hash,
    publications: Vec<Publication>,
}

/// What one view shows.
struct Wanted {
    stem: String,
    choice: Choice,
    id: String,
    title: String,
    subtitle: Option<String>,
    language: String,
    history: History,
}

/// What holds for all views of one filling.
struct Stock<'a> {
    press: &'a Press,
    /// By id; private ones are not in it.
    states: BTreeMap<FeedId, FeedState>,
    river: String,
    store_id: [u8; 16],
    hidden: Vec<FeedId>,
    /// Feeds whose pictures are shown from copies.
    copied: HashSet<FeedId>,
    /// The tags that rules give to entries of those that are shown.
    ruled: Vec<String>,
}

/// Of articles, the pictures that are shown from copies.
type Pictures = BTreeMap<ArticleSeq, Copies>;

/// The merged feed alone, in a format: a file, which is carried to where it is read. It shows copies where these can be had
/// from there.
pub(super) fn merged(press: &Press, output: &dyn Output) -> Result<Vec<u8>, PublishError> {
    let mut stock = Stock::of(press)?;
    if is_this_machine(&press.masthead.home) {
        stock.copied.clear();
    }
    let wanted = stock.merged();
    let lineup = press.store.lineup(&wanted.choice)?;
    let pictures = stock.pictures(&lineup)?;
    Ok(output.render(&stock.river(&wanted, lineup, pictures)?))
}

/// Whether an address leads nowhere else: then nobody set it who shows anything to others.
fn is_this_machine(home: &PageUrl) -> bool {
    match home.as_url().host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    }
}

/// The articles that stand in any view, and where archive documents are made those that none has yet.
pub(super) fn shown(press: &Press, seals: bool) -> Result<BTreeSet<ArticleSeq>, PublishError> {
    let stock = Stock::of(press)?;
    let mut merged = stock.merged();
    let pages = match &press.sealed {
        Some(dir) => sealed::list(dir)?,
        None => Vec::new(),
    };
    if seals || !pages.is_empty() {
        merged.choice.beyond = Some(Beyond {
            last: pages.last().map(|page| page.last),
            most: None,
        });
    }
    let (sources, tags) = (stock.sources(), stock.tags());
    let mut shown = BTreeSet::new();
    for wanted in std::iter::once(&merged).chain(&sources).chain(&tags) {
        shown.extend(press.store.lineup(&wanted.choice)?.articles);
    }
    Ok(shown)
}

/// What a query finds among what is shown to readers, as Atom; `asked` are its words as they were typed. Who it is
/// depends on what is asked alone, not on how.
pub fn search(press: &Press, query: &Query, asked: &str) -> Result<Feed, PublishError> {
    let stock = Stock::of(press)?;
    let shown = stock.states.keys().cloned().collect();
    let tags = stock.subscriptions().into_iter();
    let tags = tags
        .map(|feed| (feed.id.clone(), feed.tags.clone()))
        .collect();
    let found = press.store.search(&Seek {
        query,
        tags: &tags,
        shown: Some(&shown),
        below: None,
        limit: HITS,
        most: LOOKED_AT,
    })?;
    let masthead = &press.masthead;
    let wanted = Wanted {
        stem: format!("search?q={}", segment(asked)),
        choice: Choice {
            feeds: found.articles.iter().map(|hit| hit.feed.clone()).collect(),
            ..Choice::default()
        },
        id: river::view_iri(&stock.river, "search", &query.normal()),
        title: format!("{} · {asked}", masthead.title),
        subtitle: None,
        language: masthead.language.clone(),
        history: History::default(),
    };
    let lineup = Lineup {
        changed: found.articles.iter().map(|hit| hit.recorded).max(),
        ..Lineup::default()
    };
    let river = stock.river_of(&wanted, found.articles, lineup);
    let edition = Edition::at(&river, &wanted.stem, History::default(), &HashSet::new());
    Ok(Feed {
        media_type: Atom.media_type(),
        bytes: Atom.write(&edition),
    })
}

impl Shelf {
    /// An empty one. Archive documents are kept in `sealed`, which belongs to this shelf alone.
    pub fn new(sealed: Option<PathBuf>) -> Self {
        Self {
            sealed,
            views: HashMap::new(),
        }
    }

    /// Everything that can be asked for, by the store as it is now. Renders, and is slow where much changed: not for an
    /// async thread. After an error the next filling does what is missing.
    pub fn fill(&mut self, press: &Press) -> Result<Filled, PublishError> {
        self.fill_up(press, Extent::Whole)
    }

    /// The merged feed as it is when everything is filled, in a fraction of the time: sources and tags are
    /// [`Matter::Coming`].
    pub fn front(&mut self, press: &Press) -> Result<Filled, PublishError> {
        self.fill_up(press, Extent::Front)
    }

    fn fill_up(&mut self, press: &Press, extent: Extent) -> Result<Filled, PublishError> {
        let stock = Stock::of(press)?;
        let mut filled = Filled {
            publications: Vec::new(),
            unfinished: false,
            rendered: 0,
            images: stock.images()?,
        };
        let mut merged = stock.merged();
        let mut pages = Vec::new();
        if let Some(dir) = &self.sealed {
            sealed::withdraw(dir, &stock.hidden)?;
            pages = sealed::list(dir)?;
            let most = if extent == Extent::Front { 0 } else { SEALS };
            filled.unfinished = stock.seal(dir, &mut pages, most)?;
            // A store that is being sealed shows its newest until that is done: nobody has seen the others here yet.
            merged.choice.beyond = (!filled.unfinished).then(|| Beyond {
                last: pages.last().map(|page| page.last),
                most: None,
            });
            merged.history.previous = pages.last().map(|page| Sealed::stem(page.number));
        }
        let sources = stock.sources();
        let tags = stock.tags();
        let listed = |views: &[Wanted]| -> Vec<View> {
            let view = |wanted: &Wanted| View {
                title: wanted
                    .subtitle
                    .clone()
                    .unwrap_or_else(|| wanted.title.clone()),
                stem: wanted.stem.clone(),
            };
            views.iter().map(view).collect()
        };
        let (source_list, tag_list) = (listed(&sources), listed(&tags));
        let mut views = HashMap::new();
        for wanted in std::iter::once(&merged).chain(&sources).chain(&tags) {
            let is_home = wanted.stem == merged.stem;
            if extent == Extent::Front && !is_home {
                filled.publications.extend(coming(wanted));
                continue;
            }
            let lists = is_home.then_some((&*source_list, &*tag_list));
            let lineup = press.store.lineup(&wanted.choice)?;
            let pictures = stock.pictures(&lineup)?;
            let print = stock.print(wanted, &lineup, &pictures, lists);
            let cached = match self.views.remove(&wanted.stem) {
                Some(cached) if cached.print == print => cached,
                _ => {
                    filled.rendered += 1;
                    let publications = stock.render(wanted, lineup, pictures, lists)?;
                    Cached {
                        print,
                        publications,
                    }
                }
            };
            filled
                .publications
                .extend(cached.publications.iter().cloned());
            views.insert(wanted.stem.clone(), cached);
        }
        filled
            .publications
            .extend(stock.others(&mut self.views, &mut views));
        filled.publications.extend(pages.into_iter().map(kept));
        filled.publications.extend(stock.gone());
        self.views = views;
        Ok(filled)
    }
}

fn coming(wanted: &Wanted) -> impl Iterator<Item = Publication> {
    OUTPUTS.iter().map(|output| Publication {
        path: format!("/{}.{}", wanted.stem, output.name()),
        view: wanted.stem.clone(),
        media_type: output.media_type(),
        matter: Matter::Coming,
        changed: Timestamp::EPOCH,
        max_age: Duration::ZERO,
    })
}

fn kept(page: Sealed) -> Publication {
    Publication {
        path: format!("/{}.{}", Sealed::stem(page.number), Atom.name()),
        view: Sealed::stem(page.number),
        media_type: Atom.media_type(),
        matter: Matter::Kept(page.file),
        changed: Timestamp::EPOCH,
        max_age: FOREVER,
    }
}

impl<'a> Stock<'a> {
    fn of(press: &'a Press) -> Result<Self, PublishError> {
        let hidden = press.hidden()?;
        let store_id = press.store.river_id()?;
        let states = press.store.feed_states()?.into_iter();
        let public = states.filter(|state| !hidden.contains(&state.id));
        let copied = press.subscriptions.values().filter(|feed| feed.copy_images);
        let copied = copied.filter(|feed| !hidden.contains(&feed.id));
        let states: BTreeMap<_, _> = public.map(|state| (state.id.clone(), state)).collect();
        let shown: Vec<FeedId> = states.keys().cloned().collect();
        Ok(Self {
            copied: copied.map(|feed| feed.id.clone()).collect(),
            press,
            ruled: press.store.ruled_tags(&shown)?,
            states,
            river: river::river_iri(press.masthead.id.as_deref(), store_id),
            store_id,
            hidden,
        })
    }

    /// Public subscriptions, by id.
    fn subscriptions(&self) -> Vec<&'a Subscription> {
        let all = self.press.subscriptions.values();
        let mut public: Vec<_> = all
            .filter(|subscription| !self.hidden.contains(&subscription.id))
            .collect();
        public.sort_by(|a, b| a.id.cmp(&b.id));
        public
    }

    fn merged(&self) -> Wanted {
        let masthead = &self.press.masthead;
        Wanted {
            stem: "feed".to_owned(),
            choice: Choice::merged(
                self.states.keys().cloned().collect(),
                self.press.entries,
                self.press.share,
                self.press.copies,
            ),
            id: self.river.clone(),
            title: masthead.title.clone(),
            subtitle: masthead.subtitle.clone(),
            language: masthead.language.clone(),
            history: History::default(),
        }
    }

    /// A view of each subscription: all of its entries, whoever had their words before.
    fn sources(&self) -> Vec<Wanted> {
        let wanted = |subscription: &&Subscription| {
            let id = &subscription.id;
            let known = self.known(id);
            Wanted {
                stem: format!("source/{id}"),
                choice: Choice {
                    feeds: vec![id.clone()],
                    tagged: None,
                    once: false,
                    copies: CopyPolicy::default(),
                    limit: self.press.entries,
                    quota: None,
                    beyond: None,
                },
                id: river::view_iri(&self.river, "source", id.as_str()),
                title: river::source_title(id, known.as_ref()),
                subtitle: None,
                language: subscription.language.clone(),
                history: History::default(),
            }
        };
        self.subscriptions().iter().map(wanted).collect()
    }

    /// A view of each tag, whether subscriptions have it or rules give it.
    fn tags(&self) -> Vec<Wanted> {
        let mut feeds: BTreeMap<&str, Vec<FeedId>> = BTreeMap::new();
        for subscription in self.subscriptions() {
            for tag in &subscription.tags {
                feeds.entry(tag).or_default().push(subscription.id.clone());
            }
        }
        for tag in &self.ruled {
            feeds.entry(tag).or_default();
        }
        let masthead = &self.press.masthead;
        let tagged = |tag: &str| Tagged {
            tag: tag.to_owned(),
            feeds: self.states.keys().cloned().collect(),
        };
        let wanted = |(tag, feeds): (&str, Vec<FeedId>)| Wanted {
            stem: format!("tag/{}", segment(tag)),
            choice: Choice {
                feeds,
                tagged: self
                    .ruled
                    .iter()
                    .any(|ruled| ruled == tag)
                    .then(|| tagged(tag)),
                once: true,
                copies: self.press.copies,
                limit: self.press.entries,
                quota: self.press.share.quota(self.press.entries),
                beyond: None,
            },
            id: river::view_iri(&self.river, "tag", tag),
            title: format!("{} · {tag}", masthead.title),
            subtitle: Some(tag.to_owned()),
            language: masthead.language.clone(),
            history: History::default(),
        };
        feeds.into_iter().map(wanted).collect()
    }

    fn known(&self, feed: &FeedId) -> Option<Known> {
        let subscription = self.press.subscriptions.get(feed);
        let state = self.states.get(feed);
        (subscription.is_some() || state.is_some()).then(|| Known {
            info: state.map(|state| state.info.clone()).unwrap_or_default(),
            title: subscription.and_then(|subscription| subscription.title.clone()),
            language: subscription
                .map_or(String::new(), |subscription| subscription.language.clone()),
        })
    }

    /// Changes when the view's documents do: everything they are made from.
    fn print(
        &self,
        wanted: &Wanted,
        lineup: &Lineup,
        pictures: &Pictures,
        lists: Option<(&[View], &[View])>,
    ) -> blake3::Hash {
        let feeds = self.feeds_of(wanted, lineup);
        let what = format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {feeds:?} {pictures:?} {lists:?}",
            wanted.stem,
            wanted.id,
            wanted.title,
            wanted.subtitle,
            wanted.language,
            wanted.history,
            self.press.masthead.home,
            self.press.masthead.author,
            lineup,
        );
        blake3::hash(what.as_bytes())
    }

    /// What is known of the feeds of a view; of the merged feed's many, all.
    fn feeds_of(&self, wanted: &Wanted, lineup: &Lineup) -> Feeds {
        let carriers = lineup.carriers.iter().map(|carrier| &carrier.feed);
        let reprints = lineup.reprints.iter().map(|reprint| &reprint.row.feed);
        let tagged = wanted.choice.tagged.iter().flat_map(|tagged| &tagged.feeds);
        let own = wanted.choice.feeds.iter().chain(tagged);
        let named: BTreeSet<&FeedId> = own.chain(carriers).chain(reprints).collect();
        let known = |feed: &&FeedId| Some(((*feed).clone(), self.known(feed)?));
        named.iter().filter_map(known).collect()
    }

    /// The copies that may be asked for.
    fn images(&self) -> Result<Vec<ImageCopy>, StoreError> {
        if self.copied.is_empty() {
            return Ok(Vec::new());
        }
        let feeds: Vec<FeedId> = self.copied.iter().cloned().collect();
        self.press.store.images_of(&feeds)
    }

    /// The pictures of a lineup that are shown from copies.
    fn pictures(&self, lineup: &Lineup) -> Result<Pictures, StoreError> {
        if self.copied.is_empty() {
            return Ok(Pictures::new());
        }
        let home = &self.press.masthead.home;
        let found = self.press.store.copies_of(&lineup.articles)?;
        let addresses = |copies: Vec<(String, ImageCopy)>| {
            let ours = |(url, copy): (String, ImageCopy)| (url, gallery::address(home, &copy));
            copies.into_iter().map(ours).collect()
        };
        Ok(found
            .into_iter()
            .map(|(seq, copies)| (seq, addresses(copies)))
            .collect())
    }

    /// What a lineup looks like in full.
    fn river(
        &self,
        wanted: &Wanted,
        lineup: Lineup,
        mut pictures: Pictures,
    ) -> Result<River, StoreError> {
        let articles = self.press.store.articles(&lineup.articles)?;
        let mut river = self.river_of(wanted, articles, lineup);
        for entry in &mut river.entries {
            let of_copied = self.copied.contains(&entry.article.feed);
            if let Some(copies) = pictures.remove(&entry.article.seq).filter(|_| of_copied) {
                entry.copies = copies;
            }
        }
        Ok(river)
    }

    fn river_of(&self, wanted: &Wanted, articles: Vec<StoredArticle>, lineup: Lineup) -> River {
        let feeds = self.feeds_of(wanted, &lineup);
        let masthead = &self.press.masthead;
        let head = Head {
            id: Some(wanted.id.clone()),
            store_id: self.store_id,
            title: wanted.title.clone(),
            subtitle: wanted.subtitle.clone(),
            author: masthead.author.clone(),
            language: wanted.language.clone(),
            home: masthead.home.clone(),
            updated: lineup.changed,
        };
        let copy = |of, row: CarrierRow| OtherCopy {
            of,
            first_seq: row.first_seq,
            feed: row.feed,
            key: row.key,
            link: row.link,
        };
        let carriers = lineup.carriers.into_iter();
        let carriers = carriers.map(|row| copy(CopyOf::Words(row.content), row));
        let reprints = lineup.reprints.into_iter().map(|reprint| {
            let (entry, near) = (reprint.of, reprint.near);
            copy(CopyOf::Entry { entry, near }, reprint.row)
        });
        let copies = carriers.chain(reprints);
        let mut river = river::river(head, articles, copies.collect(), &feeds);
        let mut marks: HashMap<ArticleSeq, Marks> = lineup.marks.into_iter().collect();
        for entry in &mut river.entries {
            entry.marks = marks.remove(&entry.article.seq).unwrap_or_default();
        }
        river
    }

    fn render(
        &self,
        wanted: &Wanted,
        lineup: Lineup,
        pictures: Pictures,
        lists: Option<(&[View], &[View])>,
    ) -> Result<Vec<Publication>, StoreError> {
        let kept: HashSet<ArticleSeq> = lineup.unsealed.iter().map(|(_, seq)| *seq).collect();
        let most = lineup.articles.len() >= wanted.choice.limit;
        let river = self.river(wanted, lineup, pictures)?;
        let edition = Edition::at(&river, &wanted.stem, wanted.history.clone(), &kept);
        let full = most || edition.items.len() < river.entries.len();
        let publication = |path: String, media_type, laid| Publication {
            path,
            view: wanted.stem.clone(),
            media_type,
            matter: Matter::Made(Arc::new(Made { laid, full })),
            changed: river.updated,
            max_age: edition.max_age,
        };
        let mut publications: Vec<Publication> = OUTPUTS
            .iter()
            .map(|output| {
                let path = format!("/{}.{}", wanted.stem, output.name());
                publication(path, output.media_type(), output.lay(&edition))
            })
            .collect();
        if let Some((sources, tags)) = lists {
            let bytes = page::render(&edition, sources, tags, OPML);
            publications.push(publication("/".to_owned(), page::MEDIA_TYPE, whole(bytes)));
        }
        Ok(publications)
    }

    /// The subscriptions and the page's style.
    fn others(
        &self,
        before: &mut HashMap<String, Cached>,
        now: &mut HashMap<String, Cached>,
    ) -> Vec<Publication> {
        let style = page::STYLE.as_bytes().to_vec();
        let opml = self.opml();
        let of = [
            (
                OPML,
                opml::MEDIA_TYPE,
                opml,
                &["/opml", "/.well-known/feeds"][..],
            ),
            (
                page::STYLE_FILE,
                page::STYLE_TYPE,
                style,
                &["/style.css"][..],
            ),
        ];
        let mut all = Vec::new();
        for (view, media_type, bytes, paths) in of {
            let print = blake3::hash(&bytes);
            let same = before.remove(view).filter(|cached| cached.print == print);
            let cached = same.unwrap_or_else(|| {
                let made = Arc::new(Made {
                    laid: whole(bytes),
                    full: false,
                });
                let publication = |path: &&str| Publication {
                    path: (*path).to_owned(),
                    view: view.to_owned(),
                    media_type,
                    matter: Matter::Made(made.clone()),
                    changed: self.started(),
                    max_age: AN_HOUR,
                };
                let publications = paths.iter().map(publication).collect();
                Cached {
                    print,
                    publications,
                }
            });
            all.extend(cached.publications.iter().cloned());
            now.insert(view.to_owned(), cached);
        }
        all
    }

    /// When anything was last heard: the subscriptions have no date of their own, and have changed by now.
    fn started(&self) -> Timestamp {
        let successes = self.states.values().filter_map(|state| state.last_success);
        successes.max().unwrap_or(Timestamp::EPOCH)
    }

    fn opml(&self) -> Vec<u8> {
        let outlines = self.subscriptions().into_iter().filter_map(|subscription| {
            let state = self.states.get(&subscription.id);
            let info = state.map(|state| state.info.clone()).unwrap_or_default();
            Outline::of(subscription, &info)
        });
        opml::undated(&self.press.masthead.title, &outlines.collect::<Vec<_>>())
    }

    /// What had a feed once and is subscribed to no more (F-68).
    fn gone(&self) -> Vec<Publication> {
        let left = self.states.keys();
        let left = left.filter(|feed| !self.press.subscriptions.contains_key(feed));
        left.flat_map(|feed| {
            OUTPUTS.iter().map(move |output| Publication {
                path: format!("/source/{feed}.{}", output.name()),
                view: format!("source/{feed}"),
                media_type: output.media_type(),
                matter: Matter::Gone,
                changed: Timestamp::EPOCH,
                max_age: AN_HOUR,
            })
        })
        .collect()
    }

    /// Seals what there is enough of, oldest first, so many documents at `most` (F-48). True where there is more.
    fn seal(&self, dir: &Path, pages: &mut Vec<Sealed>, most: usize) -> Result<bool, PublishError> {
        for turn in 0.. {
            let mut wanted = self.merged();
            wanted.choice.limit = 0;
            // A page that never changes waits for no better copy: it has each text, and what is near only gives way in
            // what is shown now (F-48).
            if wanted.choice.copies.collapse == Collapse::Near {
                wanted.choice.copies.collapse = Collapse::Exact;
            }
            wanted.choice.beyond = Some(Beyond {
                last: pages.last().map(|page| page.last),
                most: Some(SEALED),
            });
            let lineup = self.press.store.lineup(&wanted.choice)?;
            let first = first_of(&lineup.unsealed, SEALED);
            let numbers: Vec<ArticleSeq> = first.iter().map(|(_, seq)| *seq).collect();
            let articles = self.press.store.articles(&numbers)?;
            let bodies = articles
                .iter()
                .map(|article| article.article.body.text.len());
            if lineup.unsealed.len() < SEALED && bodies.sum::<usize>() < SEALED_BYTES {
                return Ok(false);
            }
            if turn == most {
                break;
            }
            pages.push(self.seal_one(dir, pages.last(), &lineup, &articles)?);
        }
        Ok(true)
    }

    /// One archive document of the first of these articles, as many as fit. It never changes and a copy may have to go, so its
    /// pictures are where their publishers have them.
    fn seal_one(
        &self,
        dir: &Path,
        before: Option<&Sealed>,
        lineup: &Lineup,
        articles: &[StoredArticle],
    ) -> Result<Sealed, PublishError> {
        let number = before.map_or(1, |before| before.number + 1);
        let mut wanted = self.merged();
        wanted.history = History {
            previous: before.map(|before| Sealed::stem(before.number)),
            current: Some(wanted.stem),
        };
        wanted.stem = Sealed::stem(number);
        let mut most = SEALED;
        loop {
            let first = first_of(&lineup.unsealed, most);
            let numbers: HashSet<ArticleSeq> = first.iter().map(|(_, seq)| *seq).collect();
            let chosen: Vec<StoredArticle> = articles
                .iter()
                .filter(|article| numbers.contains(&article.seq))
                .cloned()
                .collect();
            let shown = Lineup {
                changed: chosen.iter().map(|article| article.recorded).max(),
                carriers: lineup.carriers.clone(),
                marks: lineup.marks.clone(),
                reprints: lineup.reprints.clone(),
                ..Lineup::default()
            };
            let river = self.river_of(&wanted, chosen, shown);
            let history = wanted.history.clone();
            let edition = Edition::at(&river, &wanted.stem, history, &HashSet::new());
            if edition.items.len() == river.entries.len() || most == 1 {
                let last = first.last().map_or(ArticleSeq(0), |(cause, _)| *cause);
                return Ok(sealed::seal(dir, number, last, &Atom.write(&edition))?);
            }
            most = most.div_ceil(2);
        }
    }
}

/// The first so many, and those that the same number brought as the last of them.
fn first_of(unsealed: &[(ArticleSeq, ArticleSeq)], most: usize) -> &[(ArticleSeq, ArticleSeq)] {
    let last = unsealed
        .get(most.saturating_sub(1))
        .map(|(cause, _)| *cause);
    let end = last.map_or(unsealed.len(), |last| {
        unsealed.partition_point(|(cause, _)| *cause <= last)
    });
    unsealed.get(..end).unwrap_or(unsealed)
}

/// The subscriptions' address below the home page.
const OPML: &str = "opml";

fn whole(bytes: Vec<u8>) -> Laid {
    Laid {
        bytes,
        entries: Vec::new(),
    }
}

/// A word as one segment of a path (RFC 3986 §3.3), with nothing in it that anybody would write differently.
fn segment(word: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
