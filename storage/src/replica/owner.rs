//! Whose state it is. The folder's identity and the log say it of themselves; without this row the state of another node,
//! put in place of its own, would be taken for it.

use super::{Error, layout};
use crate::state::{Batch, Engine, Op};
use bytes::{BufMut, Bytes, BytesMut};
use wire::ids::{ClusterId, NodeId};

const KEY: &[u8] = &[0];
const VERSION: u8 = 1;

/// Why the state is not this node's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    #[error("this folder holds the state of cluster {found}, not of {expected}; give the node its own data folder")]
    WrongCluster { found: ClusterId, expected: ClusterId },
    #[error("this folder holds the state of {found}, not of {expected}; give each node its own data folder")]
    WrongNode { found: NodeId, expected: NodeId },
    #[error("the state in this folder does not say whose it is: put this node's own state folder back")]
    Nobodys,
    #[error(transparent)]
    Rows(#[from] Error),
}

/// Checks that the state is this node's. One that is `new` becomes it: the row is written first of all, so that whatever
/// of a founding is on disk, it is there.
pub fn claim(engine: &dyn Engine, cluster: ClusterId, node: NodeId, new: bool) -> Result<(), OwnerError> {
    match read(engine)? {
        Some((found, _)) if found != cluster => Err(OwnerError::WrongCluster { found, expected: cluster }),
        Some((_, found)) if found != node => Err(OwnerError::WrongNode { found, expected: node }),
        Some(_) => Ok(()),
        None if !new => Err(OwnerError::Nobodys),
        None => {
            let mut value = BytesMut::new();
            value.put_u8(VERSION);
            value.put_slice(&cluster.0);
            value.put_u64(node.0);
            let put = Op::Put { key: Bytes::from_static(KEY), value: value.freeze() };
            Ok(engine.write(Batch { ops: vec![put] }).map_err(Error::from)?)
        }
    }
}

fn read(engine: &dyn Engine) -> Result<Option<(ClusterId, NodeId)>, Error> {
    let mut row = Ok(None);
    engine.view(&mut |view| row = view.get(KEY));
    let Some(row) = row? else { return Ok(None) };
    let mut reader = layout::Reader::new(row, || "the row that says whose the state is".to_string(), VERSION)?;
    let cluster = ClusterId(reader.u128()?.to_be_bytes());
    Ok(Some((cluster, NodeId(reader.u64()?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Memory;

    #[test]
    fn a_state_has_one_owner_for_good() {
        let (own, other) = (ClusterId([7; 16]), ClusterId([8; 16]));
        let engine = Memory::new();
        assert_eq!(claim(&engine, own, NodeId(1), false), Err(OwnerError::Nobodys));
        claim(&engine, own, NodeId(1), true).expect("claimed");
        for new in [false, true] {
            claim(&engine, own, NodeId(1), new).expect("its own");
            let wrong = claim(&engine, other, NodeId(1), new).expect_err("refused");
            assert_eq!(wrong, OwnerError::WrongCluster { found: own, expected: other });
            let wrong = claim(&engine, own, NodeId(2), new).expect_err("refused");
            assert_eq!(wrong, OwnerError::WrongNode { found: NodeId(1), expected: NodeId(2) });
        }
        let put = Op::Put { key: Bytes::from_static(KEY), value: Bytes::from_static(&[9]) };
        engine.write(Batch { ops: vec![put] }).expect("written");
        assert!(matches!(claim(&engine, own, NodeId(1), false), Err(OwnerError::Rows(Error::Newer { .. }))));
    }
}
