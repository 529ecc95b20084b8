//! Deutsche Welle.
