//! Tencent News.
