//! What several integration tests share: hostile articles, judges that are not the code they judge, a loopback origin,
//! and the built program in a directory of its own.

pub mod check_atom;
pub mod daemon;
pub mod hostile;
pub mod mill;
pub mod newsroom;
pub mod origin;
pub mod record;
pub mod script;
pub mod web;
