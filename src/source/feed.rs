//! Any RSS, RDF, Atom or JSON feed.
