//! What goes wrong with disks: bits, files, whole folders, calls that fail, space that runs out. And with networks.

mod bits;
mod failing;
mod network;
mod space;

pub use bits::{crc32, cut, flip, last_written_page, segments};
pub use failing::{Call, Failing, Which};
pub use network::{Cut, Network};
pub use space::{Namespace, can_mount};
