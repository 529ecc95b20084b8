//! Draft to article, or why not.
