//! Rows: a head, its items, rows of the last filling, rows that end.

use super::api::*;
use sdk::prelude::*;
use std::time::Duration;

pub static HEAD: Row<Head> = Row::new("head");
pub static ITEMS: Table<u64, u64> = Table::new("items");
pub static FILLING: Table<u64, (u64, Vec<u8>)> = Table::new("filling");
pub static LENT: Table<u64, ()> = Table::new("lent").expiring();

/// More rows than any run writes.
const ALL: usize = 1 << 20;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    pub len: u64,
    pub hash: u64,
}

/// The hash of a history with one more item.
pub fn chain(hash: u64, token: u64) -> u64 {
    let mut z = (hash ^ token.rotate_left(32)).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 27)
}

pub fn append(tx: &mut Tx, req: AppendRequest) -> Result<Position> {
    let head: Head = tx.get_or_default(&HEAD)?;
    let head = Head { len: head.len + 1, hash: chain(head.hash, req.token) };
    tx.put_at(&ITEMS, &head.len, &req.token)?;
    tx.put(&HEAD, &head)?;
    Ok(Position { len: head.len, hash: head.hash, now_ns: tx.now().0 })
}

pub fn refuse(tx: &mut Tx, req: RefuseRequest) -> Result<Position> {
    let before: Head = tx.get_or_default(&HEAD)?;
    append(tx, AppendRequest { entity: req.entity, token: req.token })?;
    Err(REFUSED.because(format!("{} {} {}", before.len, before.hash, tx.now().0)))
}

pub fn explode(tx: &mut Tx, req: ExplodeRequest) -> Result<Position> {
    let position = append(tx, AppendRequest { entity: req.entity, token: req.token })?;
    tx.put_at(&ITEMS, &(position.len + 1), &req.token)?;
    // A panic like any other, but one that nobody prints: it is meant.
    std::panic::resume_unwind(Box::new("as told"));
}

pub fn fill(tx: &mut Tx, req: FillRequest) -> Result<Position> {
    tx.delete_table(&FILLING);
    for row in 0..u64::from(req.rows) {
        tx.put_at(&FILLING, &row, &(req.token, vec![req.token as u8; req.bytes as usize]))?;
    }
    append(tx, AppendRequest { entity: req.entity, token: req.token })
}

pub fn lend(tx: &mut Tx, req: LendRequest) -> Result<Position> {
    let due = tx.now().plus(Duration::from_millis(req.ttl_ms));
    tx.put_at_until(&LENT, &req.token, &(), due)?;
    append(tx, AppendRequest { entity: req.entity, token: req.token })
}

pub fn peek(tx: &mut Tx, _: PeekRequest) -> Result<Seen> {
    seen(tx)
}

pub fn look(view: &View, _: LookRequest) -> Result<Seen> {
    seen(view)
}

fn seen(rows: &impl Read) -> Result<Seen> {
    let head: Head = rows.get_or_default(&HEAD)?;
    let items = rows.scan(&ITEMS).take(ALL)?.into_iter().map(|(_, token)| token).collect();
    let filling = rows.scan(&FILLING).take(ALL)?;
    let filled = filling.len() as u64;
    let mut marks: Vec<u64> = filling.into_iter().map(|(_, (token, _))| token).collect();
    marks.dedup();
    let lent = rows.scan(&LENT).take(ALL)?.into_iter().map(|(token, ())| token).collect();
    Ok(Seen { len: head.len, hash: head.hash, now_ns: rows.now().0, items, filling: marks, filled, lent })
}
