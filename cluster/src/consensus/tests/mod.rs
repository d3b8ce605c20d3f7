//! Rules that need no world, only a core or two.
