//! Taking away rows whose moment has come: bounded work, as ordinary effects (P15).

use super::value::Value;
use super::{Op, Order, Rows, keys};
use crate::Result;

/// Effects that remove up to `limit` due rows of `service`; empty when nothing is due.
///
/// An index row may be stale (its row was rewritten or range-deleted): then it alone goes.
pub fn sweep(rows: &dyn Rows, service: &str, now_ns: i64, limit: usize) -> Result<Vec<Op>> {
    let (from, to) = keys::due_until(service, now_ns);
    let mut ops = Vec::new();
    for (index_key, _) in rows.scan(&from, &to, Order::Ascending, limit)? {
        if let Some((_, row)) = keys::parse_due(service, &index_key)
            && let Some(bytes) = rows.get(row)?
            && Value::decode("swept", bytes)?.is_due(now_ns)
        {
            ops.push(Op::Delete { key: index_key.slice(index_key.len() - row.len()..) });
        }
        ops.push(Op::Delete { key: index_key });
    }
    Ok(ops)
}

/// When the next row of `service` is due, if any ever is.
pub fn next_due(rows: &dyn Rows, service: &str) -> Result<Option<i64>> {
    let (from, to) = keys::due_until(service, i64::MAX);
    let first = rows.scan(&from, &to, Order::Ascending, 1)?;
    Ok(first.first().and_then(|(key, _)| keys::parse_due(service, key)).map(|(due, _)| due))
}
