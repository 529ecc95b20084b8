//! HTML as strangers write it, for all who read it: tags and text in one pass, attributes, character references, what
//! the standard says of each element, and the guard that stands before every tree.

pub mod depth;
pub mod element;
pub mod entity;
pub mod escape;
pub mod picture;
pub mod token;
