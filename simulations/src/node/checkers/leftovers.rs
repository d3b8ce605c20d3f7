//! P15: once everything is due, and swept, nothing of it is left: no row, no index, no kept reply, no session.

use sdk::runtime::value::Value;
use std::ops::ControlFlow;
use storage::replica::ReplicaStore;

/// Tags of a group's rows: see `sdk::runtime::keys` and `actors::shard`.
const ROW: u8 = 1;
const DUE: u8 = 2;
const SESSION: u8 = 3;

/// What is left of rows that had an end.
pub fn leftovers(store: &ReplicaStore) -> Result<Vec<String>, String> {
    let mut left = Vec::new();
    let visited = store.view(|rows| {
        rows.visit_all(&mut |key, value| {
            let ends = match key.first() {
                Some(&DUE) | Some(&SESSION) => true,
                Some(&ROW) => Value::decode("any", value).is_ok_and(|value| value.due_ns != 0),
                _ => false,
            };
            if ends {
                left.push(key.escape_ascii().to_string());
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    });
    visited.map(|()| left).map_err(|error| format!("rows cannot be read: {error}"))
}
