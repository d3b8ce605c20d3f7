//! The log against a disk that fails, and against a plain model of what it must hold.
//!
//! Mutants, each put in by hand once, and a test that then fails (beside the random lives of `crash`, which find most):
//!
//! | mutant | found by |
//! |---|---|
//! | cut first, "was cut" written after | `cut::that_a_torn_tail_was_cut_is_never_forgotten` (`marks` is empty) |
//! | a decided cut not finished at the next start | `cut::a_repair_that_is_stopped_anywhere_never_looks_like_a_clean_log` |
//! | last unit not written again at open (fsync failed, page readable) | `segments::any_call_may_fail_while_segments_turn` ("found, then lost") |
//! | names not synced at open | `cut::a_log_being_made_is_stopped_anywhere` |
//! | manifest on one page; not synced between its pages | `damage::a_flipped_bit_of_the_manifest_harms_nothing`; `segments::a_manifest_torn_while_it_is_written_is_whole` |
//! | a good unit behind a hole passes as torn | `scan::tests`, `damage::a_lost_last_batch_is_seen_behind_an_idle_mark` |
//! | spare not zeroed, or believed zero after a kill | `segments::a_half_zeroed_spare_is_not_trusted` |
//! | seal written before the next segment's space is there | `segments::a_full_disk_is_named_and_nothing_is_lost` |
//! | segments beyond the manifest ignored | `damage::a_manifest_older_than_the_segments_is_damage` |
//! | pin not lifted; moved entries forgotten at restart | `segments::an_idle_groups_pin_is_lifted` |
//! | checkpoint not compared with the replay | `damage::words_that_contradict_each_other_are_damage` |
//!
//! Alive, because nothing can see them: the ledger changed before the write (the handle is dead if that fails), the older of
//! two manifest pages believed (nothing relies on a manifest before both pages say it), runs of terms not trimmed by a purge.

mod basics;
mod crash;
mod cut;
mod damage;
mod segments;
mod world;
