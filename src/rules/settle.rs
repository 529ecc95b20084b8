//! The whole decision of a poll.
