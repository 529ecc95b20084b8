//! What elements say for everything inside them: namespaces, `xml:base`, `xml:lang`.

use quick_xml::events::attributes::Attributes;

use super::names::Ns;
use super::references::decoded;
use crate::model::urls::PageUrl;

/// Every name is looked up among the namespaces in force, so there are no more than these.
const BINDINGS: usize = 256;

/// What is in force where the reader is. Each said by an element that is so deep.
pub(super) struct Scope<'t> {
    bindings: Vec<(usize, &'t str, Ns)>,
    bases: Vec<(usize, PageUrl)>,
    langs: Vec<(usize, String)>,
    /// What a name without a namespace belongs to.
    main: Ns,
    page: PageUrl,
}

impl<'t> Scope<'t> {
    pub fn new(page: &PageUrl) -> Self {
        Self {
            bindings: Vec::new(),
            bases: Vec::new(),
            langs: Vec::new(),
            main: Ns::Other,
            page: page.clone(),
        }
    }

    /// What relative addresses are relative to.
    pub fn base(&self) -> &PageUrl {
        self.bases.last().map_or(&self.page, |(_, base)| base)
    }

    /// What they are relative to inside an element; false where that is no address.
    pub fn set_base(&mut self, depth: usize, base: &str) -> bool {
        let base = self.base().join(base);
        let is_one = base.is_ok();
        self.bases.extend(base.ok().map(|base| (depth, base)));
        is_one
    }

    /// The language, unless it was said outside of `depth` elements.
    pub fn lang(&self, depth: usize) -> Option<&str> {
        let said = self.langs.last().filter(|(said, _)| *said >= depth);
        said.map(|(_, lang)| lang.as_str())
    }

    /// Names without a namespace belong to this vocabulary, and those with the prefix of a root that is in none we know.
    pub fn set_main(&mut self, main: Ns, roots: Option<&str>) {
        self.main = main;
        for (_, prefix, ns) in &mut self.bindings {
            if *ns == Ns::Other && (prefix.is_empty() || roots == Some(*prefix)) {
                *ns = main;
            }
        }
    }

    /// What a prefix stands for; `None` where nobody declared it.
    pub fn ns(&self, prefix: &str) -> Option<Ns> {
        let bound = self
            .bindings
            .iter()
            .rev()
            .find(|(_, bound, _)| *bound == prefix);
        let unnamed = prefix.is_empty().then_some(self.main);
        bound.map(|(_, _, ns)| *ns).or(unnamed)
    }

    /// Takes in what the attributes of an element declare, and says how many `xml:base` are no addresses.
    pub fn declare(&mut self, depth: usize, mut attributes: Attributes<'t>) -> usize {
        let mut bad = 0;
        for attribute in attributes.with_checks(false).flatten() {
            let key = attribute.key.0;
            if key == "xmlns" || key.starts_with("xmlns:") {
                if self.bindings.len() >= BINDINGS {
                    continue;
                }
                let ns = Ns::of(&decoded(&attribute.value));
                // The document's own default stays its own, whatever it is called.
                let prefix = key.get(6..).unwrap_or_default();
                self.bindings.push((depth, prefix, ns));
            } else if key == "xml:base" {
                bad += usize::from(!self.set_base(depth, &decoded(&attribute.value)));
            } else if key == "xml:lang" {
                self.langs
                    .push((depth, decoded(&attribute.value).trim().to_owned()));
            }
        }
        bad
    }

    /// Forgets what elements said that are deeper than this.
    pub fn close(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|(at, ..)| *at > depth) {
            self.bindings.pop();
        }
        while self.bases.last().is_some_and(|(at, _)| *at > depth) {
            self.bases.pop();
        }
        while self.langs.last().is_some_and(|(at, _)| *at > depth) {
            self.langs.pop();
        }
    }
}
