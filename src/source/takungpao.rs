//! Ta Kung Pao.
