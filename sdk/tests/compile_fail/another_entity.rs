//! The key of the call is the only entity: no read or write takes another.
use sdk::prelude::*;

static ROW: Row<u64> = Row::new("row");

pub fn steal(tx: &mut Tx) -> Result<()> {
    tx.put(&ROW, "another entity", &1)
}

fn main() {}
