//! A query has a view, and a view has no way to write.
use sdk::prelude::*;

static ROW: Row<u64> = Row::new("row");

pub fn get(view: &View) -> Result<()> {
    view.put(&ROW, &1)
}

fn main() {}
