//! What a call is about comes from the runtime: a service cannot make itself another view.
use sdk::prelude::*;

pub fn look(view: &View) -> Result<()> {
    view.account("another").get(&Row::<u64>::new("row")).map(drop)
}

fn main() {}
